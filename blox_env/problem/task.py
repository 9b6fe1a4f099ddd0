"""Task of a search: benchmark, device, reward, objectives. Nothing in it changes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from blox_env.benchmarks.base import Benchmark, load_benchmark
from blox_env.devices.base import Device, list_devices, load_device
from blox_env.ground import defaults, registry
from blox_env.ground.errors import check_positive_int, unknown_name
from blox_env.ground.typing import BoolArray, FloatArray, IntArray
from blox_env.problem.bounded import BoundedCandidates
from blox_env.problem.bounds import UnboundedError
from blox_env.problem.candidates import Candidates, common
from blox_env.problem.constraints import Constraints
from blox_env.problem.history import Trials
from blox_env.problem.objectives import Objectives
from blox_env.problem.reward import RewardFunction, check_formula, floor, load_reward, named_columns
from blox_env.spaces.base import LISTABLE, SearchSpace

_NOISE = ("mean", "sampled")


@dataclass(frozen=True, eq=False)
class Task:
    """A benchmark, a device and what is good about an architecture.

    Attributes:
        benchmark: where accuracies come from.
        device: where latencies come from, None for nowhere.
        reward_name: how results call the formula.
        formula: reward of accuracies, latencies and target.
        formula_is_named: whether it is one of the package's, which always gives the same.
        latency_target_ms: target of the formula, NaN without a device.
        objectives: what agents for several objectives search for.
        constraints: limits that an architecture has to keep to.
        noise: ``"mean"`` or ``"sampled"``.
        noise_seed: which training ``noise="sampled"`` draws.
        asked: benchmark and device as they were asked for, names or objects.
    """

    benchmark: Benchmark
    device: Device | None
    reward_name: str
    formula: RewardFunction
    formula_is_named: bool
    latency_target_ms: float
    objectives: Objectives
    constraints: Constraints
    noise: str
    noise_seed: int
    asked: tuple[str | Benchmark, str | Device | None]

    @classmethod
    def of(
        cls,
        benchmark: str | Benchmark,
        device: str | Device | None,
        reward: str | RewardFunction | None,
        *,
        latency_target_ms: float | None = None,
        noise: str = "mean",
        seed: int = 0,
        objectives: str | Sequence[str] = ("reward",),
        constraints: Mapping[str, float] | None = None,
    ) -> Task:
        """The task of these arguments; see :class:`~blox_env.problem.problem.Problem`.

        Args:
            benchmark: a name or an object.
            device: a name, an object, None for none, or ``"default"``: see :func:`device_of`.
            reward: a name, a function, or None for the default.
            latency_target_ms: the device's median if not given.
            noise: ``"mean"`` or ``"sampled"``.
            seed: of the noise.
            objectives: names.
            constraints: limits by name.

        Raises:
            ValueError: for unknown names, or a device for another space.
        """
        data = load_benchmark(benchmark)
        unsaid = device == defaults.DEFAULT
        if unsaid:
            device = device_of(data)
        board = None if device is None else load_device(device)
        if board is not None and board.space != data.space:
            raise ValueError(
                f"device {board.name!r} is for the space {board.space.name!r}, but "
                f"benchmark {data.name!r} for {data.space.name!r}{_fitting(data)}"
            )
        default = "accuracy" if board is None else "mnasnet"
        name, formula = load_reward(default if reward is None else reward)
        if board is None and isinstance(reward, str) and reward != "accuracy":
            told = f", and none of the package is for {data.space!r}" if unsaid else ""
            raise ValueError(f"reward {name!r} needs a device, got device=None{told}")
        target = _target(latency_target_ms, board)
        named = reward is None or isinstance(reward, str)
        if not named:
            check_formula(name, formula, target, _example(formula, data))
        if noise not in _NOISE:
            raise ValueError(unknown_name("noise", noise, _NOISE))
        return cls(
            benchmark=data,
            device=board,
            reward_name=name,
            formula=formula,
            formula_is_named=named,
            latency_target_ms=target,
            objectives=Objectives(objectives, data, board),
            constraints=Constraints(constraints, data, board),
            noise=noise,
            noise_seed=check_positive_int("seed", seed, 0),
            asked=(benchmark, device),
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> Task:
        """The task itself: nothing in it changes, and its tables are large."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Other processes load benchmark and device again where they were asked for by name."""
        benchmark, device = self.asked
        names = registry.registrations()
        if isinstance(benchmark, str):
            benchmark = names["benchmark"].get(benchmark, benchmark)
        if isinstance(device, str):
            device = names["device"].get(device, device)
        reward = self.reward_name if self.formula_is_named else self.formula
        target = None if np.isnan(self.latency_target_ms) else self.latency_target_ms
        rest = (
            target, self.noise, self.noise_seed, self.objectives.names, self.constraints.limits
        )  # fmt: skip
        return _again, (benchmark, device, reward, *rest)

    @property
    def space(self) -> SearchSpace:
        """The space that is searched."""
        return self.benchmark.space

    @cached_property
    def known(self) -> Candidates:
        """The architectures that benchmark and device know: only these can be evaluated."""
        board = None if self.device is None else self.device.known_rows()
        data = self.benchmark.known_rows(seed=self.draw)
        return Candidates(self.space, common(self.space, data, board))

    @cached_property
    def candidates(self) -> Candidates:
        """The architectures that a search proposes: known, and within the constraints.

        In spaces too large to list they follow from bounds; where those are lacking, constraints
        leave all of them in, and count as penalties.
        """
        if not self.constraints:
            return self.known
        if not self.known.listable:
            with contextlib.suppress(UnboundedError):
                return BoundedCandidates(self.space, self.constraints)
            return self.known
        what = f"within {self.constraints}"
        limit = LISTABLE if self.known.complete else self.known.count
        return self.known.restricted(self.constraints.within, what, limit=limit)

    @cached_property
    def floor(self) -> float:
        """A reward that no feasible architecture is below: from there excesses are subtracted."""
        extremes = [] if self.device is None else self.device.quantiles_ms((0.0, 1.0)).tolist()
        rows = self.known.sample(np.random.default_rng(0), 1000)
        return floor(lambda acc, latency, x: self._formula(acc, latency, x), rows, extremes)

    @property
    def provides(self) -> frozenset[str]:
        """Requirements of agents that are met: what the benchmark provides, and ``"latency"``."""
        extra = {"latency"} if self.device is not None else set()
        return self.benchmark.provides | extra

    @property
    def draw(self) -> int | None:
        """Number of the single training that searches see, None for the mean."""
        return self.noise_seed if self.noise == "sampled" else None

    def rewards(
        self,
        val_acc: FloatArray,
        latency_ms: FloatArray,
        target_ms: float | FloatArray | None = None,
        *,
        x: IntArray | None = None,
    ) -> FloatArray:
        """The reward of given accuracies and latencies, ``(n,)``.

        What breaks a constraint is worth less than whatever keeps to all of them, and less the
        further it is from doing so (Deb, 2000).

        Args:
            val_acc: fractions ``(n,)``.
            latency_ms: milliseconds ``(n,)``.
            target_ms: instead of ``latency_target_ms``, for all or one each ``(n,)``.
            x: the architectures ``(n, slots)``; constraints, and formulas of sizes, need them.

        Raises:
            ValueError: where the architectures are needed and not given.
        """
        reward = self._formula(val_acc, latency_ms, x, target_ms)
        if not self.constraints:
            return reward
        excess = self.constraints.excess(_given(x), latency_ms)
        return np.where(excess > 0, self.floor - excess, reward)

    def _formula(
        self,
        val_acc: FloatArray,
        latency_ms: FloatArray,
        x: IntArray | None,
        target_ms: float | FloatArray | None = None,
    ) -> FloatArray:
        """Rewards of the formula, called by position or by the names of its arguments."""
        target: Any = self.latency_target_ms if target_ms is None else target_ms
        if not self._columns:
            return np.asarray(self.formula(val_acc, latency_ms, target), dtype=float)
        known: dict[str, Any] = {"val_acc": val_acc, "latency_ms": latency_ms, "target": target}
        given = {
            argument: known[name] if name in known else self.objectives.size_of(name, _given(x))
            for argument, name in self._columns.items()
        }
        by_name: Callable[..., Any] = self.formula
        return np.array(by_name(**given), dtype=np.float64)

    @cached_property
    def _columns(self) -> dict[str, str]:
        """Columns that a formula of one's own asks for by name; empty for one of three arrays."""
        return {} if self.formula_is_named else named_columns(self.formula)

    def values(self, trials: Trials) -> FloatArray:
        """Objectives of trials, ``(n, objectives)``; higher is better, costs have a minus.

        What breaks a constraint has no accuracy to show for it, and costs more by its excess.
        """
        values = self.objectives.of(trials)
        if not self.constraints or self.objectives.names == ("reward",):
            return values
        excess = self.constraints.excess(trials.x, trials.latency_ms)
        for column, name in enumerate(self.objectives.names):
            if name != "reward":
                worse = -excess if name == "val_acc" else values[:, column] * (1 + excess)
                values[:, column] = np.where(excess > 0, worse, values[:, column])
        return values

    def means(self, x: ArrayLike) -> Trials:
        """Mean values of full trainings of architectures ``(n, slots)``."""
        rows = self.space.check(x)
        nothing = np.zeros(len(rows), dtype=np.int64)
        return self.trials(rows, self.benchmark.epochs, np.ones(len(rows)), nothing, None, None)

    def trials(
        self,
        x: IntArray,
        length: int,
        cost: FloatArray,
        before: IntArray,
        evaluated: BoolArray | None,
        seed: int | None,
    ) -> Trials:
        """Trials of checked architectures ``(n, slots)``.

        Args:
            x: the architectures.
            length: epochs of the trainings.
            cost: of each in full trainings ``(n,)``; 0 for what is known.
            before: epochs that each was trained for before ``(n,)``.
            evaluated: which are evaluated ``(n,)``, None for all.
            seed: which single training is asked for, None for the mean.

        Raises:
            ValueError: where the benchmark has no accuracy of an architecture; names it.
        """
        every = evaluated is None or bool(evaluated.all())
        mask = np.ones(len(x), bool) if evaluated is None else evaluated
        rows = x if every else x[mask]
        value = self.benchmark.evaluate(rows, epochs=length, seed=seed)
        if (unknown := np.isnan(value.val_acc)).any():
            raise ValueError(
                f"benchmark {self.benchmark.name!r} has no accuracy of architecture "
                f"{rows[int(np.argmax(unknown))].tolist()}: "
                + (
                    "one that does not know its whole space has to say so by known_rows()"
                    if self.known.complete
                    else f"{self.known}, and problem.candidates says which"
                )
            )
        latency = (
            np.full(len(rows), np.nan) if self.device is None else self.device.latency_ms(rows)
        )
        reward = self.rewards(value.val_acc, latency, x=rows)
        time, source = value.train_time_s, value.source
        if not every:
            latency, reward, time = (_spread(v, mask) for v in (latency, reward, time))
            source = np.full(len(x), "", dtype=value.source.dtype)
            source[mask] = value.source
        time = time * (1 - np.minimum(1.0, before / length))
        return Trials(
            x=np.asarray(x),
            val_acc=value.val_acc if every else _spread(value.val_acc, mask),
            latency_ms=latency,
            reward=reward,
            train_time_s=np.where(mask & (cost <= 0), 0.0, time),
            source=source,
            evaluated=mask,
            new=cost > 0,
            cost=cost,
        )


