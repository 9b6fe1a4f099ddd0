"""Outcomes of finished architectures: from the problem, or from a table of all its answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import mul
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from blox_env.benchmarks.base import Benchmark
from blox_env.devices.base import Device
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem import Problem
from blox_env.problem.reward import RewardFunction, check_finite


class Outcome(NamedTuple):
    """Of ``n`` architectures; ``source`` holds strings as objects, ``reward`` is ``(n,)``."""

    reward: FloatArray
    val_acc: FloatArray
    latency_ms: FloatArray
    train_time_s: FloatArray
    source: NDArray[np.object_]
    evaluated: NDArray[np.bool_] | None = None  # None: all


class Outcomes:
    """Answers of one problem, or of several that differ in the device alone.

    A problem that keeps a history is asked every time. One that does not, on a benchmark that is
    a table, is asked for everything once in a process, and then looked up.

    Args:
        problems: one, or one a device.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        self._tables: list[_Table] | None = None
        first = problems[0]
        listable = first.space.listable and "table" in first.benchmark.provides
        listable &= all(p.task.known.complete for p in problems)
        if listable and all(p.history is None for p in problems):
            self._tables = [_Table.of(problem) for problem in problems]
            self._strides = np.cumprod((1, *first.space.options[:0:-1]))[::-1]
            self._weights = self._strides.tolist()

    def of(
        self,
        rows: IntArray,
        targets: FloatArray | None = None,
        which: IntArray | None = None,
    ) -> Outcome:
        """Outcomes of architectures ``(n, slots)``.

        Args:
            rows: the architectures, valid ones.
            targets: latency targets ``(n,)`` instead of the problem's.
            which: number of the problem for each ``(n,)``, the first if not given.
        """
        if which is not None and len(self.problems) > 1:
            return self._of_several(rows, which)
        return self._of_one(rows, 0, targets)

    def look_up(self, row: IntArray) -> tuple[float, float, float, float, str] | None:
        """Accuracy, latency, time, reward and source of one architecture, as plain numbers.

        Args:
            row: the architecture ``(slots,)``, a valid one.

        Returns:
            None where there is no table of all answers, or not of the only problem's rewards.
        """
        if self._tables is None or len(self._tables) > 1 or not self._tables[0].has_rewards:
            return None
        table = self._tables[0]
        place = sum(map(mul, row.tolist(), self._weights))
        val_acc, latency, time, reward = table.columns[place].tolist()
        return val_acc, latency, time, reward, table.names[table.source.item(place)]

    def _of_one(self, rows: IntArray, number: int, targets: FloatArray | None) -> Outcome:
        problem = self.problems[number]
        if self._tables is None:
            trials = problem.evaluate(rows)
            reward = trials.reward
            if targets is not None:
                reward = problem.rewards(trials.val_acc, trials.latency_ms, targets, x=trials.x)
            return Outcome(
                reward,
                trials.val_acc,
                trials.latency_ms,
                trials.train_time_s,
                trials.source.astype(object),
                None if trials.evaluated.all() else trials.evaluated,
            )
        table = self._tables[number]
        place = rows @ self._strides
        # the columns stand together, one architecture after the other: one gather finds them all
        val_acc, latency, time, reward = table.columns.take(place, axis=0).T.copy()
        if targets is not None:
            reward = problem.rewards(val_acc, latency, targets, x=rows)
        elif not table.has_rewards:
            reward = problem.rewards(val_acc, latency, x=rows)
        if not problem.task.formula_is_named:
            check_finite(rows, reward, val_acc, latency)
        return Outcome(reward, val_acc, latency, time, table.names.take(table.source.take(place)))

    def _of_several(self, rows: IntArray, which: IntArray) -> Outcome:
        n = len(rows)
        empty = np.full((4, n), np.nan)
        sources, evaluated = np.full(n, None, dtype=object), np.zeros(n, dtype=bool)
        whole = Outcome(empty[0], empty[1], empty[2], empty[3], sources, evaluated)
        assert whole.evaluated is not None
        for number in np.unique(which):
            own = np.flatnonzero(which == number)
            part = self._of_one(rows[own], int(number), None)
            for name in ("reward", "val_acc", "latency_ms", "train_time_s", "source"):
                getattr(whole, name)[own] = getattr(part, name)
            whole.evaluated[own] = True if part.evaluated is None else part.evaluated
        return whole


@dataclass(frozen=True, eq=False)
class _Table:
    """Known quantities of every architecture.

    Attributes:
        columns: accuracy, latency, time, reward ``(size, 4)``.
        has_rewards: whether the rewards are there. A formula of one's own is asked every time, as
            what it gives may change.
        source: of the accuracy, as a number.
        names: what these numbers mean.
    """

    columns: FloatArray
    has_rewards: bool
    source: NDArray[np.int8]
    names: NDArray[np.object_]

    @classmethod
    def of(cls, problem: Problem) -> _Table:
        """The table of a problem, made once in a process for equal ones."""
        seed = problem.seed if problem.noise == "sampled" else None
        if problem.task.formula_is_named and not problem.constraints:
            return _table(
                problem.benchmark,
                problem.device,
                seed,
                problem.formula,
                problem.latency_target_ms,
            )
        return _table(problem.benchmark, problem.device, seed, None, np.nan)


@lru_cache(maxsize=16)  # a trainer makes many environments, and each looks outcomes up
def _table(
    benchmark: Benchmark,
    device: Device | None,
    seed: int | None,
    formula: RewardFunction | None,
    target: float,
) -> _Table:
    every, source, names = _known(benchmark, device, seed)
    columns = np.full((every.shape[1], 4), np.nan)
    columns[:, :3] = every.T
    if formula is not None:
        columns[:, 3] = formula(every[0], every[1], target)
    columns.flags.writeable = False
    return _Table(columns, formula is not None, source, names)


@lru_cache(maxsize=8)
def _known(
    benchmark: Benchmark, device: Device | None, seed: int | None
) -> tuple[FloatArray, NDArray[np.int8], NDArray[np.object_]]:
    """Accuracy, latency and time ``(3, size)``; sources as numbers, and their names."""
    every = benchmark.space.all()
    value = benchmark.evaluate(every, seed=seed)
    latency = np.full(len(every), np.nan) if device is None else device.latency_ms(every)
    names, source = np.unique(value.source, return_inverse=True)
    columns = np.stack([value.val_acc, latency, value.train_time_s])
    return columns, source.astype(np.int8), names.astype(object)
