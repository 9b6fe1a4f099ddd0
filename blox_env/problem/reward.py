"""Reward formulas by name: accuracy penalised by latency on a target device.

Every formula takes accuracies as fractions ``(n,)``, latencies ``(n,)`` and a latency target in the
same unit, and gives rewards ``(n,)``; higher is better. Without a device only ``accuracy`` works.

=============  ======================================  ===========================================
name           reward for accuracy a, latency t,       below the target; above it
               target T
=============  ======================================  ===========================================
accuracy       a                                       latency never counts
mnasnet        a · (t/T)^exponent, -0.07               a gain; a loss. T scales all rewards alike,
                                                       so it does not change which is best
mnasnet-hard   a · max(t/T, 1)^exponent, -1            nothing; a loss, soon larger than any gain
                                                       of accuracy
tunas          a + beta · abs(t/T - 1), -0.07          a loss; a loss: pulled to T from both sides
linear         a - weight · t/T, 0.07                  the same price a millisecond everywhere
chebyshev      -max(1 - a, weight · t/T), 0.5          the worse of the two counts, the other not
constraint     a if t ≤ T else -(t/T - 1)              nothing; accuracy no longer counts, only
                                                       the way back does
=============  ======================================  ===========================================

The numbers are defaults of parameters, which stand in brackets behind the name where they should be
others: ``"mnasnet(exponent=-0.15)"``. ``docs/rewards.md`` shows what each formula pushes an agent
to do; ``blox-env rewards`` shows what it would find.

A formula of one's own is a function of three arrays, or one whose arguments are names of columns:
``lambda accuracy, params: accuracy - params / 1e8``; any of ``accuracy, latency_ms, target, params,
macs, flops, peak_activation_bytes``. It is tried when a problem is made.

A constraint has a cost beside the reward: :func:`excess`, which environments with
``reward="constraint"`` give as ``info["cost"]``.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np

from blox_env.ground.errors import unknown_name
from blox_env.ground.typing import FloatArray, IntArray

RewardFunction = Callable[..., FloatArray]  # of three arrays, or of columns by name

# Arguments by which a formula of one's own may ask for columns, and what they are.
COLUMNS = {
    **dict.fromkeys(("accuracy", "val_acc"), "val_acc"),
    "latency_ms": "latency_ms",
    **dict.fromkeys(("target", "latency_target_ms"), "target"),
    **{name: name for name in ("params", "macs", "flops", "peak_activation_bytes")},
}

_CALL = re.compile(r"\s*([\w-]+)\s*\((.*)\)\s*")


def accuracy(acc: FloatArray, latency: FloatArray, target: float) -> FloatArray:
    """Accuracy alone.

    Args:
        acc: accuracies ``(n,)``.
        latency: not looked at.
        target: not looked at.
    """
    return acc


def mnasnet(
    acc: FloatArray, latency: FloatArray, target: float, *, exponent: float = -0.07
) -> FloatArray:
    """Soft trade-off (Tan et al., *MnasNet*, CVPR 2019, α = β = -0.07).

    Twice the latency is worth 5 % more accuracy, relative: 2^0.07 = 1.05. With one exponent on both
    sides the target is but a factor of all rewards, so the best architecture is the same for every
    target; the exponent alone decides.

    Args:
        acc: accuracies ``(n,)``.
        latency: latencies ``(n,)``.
        target: in the unit of the latencies.
        exponent: on both sides of the target.
    """
    return acc * (latency / target) ** exponent


def mnasnet_hard(
    acc: FloatArray, latency: FloatArray, target: float, *, exponent: float = -1.0
) -> FloatArray:
    """Latency counts only above the target (Tan et al., *MnasNet*, CVPR 2019, α = 0, β = -1).

    Below the target reward is accuracy. Above it 1 % more latency costs 1 % of the accuracy, so
    going over pays only where accuracy grows as fast as latency.

    Args:
        acc: accuracies ``(n,)``.
        latency: latencies ``(n,)``.
        target: in the unit of the latencies.
        exponent: above the target.
    """
    above: FloatArray = _library(acc).maximum(latency / target, 1.0)
    return acc * above**exponent


def tunas(
    acc: FloatArray, latency: FloatArray, target: float, *, beta: float = -0.07
) -> FloatArray:
    """Absolute reward (Bender et al., *TuNAS*, CVPR 2020; their code searches with β = -0.1).

    Deviations from the target cost in both directions alike, so that an agent learns to use what
    latency it may; an architecture that is faster and as accurate gets less.

    Args:
        acc: accuracies ``(n,)``.
        latency: latencies ``(n,)``.
        target: in the unit of the latencies.
        beta: cost of a relative deviation of 1, negative.
    """
    return acc + beta * abs(latency / target - 1.0)


def linear(
    acc: FloatArray, latency: FloatArray, target: float, *, weight: float = 0.07
) -> FloatArray:
    """Weighted sum: a target's worth of latency costs ``weight`` of accuracy, wherever it is.

    Reaches only what lies on the convex hull of the front (Das & Dennis, 1997), and the larger the
    target, the cheaper a millisecond.

    Args:
        acc: accuracies ``(n,)``.
        latency: latencies ``(n,)``.
        target: in the unit of the latencies.
        weight: cost of a target's worth of latency.
    """
    return acc - weight * latency / target


def chebyshev(
    acc: FloatArray, latency: FloatArray, target: float, *, weight: float = 0.5
) -> FloatArray:
    """Minus the weighted Chebyshev distance to accuracy 1 at latency 0 (Bowman, 1976).

    Only the worse of error and weighted latency counts, by which points in dents of the front can
    be reached, too. The two are even where ``1 - a = weight · t/T``: a weight far above the error
    that is to be had makes it a search for the fastest, one far below a search for accuracy alone.

    Args:
        acc: accuracies ``(n,)``.
        latency: latencies ``(n,)``.
        target: in the unit of the latencies.
        weight: of the relative latency.
    """
    distance: FloatArray = _library(acc).maximum(1.0 - acc, weight * latency / target)
    return -distance


def constraint(acc: FloatArray, latency: FloatArray, target: float) -> FloatArray:
    """Accuracy within the target, else minus the relative excess (Deb, 2000).

    Whatever is feasible is better than whatever is not, and of two that are not the one that is
    nearer to the target is better.

    Args:
        acc: accuracies ``(n,)``.
        latency: latencies ``(n,)``.
        target: in the unit of the latencies.
    """
    reward: FloatArray = _library(acc).where(latency <= target, acc, 1.0 - latency / target)
    return reward


def excess(latency: FloatArray, target: float | FloatArray) -> FloatArray:
    """Excess of latencies ``(n,)`` over the target, relative to it: max(0, t/T - 1), ``(n,)``.

    The cost of a constrained problem (Altman, *Constrained Markov Decision Processes*, 1999): 0 for
    what is feasible, 0.5 for half as much again as is allowed.

    Args:
        latency: latencies ``(n,)``.
        target: one for all, or one each.
    """
    over: FloatArray = _library(latency).maximum(0.0, latency / target - 1.0)
    return over


def named_columns(formula: RewardFunction) -> dict[str, str]:
    """Columns that a formula of one's own asks for, by its arguments: ``{"params": "params"}``.

    Empty where its arguments are not all names of columns, or it has none: it then gets accuracies,
    latencies and target in this order.

    Args:
        formula: what is asked.
    """
    try:
        found = inspect.signature(formula).parameters.values()
    except (TypeError, ValueError):  # some built-in functions have none
        return {}
    asked = [
        each
        for each in found
        if each.kind is not each.VAR_KEYWORD
        and (each.default is each.empty or each.name in COLUMNS)
    ]
    if not asked or any(each.kind in (each.POSITIONAL_ONLY, each.VAR_POSITIONAL) for each in asked):
        return {}
    if any(each.name not in COLUMNS for each in asked):
        return {}
    return {each.name: COLUMNS[each.name] for each in asked}


def floor(
    formula: Callable[[FloatArray, FloatArray, IntArray], FloatArray],
    x: IntArray,
    latencies: Sequence[float],
) -> float:
    """A reward that no architecture is below: that of accuracy 0, at most 0.

    Args:
        formula: reward of accuracies, latencies and architectures.
        x: some architectures ``(n, slots)``.
        latencies: the extremes, empty without a device.
    """
    worst = 0.0
    for latency in latencies or (np.nan,):
        with np.errstate(all="ignore"):
            found = formula(np.zeros(len(x)), np.full(len(x), latency), x)
        found = found[np.isfinite(found)]
        worst = min(worst, float(found.min())) if len(found) else worst
    return worst


def check_formula(
    name: str, formula: RewardFunction, target: float, columns: Mapping[str, Any] | None = None
) -> None:
    """Try a formula of one's own on two made-up architectures.

    Args:
        name: of the formula, for the error.
        formula: what is tried.
        target: latency target, NaN without a device.
        columns: of a formula that asks for columns by name: sizes of the two, or the names of
            what is made up here.

    Raises:
        ValueError: where it does not give a number for each of them.
    """
    acc, latency = np.array([0.5, 0.9]), np.array([2.0, 8.0])
    told = "" if np.isfinite(target) else "; without a device latencies and target are NaN"
    timed = latency * (target / target)
    known: dict[str, Any] = {"val_acc": acc, "latency_ms": timed, "target": target}
    try:
        with np.errstate(all="ignore"):
            if columns:
                given = {k: known[v] if isinstance(v, str) else v for k, v in columns.items()}
                by_name: Callable[..., Any] = formula
                found = np.asarray(by_name(**given), dtype=np.float64)
            else:
                found = np.asarray(formula(acc, timed, target), dtype=np.float64)
    except Exception as error:
        raise ValueError(
            f"reward {name} failed with {type(error).__name__}: {error}. A formula takes "
            "arrays: accuracies (n,), latencies (n,) and a target, or columns by the names of its "
            f"arguments ({', '.join(COLUMNS)}), and gives rewards (n,); instead of "
            f"'a if latency < 4 else 0' write numpy.where(latency < 4, a, 0){told}"
        ) from error
    if found.shape not in ((2,), ()):
        raise ValueError(
            f"reward {name} must give one number an architecture, shape (2,) for two of them, got "
            f"shape {found.shape}{told}"
        )


def check_finite(
    x: IntArray, reward: FloatArray, val_acc: FloatArray, latency_ms: FloatArray
) -> None:
    """Refuse rewards that are no numbers or infinite.

    Args:
        x: the architectures ``(n, slots)``.
        reward: of each ``(n,)``.
        val_acc: what it was made of, ``(n,)``.
        latency_ms: and this, ``(n,)``.

    Raises:
        ValueError: names the first architecture, and what its reward was made of.
    """
    bad = ~np.isfinite(reward)
    if bad.any():
        first = int(np.argmax(bad))
        raise ValueError(
            f"the reward of architecture {x[first].tolist()} is {reward[first]}, with accuracy "
            f"{val_acc[first]:.4g} and latency {latency_ms[first]:.4g} ms: a formula must give a "
            "finite number for every architecture, a low one for what is not wanted"
        )


REWARDS: dict[str, Callable[..., FloatArray]] = {
    "accuracy": accuracy,
    "mnasnet": mnasnet,
    "mnasnet-hard": mnasnet_hard,
    "tunas": tunas,
    "linear": linear,
    "chebyshev": chebyshev,
    "constraint": constraint,
}


def load_reward(reward: str | RewardFunction) -> tuple[str, RewardFunction]:
    """Name and function of a formula; a function of one's own is taken as it is.

    Args:
        reward: a name, a name with parameters in brackets (``"tunas(beta=-0.1)"``), or a function
            of accuracies ``(n,)``, latencies ``(n,)`` and target.

    Raises:
        ValueError: for an unknown name or parameter, with the closest known one.
    """
    if callable(reward):
        return _name_of(reward), reward
    if reward in REWARDS:
        return reward, REWARDS[reward]
    if isinstance(reward, str) and (call := _CALL.fullmatch(reward)):
        return _with_parameters(call[1], call[2])
    raise ValueError(unknown_name("reward", reward, REWARDS))


def parameters(name: str) -> dict[str, float]:
    """Parameters of a named formula and their defaults."""
    found = inspect.signature(REWARDS[name]).parameters.values()
    return {each.name: each.default for each in found if each.kind is each.KEYWORD_ONLY}


def _library(values: Any) -> Any:
    """The array library of some values: numpy, or the one whose arrays say that they are its own.

    Compiled environments (:mod:`blox_env.jax`) work out rewards by the same formulas.
    """
    return values.__array_namespace__() if hasattr(values, "__array_namespace__") else np


def _with_parameters(name: str, text: str) -> tuple[str, RewardFunction]:
    if name not in REWARDS:
        raise ValueError(unknown_name("reward", name, REWARDS))
    known, given = parameters(name), {}
    for pair in filter(str.strip, text.split(",")):
        key, _, value = (part.strip() for part in pair.partition("="))
        if key not in known:
            expected = f"takes {', '.join(known)}" if known else "takes no parameter"
            raise ValueError(f"reward {name!r} {expected}, got {pair.strip()!r}")
        try:
            given[key] = float(value)
        except ValueError:
            given[key] = np.nan
        if not np.isfinite(given[key]):
            raise ValueError(f"{key} of reward {name!r} must be a number, got {value!r}")
    if not given:
        return name, REWARDS[name]
    chosen = _chosen(name, tuple(sorted(given.items())))
    return _name_of(chosen), chosen


@lru_cache(maxsize=64)  # equal names are one function: tables of rewards are kept by function
def _chosen(name: str, given: tuple[tuple[str, float], ...]) -> RewardFunction:
    return partial(REWARDS[name], **dict(given))


def _name_of(function: Callable[..., FloatArray]) -> str:
    """Name of a function in results: with its module, so that nobody's passes for one of these."""
    if isinstance(function, partial) and not function.args:
        ours = {formula: name for name, formula in REWARDS.items()}
        inner = ours[function.func] if function.func in ours else _name_of(function.func)
        pairs = sorted(function.keywords.items())
        return f"{inner}({', '.join(f'{key}={value!r}' for key, value in pairs)})"
    name = getattr(function, "__qualname__", type(function).__qualname__)
    return f"{getattr(function, '__module__', '?')}:{name}"