def device_of(benchmark: Benchmark) -> str | None:
    """Name of the device that a benchmark gets where none is asked for.

    The default device for the benchmark's space; None, no latency, where there is none.
    """
    name = defaults.DEVICES.get(benchmark.space.name)
    return name if name and load_device(name).space == benchmark.space else None


def _again(
    benchmark: str | Benchmark,
    device: str | Device | None,
    reward: str | RewardFunction,
    target: float | None,
    noise: str,
    seed: int,
    objectives: tuple[str, ...],
    constraints: Mapping[str, float] | None = None,
) -> Task:
    """A task in another process."""
    rest: dict[str, Any] = {"noise": noise, "seed": seed, "objectives": objectives}
    rest["constraints"] = constraints
    return Task.of(benchmark, device, reward, latency_target_ms=target, **rest)


def _fitting(data: Benchmark) -> str:
    """The devices that go with a benchmark, as the end of a message."""
    place = getattr(data, "folder", "")
    own = [f"{place}/devices/{name}" for name in getattr(data, "device_names", ())]
    names = [*list_devices(data.space.name), *own]
    return f": expected no device ('none'){' or one of ' if names else ''}{', '.join(names)}"


def _given(x: IntArray | None) -> IntArray:
    """The architectures, where they are needed."""
    if x is None:
        raise ValueError("these rewards need the architectures: pass x=")
    return x


def _example(formula: RewardFunction, data: Benchmark) -> dict[str, Any]:
    """Sizes of two architectures by argument, for a formula that asks for columns by name."""
    rows = data.space.sample(np.random.default_rng(0), 2)
    known = data.known_rows()
    if known is not None and len(known):
        rows = np.resize(known, (2, data.space.slots))
    sizes = Objectives(("val_acc",), data, None)
    return {
        argument: name if name in ("val_acc", "latency_ms", "target") else sizes.size_of(name, rows)
        for argument, name in named_columns(formula).items()
    }


def _target(latency_target_ms: float | None, device: Device | None) -> float:
    if latency_target_ms is not None:
        target = float(latency_target_ms)
        if not (np.isfinite(target) and target > 0):
            raise ValueError(f"latency_target_ms must be above 0, got {latency_target_ms!r}")
        return target
    return np.nan if device is None else device.median_ms()


def _spread(values: FloatArray, mask: BoolArray) -> FloatArray:
    """``values`` at the rows of ``mask``, NaN elsewhere."""
    full = np.full(len(mask), np.nan)
    full[mask] = values
    return full
