"""The problem of a search: space, benchmark, device, objective, budget; and what was evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blox_env.benchmarks.base import Benchmark, load_benchmark
from blox_env.devices.base import Device, load_device
from blox_env.ground.errors import check_positive_int, unknown_name
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem.clock import Clock
from blox_env.problem.history import History, Trials
from blox_env.problem.objectives import Objectives
from blox_env.problem.reward import RewardFunction, load_reward
from blox_env.problem.truth import GroundTruth
from blox_env.spaces.base import SearchSpace

QUERIES_PER_BUDGET = 20
_NOISE = ("mean", "sampled")


class Problem(GroundTruth):
    """A benchmark, a device and an objective, with one accounting for all kinds of search.

    A budget counts full trainings of distinct architectures: ``e`` of ``E`` epochs cost ``e/E``,
    going on with one costs the difference, and asking again is free. ``max_queries`` ends a search
    that asks for nothing new any more, or for what it cannot pay. The exact answers are those of
    :class:`~blox_env.problem.truth.GroundTruth`: optimum, front, hypervolume, regret.

    Args:
        benchmark: a name, or a :class:`~blox_env.benchmarks.base.Benchmark`.
        device: a name, a :class:`~blox_env.devices.base.Device`, or None for no latency.
        reward: a name of :mod:`blox_env.problem.reward` or a function of accuracies, latencies and
            target; ``mnasnet`` with a device and ``accuracy`` without one if not given.
        latency_target_ms: target of the reward; the device's median if not given.
        budget: number of full trainings, None for no limit.
        max_queries: number of architectures asked for, 20 times the budget if not given.
        noise: ``"mean"`` evaluates to the mean over trainings, ``"sampled"`` to one repeatable
            training of every architecture.
        seed: which training ``noise="sampled"`` draws.
        keep: whether to keep a history; without one repeats are not recognised.
        objectives: what agents for several objectives search for: different ones of ``reward,
            val_acc, latency_ms, params, macs, peak_activation_bytes, flops``.
        clock: simulated workers and a limit of their time, for one search; see
            :mod:`blox_env.problem.clock`.

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
        objectives: str | Sequence[str] = ("reward",),
        clock: Clock | None = None,
    ) -> None:
        self.benchmark = load_benchmark(benchmark)
        self.device = None if device is None else load_device(device)
        if self.device is not None and self.device.space != self.benchmark.space:
            raise ValueError(
                f"device {self.device.name!r} is for the space {self.device.space.name!r}, but "
                f"benchmark {self.benchmark.name!r} for {self.benchmark.space.name!r}"
            )
        default = "accuracy" if self.device is None else "mnasnet"
        self.reward_name, self.formula = load_reward(default if reward is None else reward)
        self.formula_is_named = reward is None or isinstance(reward, str)
        if self.device is None and isinstance(reward, str) and reward != "accuracy":
            raise ValueError(f"reward {self.reward_name!r} needs a device, got device=None")
        self.latency_target_ms = _target(latency_target_ms, self.device)
        self.objectives = Objectives(objectives, self.benchmark, self.device)
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
        if clock is not None and not keep:
            raise ValueError("a clock needs a history: keep must be True")
        self.clock = clock
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
        """Whether nothing new can be evaluated: budget, queries or time spent, space exhausted."""
        if self.clock is not None and self.clock.over:
            return True
        if self.remaining < 1 / self.benchmark.epochs - 1e-9:  # not even one epoch
            return True
        if self.max_queries is not None and self.queries >= self.max_queries:
            return True
        return self._full >= self.space.size

    # -- evaluating ------------------------------------------------------------------------

    def evaluate(self, x: ArrayLike, *, epochs: int | None = None) -> Trials:
        """Evaluate architectures ``(n, slots)`` in order, as far as budget and queries go.

        A batch gives and costs what its rows would one after the other: a row that the budget no
        longer pays is left out (``evaluated`` is False), a later one that is free is not.

        Args:
            x: the architectures; repeats are answered from the history and cost nothing.
            epochs: length of the trainings, None for full ones.
        """
        rows = self.space.check(x)
        length = self.benchmark.check_epochs(epochs)
        if self.history is None:
            return self._trials(rows, length, *_whole(len(rows)), None, self._draw)
        keys = self._keys(rows)
        within = np.ones(len(rows), bool)
        if self.max_queries is not None:
            within[max(0, self.max_queries - self.queries) :] = False
        before = np.fromiter(map(self._trained.get, keys, repeat(0)), np.int64, len(rows))
        _, where, group = np.unique(np.array(keys), return_index=True, return_inverse=True)
        first = np.zeros(len(rows), bool)
        first[where] = True
        cost = np.where(first, np.maximum(0, length - before), 0) / self.benchmark.epochs
        evaluated = _affordable(cost, within, self.remaining)
        evaluated &= evaluated[where][group]  # a repeat of what could not be paid
        cost[~evaluated] = 0.0
        trials = self._trials(rows, length, cost, before, evaluated, self._draw)
        if self.clock is not None:
            in_time = self.clock.run(trials.train_time_s[trials.new])
            if not in_time.all():  # as if the budget did not pay for the others
                evaluated[np.flatnonzero(trials.new)[~in_time]] = False
                evaluated &= evaluated[where][group]
                cost[~evaluated] = 0.0
                trials = self._trials(rows, length, cost, before, evaluated, self._draw)
        paid, recorded = np.flatnonzero(trials.new), len(self.history)
        self._trained.update(zip(map(keys.__getitem__, paid.tolist()), repeat(length)))
        self.history.record(trials, keys, first, length, self.queries)
        if self.clock is not None:
            self.clock.record(self.history.column("cost")[recorded:] > 0)
        if length == self.benchmark.epochs:
            self._full += len(paid)
        self.spent += float(cost.sum())
        self.queries += int(within.sum())
        return trials

    def peek(self, x: ArrayLike) -> Trials:
        """Means of full trainings without charge or record: ground truth, not for searches."""
        rows = self.space.check(x)
        return self._trials(rows, self.benchmark.epochs, *_whole(len(rows)), None, None)

    def test_acc(self, x: ArrayLike) -> FloatArray:
        """Test accuracy after full training, ``(n,)``: to be asked for once, at the end."""
        return self.benchmark.evaluate(self.space.check(x)).test_acc

    def rewards(
        self,
        val_acc: FloatArray,
        latency_ms: FloatArray,
        target_ms: float | FloatArray | None = None,
    ) -> FloatArray:
        """The reward of given accuracies and latencies, ``(n,)``.

        ``target_ms`` takes the place of ``latency_target_ms``, for all or one each ``(n,)``.
        """
        target: Any = self.latency_target_ms if target_ms is None else target_ms
        return np.asarray(self.formula(val_acc, latency_ms, target), dtype=float)

    def values(self, trials: Trials) -> FloatArray:
        """Objectives of trials, ``(n, objectives)``; higher is better, costs have a minus."""
        return self.objectives.values(
            trials.x, reward=trials.reward, val_acc=trials.val_acc, latency_ms=trials.latency_ms
        )

    @property
    def _draw(self) -> int | None:
        """Which single training searches see, None for the mean."""
        return self.seed if self.noise == "sampled" else None

    def _trials(
        self,
        x: IntArray,
        length: int,
        cost: FloatArray,
        before: IntArray,
        evaluated: NDArray[np.bool_] | None,
        seed: int | None,
    ) -> Trials:
        """Trials of ``x``, of which ``evaluated`` are evaluated (None: all)."""
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
            x=x,
            val_acc=value.val_acc if every else _spread(value.val_acc, mask),
            latency_ms=latency,
            reward=reward,
            train_time_s=np.where(mask & (cost <= 0), 0.0, time),
            source=source,
            evaluated=mask,
            new=cost > 0,
            cost=cost,
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


def _affordable(cost: FloatArray, within: NDArray[np.bool_], budget: float) -> NDArray[np.bool_]:
    """Which rows can be paid one after the other; what is too dear is skipped."""
    payable = within.copy()
    while True:
        total = np.cumsum(np.where(payable, cost, 0.0))
        over = payable & (cost > 0) & (total > budget + 1e-9)
        if not over.any():
            return payable
        first = int(np.argmax(over))
        left = budget - (total[first] - cost[first])
        payable[first:] &= cost[first:] <= left + 1e-9  # what is left only shrinks


def _spread(values: FloatArray, mask: NDArray[np.bool_]) -> FloatArray:
    """``values`` at the rows of ``mask``, NaN elsewhere."""
    full = np.full(len(mask), np.nan)
    full[mask] = values
    return full
