"""A sweep over reward formulas and targets: the best architecture of each, beside the front.

For every formula and target there is one architecture with the largest reward. Where the space can
be listed it is looked up; elsewhere, and on request beside it, agents search for it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

from blox_env.agent import search
from blox_env.devices.base import Device
from blox_env.ground.typing import FloatArray
from blox_env.problem import Problem
from blox_env.problem.history import Trials
from blox_env.problem.pareto import front
from blox_env.problem.reward import REWARDS, RewardFunction, load_reward
from blox_env.problem.truth import LISTABLE

LISTING = "listing"

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Target:
    """A latency target.

    Attributes:
        ms: in milliseconds.
        label: how it was asked for.
    """

    ms: float
    label: str


@dataclass(frozen=True)
class Optimum:
    """The architecture that maximises one formula with one target.

    Attributes:
        reward: name of the formula.
        target_ms: latency target.
        target: as it was asked for.
        found_by: ``"listing"``, or the agent.
        seed: of the search, None for listing.
        arch: the architecture, its options joined by ``-``.
        val_acc: validation accuracy, a fraction.
        source: where the accuracy is from, as the benchmark says.
        latency_ms: on the device.
        measured: whether the latency was measured, else it is predicted.
        value: its reward.
        meets_target: whether its latency is at most the target.
        on_front: whether nothing of the reference is as fast and more accurate, or faster and as
            accurate.
        place: its place among the front's points, 1 for the fastest; None where it is not on it.
        points: number of the front's points.
        regret: what its reward is below the best of the space; None where the space is not listed.
    """

    reward: str
    target_ms: float
    target: str
    found_by: str
    seed: int | None
    arch: str
    val_acc: float
    source: str
    latency_ms: float
    measured: bool
    value: float
    meets_target: bool
    on_front: bool
    place: int | None
    points: int
    regret: float | None


@dataclass(frozen=True)
class Sweep:
    """All of them, and what they lie in.

    Attributes:
        optima: one for each formula, target and way to find it.
        rewards: names of the formulas, in the order asked for.
        targets: the latency targets.
        latency_ms: of the space, or of what was evaluated where it cannot be listed, ``(n,)``.
        val_acc: of the same, ``(n,)``.
        front: latency and accuracy of the front's distinct points ``(k, 2)``, fastest first.
        exact: whether that is the whole space.
        benchmark: its name.
        device: its name.
        agent: what searched, None for nobody.
        budget: evaluations of each search.
    """

    optima: list[Optimum]
    rewards: list[str]
    targets: list[Target]
    latency_ms: FloatArray
    val_acc: FloatArray
    front: FloatArray
    exact: bool
    benchmark: str
    device: str
    agent: str | None
    budget: int

    def to_csv(self) -> str:
        """A table with one line an optimum."""
        text = io.StringIO()
        names = [field.name for field in fields(Optimum)]
        writer = csv.DictWriter(text, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: getattr(each, name) for name in names} for each in self.optima)
        return text.getvalue()


def read_targets(words: Sequence[str], device: Device) -> list[Target]:
    """Latency targets from text: ``"0.25"`` is that quantile of the device, ``"3ms"`` is 3 ms.

    Args:
        words: targets as they were written.
        device: has the quantiles.

    Raises:
        ValueError: for anything else.
    """
    targets = []
    for word in words:
        number, unit = (word[:-2], "ms") if word.endswith("ms") else (word, "")
        try:
            value = float(number)
        except ValueError:
            value = np.nan
        if unit and 0 < value < np.inf:
            targets.append(Target(value, f"{value:g} ms"))
        elif not unit and 0 <= value <= 1:
            targets.append(Target(float(device.quantiles_ms((value,))[0]), f"quantile {value:g}"))
        else:
            raise ValueError(
                "targets must be quantiles of the device's latency in 0 … 1, or milliseconds with "
                f"their unit such as 3.5ms, got {word!r}"
            )
    return targets


def sweep(
    benchmark: str,
    device: str,
    targets: Sequence[str],
    rewards: Sequence[str | RewardFunction] = tuple(REWARDS),
    *,
    agent: str | None = None,
    budget: int = 500,
    seeds: int = 5,
    progress: Progress = lambda _: None,
) -> Sweep:
    """The best architecture of every formula and target.

    Args:
        benchmark: a name.
        device: a name.
        targets: as :func:`read_targets` takes them.
        rewards: names of formulas, with parameters where wanted, or functions.
        agent: what searches beside the listing; where the space cannot be listed and none is given,
            ``regularized-evolution``.
        budget: evaluations of each search.
        seeds: searches for each formula and target, with seeds 0, 1, …
        progress: is told what is done next.

    Raises:
        ValueError: for unknown names, or targets that are none.
    """
    plain = Problem(benchmark, device, keep=False)
    assert plain.device is not None
    asked = read_targets(targets, plain.device)
    formulas = [load_reward(reward) for reward in rewards]
    exact = plain.space.size <= LISTABLE
    if agent is None and not exact:
        agent = "regularized-evolution"
    found: list[tuple[str, Target, str, int | None, Trials, int]] = []
    whole = plain.peek(plain.space.all()) if exact else None
    for (name, formula), target in _pairs(formulas, asked):
        if whole is not None:
            best = _best(formula(whole.val_acc, whole.latency_ms, target.ms), whole)
            found.append((name, target, LISTING, None, whole, best))
        for seed in range(seeds if agent is not None else 0):
            progress(f"{name}, {target.label}, seed {seed}")
            problem = Problem(
                plain.benchmark, plain.device, formula, latency_target_ms=target.ms, budget=budget
            )
            trials = plain.peek(search(problem, agent or "", seed=seed).x)
            best = _best(formula(trials.val_acc, trials.latency_ms, target.ms), trials)
            found.append((name, target, agent or "", seed, trials, best))
    parts = [whole] if whole is not None else [trials for *_, trials, _ in found]
    latency = np.concatenate([part.latency_ms for part in parts])
    val_acc = np.concatenate([part.val_acc for part in parts])
    both = np.column_stack([latency, val_acc])
    line = np.unique(both[front(both, maximise=(False, True))], axis=0)
    best_of = {}
    if whole is not None:
        for (name, formula), target in _pairs(formulas, asked):
            best_of[name, target] = float(
                np.max(formula(whole.val_acc, whole.latency_ms, target.ms))
            )
    by_name = dict(formulas)
    optima = []
    for name, target, how, which, trials, row in found:
        point = np.array([trials.latency_ms[row], trials.val_acc[row]])
        value = by_name[name](point[1:], point[:1], target.ms)[0]
        at = np.flatnonzero((line == point).all(axis=1))
        optima.append(
            Optimum(
                reward=name,
                target_ms=target.ms,
                target=target.label,
                found_by=how,
                seed=which,
                arch="-".join(map(str, trials.x[row])),
                val_acc=float(point[1]),
                source=str(trials.source[row]),
                latency_ms=float(point[0]),
                measured=bool(plain.device.measured(trials.x[row])[0]),
                value=float(value),
                meets_target=bool(point[0] <= target.ms),
                on_front=len(at) > 0,
                place=int(at[0]) + 1 if len(at) else None,
                points=len(line),
                regret=best_of[name, target] - float(value) if best_of else None,
            )
        )
    return Sweep(
        optima=optima,
        rewards=[name for name, _ in formulas],
        targets=asked,
        latency_ms=latency,
        val_acc=val_acc,
        front=line,
        exact=exact,
        benchmark=plain.benchmark.name,
        device=plain.device.name,
        agent=agent,
        budget=budget,
    )


def _pairs(
    formulas: Sequence[tuple[str, RewardFunction]], targets: Sequence[Target]
) -> Iterator[tuple[tuple[str, RewardFunction], Target]]:
    return ((formula, target) for formula in formulas for target in targets)


def _best(value: FloatArray, trials: Trials) -> int:
    """The row of the largest value; of equal ones the most accurate, then the fastest."""
    return int(np.lexsort((trials.latency_ms, -trials.val_acc, -np.asarray(value)))[0])
