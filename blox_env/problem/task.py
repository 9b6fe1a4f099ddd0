"""Task of a search: benchmark, device, reward, objectives. Nothing in it changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from blox_env.benchmarks.base import Benchmark, load_benchmark
from blox_env.devices.base import Device, list_devices, load_device
from blox_env.ground import registry
from blox_env.ground.errors import check_positive_int, unknown_name
from blox_env.ground.typing import BoolArray, FloatArray, IntArray
from blox_env.problem.history import Trials
from blox_env.problem.objectives import Objectives
from blox_env.problem.reward import RewardFunction, check_formula, load_reward
from blox_env.spaces.base import SearchSpace

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
    ) -> Task:
        """The task of these arguments; see :class:`~blox_env.problem.problem.Problem`.

        Args:
            benchmark: a name or an object.
            device: a name, an object or None.
            reward: a name, a function, or None for the default.
            latency_target_ms: the device's median if not given.
            noise: ``"mean"`` or ``"sampled"``.
            seed: of the noise.
            objectives: names.

        Raises:
            ValueError: for unknown names, or a device for another space.
        """
        data = load_benchmark(benchmark)
        board = None if device is None else load_device(device)
        if board is not None and board.space != data.space:
            raise ValueError(
                f"device {board.name!r} is for the space {board.space.name!r}, but "
                f"benchmark {data.name!r} for {data.space.name!r}{_fitting(data)}"
            )
        default = "accuracy" if board is None else "mnasnet"
        name, formula = load_reward(default if reward is None else reward)
        if board is None and isinstance(reward, str) and reward != "accuracy":
            raise ValueError(f"reward {name!r} needs a device, got device=None")
        target = _target(latency_target_ms, board)
        named = reward is None or isinstance(reward, str)
        if not named:
            check_formula(name, formula, target)
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
        rest = (target, self.noise, self.noise_seed, self.objectives.names)
        return _again, (benchmark, device, reward, *rest)

    @property
    def space(self) -> SearchSpace:
        """The space that is searched."""
        return self.benchmark.space

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
    ) -> FloatArray:
        """The reward of given accuracies and latencies, ``(n,)``.

        Args:
            val_acc: fractions ``(n,)``.
            latency_ms: milliseconds ``(n,)``.
            target_ms: instead of ``latency_target_ms``, for all or one each ``(n,)``.
        """
        target: Any = self.latency_target_ms if target_ms is None else target_ms
        return np.asarray(self.formula(val_acc, latency_ms, target), dtype=float)

    def values(self, trials: Trials) -> FloatArray:
        """Objectives of trials, ``(n, objectives)``; higher is better, costs have a minus."""
        return self.objectives.of(trials)

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
                f"{rows[int(np.argmax(unknown))].tolist()}: a search needs one that has all"
            )
        latency = (
            np.full(len(rows), np.nan) if self.device is None else self.device.latency_ms(rows)
        )
        reward = self.rewards(value.val_acc, latency)
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


def _again(
    benchmark: str | Benchmark,
    device: str | Device | None,
    reward: str | RewardFunction,
    target: float | None,
    noise: str,
    seed: int,
    objectives: tuple[str, ...],
) -> Task:
    """A task in another process."""
    rest: dict[str, Any] = {"noise": noise, "seed": seed, "objectives": objectives}
    return Task.of(benchmark, device, reward, latency_target_ms=target, **rest)


def _fitting(data: Benchmark) -> str:
    """The devices that go with a benchmark, as the end of a message."""
    place = getattr(data, "folder", "")
    own = [f"{place}/devices/{name}" for name in getattr(data, "device_names", ())]
    names = [*list_devices(data.space.name), *own]
    return f": expected no device ('none'){' or one of ' if names else ''}{', '.join(names)}"


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
