"""The problem of a search: space, benchmark, device, objective, budget; and what was evaluated."""

from __future__ import annotations

from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from blox_env.benchmarks.base import Benchmark, load_benchmark
from blox_env.devices.base import Device, load_device
from blox_env.errors import check_positive_int, unknown_name
from blox_env.history import History, Trials
from blox_env.reward import RewardFunction, load_reward
from blox_env.spaces.base import FloatArray, IntArray, SearchSpace

QUERIES_PER_BUDGET = 20
_NOISE = ("mean", "sampled")


class Problem:
    """A benchmark, a device and an objective, with one accounting for all kinds of search.

    A budget counts full trainings of distinct architectures: ``e`` of ``E`` epochs cost ``e/E``,
    going on with one costs the difference, and asking again is free. ``max_queries`` ends a search
    that asks for nothing new any more, or for what it cannot pay.

    Args:
        benchmark: a name, or a :class:`~blox_env.benchmarks.base.Benchmark`.
        device: a name, a :class:`~blox_env.devices.base.Device`, or None for no latency.
        reward: a name of :mod:`blox_env.reward` or a function of accuracies, latencies and target;
            ``mnasnet`` with a device and ``accuracy`` without one if not given.
        latency_target_ms: target of the reward; the device's median if not given.
        budget: number of full trainings, None for no limit.
        max_queries: number of architectures asked for, 20 times the budget if not given.
        noise: ``"mean"`` evaluates to the mean over trainings, ``"sampled"`` to one repeatable
            training of every architecture.
        seed: which training ``noise="sampled"`` draws.
        keep: whether to keep a history; without one repeats are not recognised.

    Raises:
        ValueError: for unknown names, a budget below one, a device for another space.
    """

    def __init__(
        self,
        benchmark: str | Benchmark = "digits",
        device: str | Device | None = None,
        reward: str | RewardFunction | None = None,
        *,
        latency_target_ms: float | None = None,
        budget: int | None = None,
        max_queries: int | None = None,
        noise: str = "mean",
        seed: int = 0,
        keep: bool = True,
    ) -> None:
        self.benchmark = load_benchmark(benchmark)
        self.device = None if device is None else load_device(device)
        if self.device is not None and self.device.space != self.benchmark.space:
            raise ValueError(
                f"device {self.device.name!r} is for the space {self.device.space.name!r}, but "
                f"benchmark {self.benchmark.name!r} for {self.benchmark.space.name!r}"
            )
        default = "accuracy" if self.device is None else "mnasnet"
        self.reward_name, self._formula = load_reward(default if reward is None else reward)
        if self.device is None and isinstance(reward, str) and reward != "accuracy":
            raise ValueError(f"reward {self.reward_name!r} needs a device, got device=None")
        self.latency_target_ms = _target(latency_target_ms, self.device)
        if noise not in _NOISE:
            raise ValueError(unknown_name("noise", noise, _NOISE))
        self.noise, self.seed = noise, check_positive_int("seed", seed, 0)
        self.budget = None if budget is None else check_positive_int("budget", budget)
        if self.budget is not None and not keep:
            raise ValueError("a problem with a budget keeps a history: keep must be True")
        if max_queries is not None and not keep:
            raise ValueError("max_queries needs a history: keep must be True")
        if max_queries is not None:
            self.max_queries: int | None = check_positive_int("max_queries", max_queries)
        else:
            self.max_queries = None if self.budget is None else QUERIES_PER_BUDGET * self.budget
        self.history = History(self.space.slots, self.benchmark.epochs) if keep else None
        self.spent = 0.0
        self.queries = 0
        self._trained: dict[Any, int] = {}  # architecture -> epochs paid for
        self._full = 0  # architectures trained in full

    @property
    def space(self) -> SearchSpace:
        """What can be asked for."""
        return self.benchmark.space

    @property
    def provides(self) -> frozenset[str]:
        """What agents may require: what the benchmark provides, and ``"latency"``."""
        extra = {"latency"} if self.device is not None else set()
        return self.benchmark.provides | extra

    @property
    def remaining(self) -> float:
        """What is left of the budget, in full trainings; infinite without a budget."""
        return np.inf if self.budget is None else max(0.0, self.budget - self.spent)

    @property
    def done(self) -> bool:
        """Whether nothing new can be evaluated: budget or queries spent, or space exhausted."""
        if self.remaining < 1 / self.benchmark.epochs - 1e-9:  # not even one epoch
            return True
        if self.max_queries is not None and self.queries >= self.max_queries:
            return True
        return self._full >= self.space.size

    # -- evaluating ------------------------------------------------------------------------

    def evaluate(self, x: ArrayLike, *, epochs: int | None = None) -> Trials:
        """Evaluate architectures ``(n, slots)`` in order, as far as budget and queries go.

        Args:
            x: the architectures; repeats are answered from the history and cost nothing.
            epochs: length of the trainings, None for full ones.
        """
        rows = self.space.check(x)
        length = self.benchmark.check_epochs(epochs)
        if self.history is None:
            return self._trials(rows, length, *_whole(len(rows)), self._draw)
        keys = self._keys(rows)
        asked = rows if self.max_queries is None else rows[: self.max_queries - self.queries]
        n = len(asked)
        before = np.fromiter(map(self._trained.get, keys[:n], repeat(0)), np.int64, n)
        first = np.zeros(n, bool)
        first[np.unique(np.array(keys[:n]), return_index=True)[1]] = True
        cost = np.where(first, np.maximum(0, length - before), 0) / self.benchmark.epochs
        affordable = np.cumsum(cost) <= self.remaining + 1e-9
        n = n if affordable.all() else int(np.argmin(affordable))
        trials = self._trials(rows, length, cost[:n], before[:n], self._draw)
        paid = np.flatnonzero(trials.new)
        self._trained.update(zip(map(keys.__getitem__, paid.tolist()), repeat(length)))
        self.history.record(trials, keys[:n], first[:n], length, self.queries)
        if length == self.benchmark.epochs:
            self._full += len(paid)
        self.spent += float(cost[:n].sum())
        self.queries += len(asked)
        return trials

    def peek(self, x: ArrayLike) -> Trials:
        """Means of full trainings without charge or record: ground truth, not for searches."""
        rows = self.space.check(x)
        return self._trials(rows, self.benchmark.epochs, *_whole(len(rows)), None)

    def test_acc(self, x: ArrayLike) -> FloatArray:
        """Test accuracy after full training, ``(n,)``: to be asked for once, at the end."""
        return self.benchmark.evaluate(self.space.check(x)).test_acc

    def rewards(self, val_acc: FloatArray, latency_ms: FloatArray) -> FloatArray:
        """The reward of given accuracies and latencies, ``(n,)``."""
        return np.asarray(self._formula(val_acc, latency_ms, self.latency_target_ms), dtype=float)

    def optimum(self) -> tuple[IntArray, float]:
        """The architecture ``(slots,)`` with the best mean reward, found by listing the space.

        Raises:
            ValueError: where the space is too large to list (over 10^7).
        """
        if self.space.size > 10**7:
            raise ValueError(f"{self.space!r} is too large to find its optimum by listing")
        every = self.space.all()
        reward = self.peek(every).reward
        best = int(np.argmax(reward))
        return every[best], float(reward[best])

    @property
    def _draw(self) -> int | None:
        """Which single training searches see, None for the mean."""
        return self.seed if self.noise == "sampled" else None

    def _trials(
        self, x: IntArray, length: int, cost: FloatArray, before: IntArray, seed: int | None
    ) -> Trials:
        """Trials of ``x`` of which the first ``len(cost)`` are evaluated."""
        n, asked = len(x), len(cost)
        rows = x[:asked]
        value = self.benchmark.evaluate(rows, epochs=length, seed=seed)
        latency = np.full(asked, np.nan) if self.device is None else self.device.latency_ms(rows)
        time = value.train_time_s * (1 - np.minimum(1.0, before / length))
        return Trials(
            x=x,
            val_acc=_pad(value.val_acc, n),
            latency_ms=_pad(latency, n),
            reward=_pad(self.rewards(value.val_acc, latency), n),
            train_time_s=_pad(np.where(cost > 0, time, 0.0), n),
            source=value.source if asked == n else np.append(value.source, [""] * (n - asked)),
            evaluated=np.arange(n) < asked,
            new=_pad(cost, n, 0.0) > 0,
            cost=_pad(cost, n, 0.0),
        )

    def _keys(self, rows: IntArray) -> list[Any]:
        if self.space.enumerable:
            return list(self.space.index(rows).tolist())
        packed = np.ascontiguousarray(rows, dtype=np.int32)
        return list(packed.view(f"S{packed.shape[1] * 4}").ravel().tolist())


def _whole(n: int) -> tuple[FloatArray, IntArray]:
    """Cost and epochs before of ``n`` trainings from scratch."""
    return np.ones(n), np.zeros(n, dtype=np.int64)


def _target(latency_target_ms: float | None, device: Device | None) -> float:
    if latency_target_ms is not None:
        target = float(latency_target_ms)
        if not (np.isfinite(target) and target > 0):
            raise ValueError(f"latency_target_ms must be above 0, got {latency_target_ms!r}")
        return target
    return np.nan if device is None else device.median_ms()


def _pad(values: FloatArray, n: int, fill: float = np.nan) -> FloatArray:
    """``values`` lengthened to ``n`` rows; the same array where it is that long."""
    if len(values) == n:
        return values
    return np.concatenate([values, np.full(n - len(values), fill)])
