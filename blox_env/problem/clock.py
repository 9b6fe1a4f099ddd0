"""Simulated time: when workers that train one architecture after the other would do what.

A training takes as long as the benchmark says (``train_time_s``); nothing here waits. Real seconds
are kept beside it, in ``recorded``, and never mixed with it.

There are two rules for when a training may start:

- An agent that calls :meth:`~blox_env.problem.Problem.evaluate` itself, such as reinforcement
  learning through environments, gets the results of a call all at once. So the trainings of a call
  start in order, each on the worker that is free first, and those of the next call when the last of
  them has ended (``barrier``). Environments that finish together share a call: eight of them keep
  eight workers busy, and no more. What is evaluated does not depend on the number of workers.
- An ask/tell agent is asked whenever a worker is free and told of results in the order in which
  they end: :mod:`blox_env.asynchronous`.

A training that would end after the limit is cut off there: it gives no result and is not in the
history, and its worker does nothing else.
"""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blox_env.ground.errors import check_positive_int
from blox_env.ground.typing import FloatArray, IntArray

MOST_WORKERS = 1_000_000  # each takes memory


@dataclass(frozen=True)
class Schedule:
    """Plan of simulated workers: arrays ``(n,)`` of simulated seconds, and numbers of workers."""

    start_s: FloatArray
    end_s: FloatArray
    worker: IntArray


def schedule(durations: ArrayLike, workers: int = 1, *, calls: ArrayLike | None = None) -> Schedule:
    """Plan of ``workers`` for trainings that take ``durations`` ``(n,)`` seconds, in order.

    Each starts on the worker that is free first; of several, on the one that has been free longest,
    then on that of the lowest number.

    Args:
        durations: seconds of each training, at least 0.
        workers: how many there are.
        calls: number of the call of each ``(n,)``, rising; a call starts when the one before has
            ended. None: all are one call.

    Raises:
        ValueError: for durations that are negative or not known, or calls that do not rise.
    """
    times = np.asarray(durations, dtype=float)
    if times.ndim != 1:
        raise ValueError(f"durations must be of shape (n,), got {times.shape}")
    number = np.zeros(len(times), np.int64) if calls is None else np.asarray(calls)
    if number.shape != times.shape or (np.diff(number) < 0).any():
        raise ValueError("calls must be one number a duration, none lower than the one before")
    clock = Clock(workers)
    for part in np.split(times, np.flatnonzero(np.diff(number)) + 1):
        clock.run(part)
        clock.record(np.ones(len(part), bool))
    return clock.schedule()


class Clock:
    """The time of simulated workers, for one search.

    Args:
        workers: how many train at once.
        hours: simulated hours after which trainings are cut off, None for no limit.

    Attributes:
        barrier: whether what :meth:`run` is given next waits for what it was given before.
        recorded: seconds of ``time.perf_counter()`` at which each trial was recorded: real time.
    """

    def __init__(self, workers: int = 1, hours: float | None = None) -> None:
        self.workers = check_positive_int("simulated_workers", workers)
        if self.workers > MOST_WORKERS:
            raise ValueError(
                f"simulated_workers must be at most {MOST_WORKERS}, got {self.workers}"
            )
        if hours is not None and not (math.isfinite(hours) and hours > 0):
            raise ValueError(f"simulated_hours must be above 0, got {hours!r}")
        self.limit_s = math.inf if hours is None else 3600.0 * hours
        self.barrier = True
        self.recorded: list[float] = []
        self._free = [(0.0, number) for number in range(self.workers)]  # a heap
        self._now = 0.0  # nothing that comes starts earlier
        self._ended: list[tuple[float, float, int]] = []  # since the last record
        self._rows: list[tuple[float, float, int]] = []

    @property
    def free_s(self) -> float:
        """Time at which the next training can start."""
        return _later(self._now, self._free[0][0])

    @property
    def over(self) -> bool:
        """True if there is a limit and no worker has time left."""
        return self.free_s >= self.limit_s

    def run(self, durations: Iterable[float]) -> NDArray[np.bool_]:
        """Start trainings in order; which of them end within the limit, ``(n,)``.

        Raises:
            ValueError: for a negative duration; for one that is not known, unless one worker
                without a limit does everything in order anyway.
        """
        last = self._now
        kept = []
        for seconds in map(float, durations):
            if not seconds >= 0 and (seconds < 0 or self.workers > 1 or self.limit_s < math.inf):
                raise ValueError(
                    f"simulated time needs train_time_s of at least 0, the benchmark says {seconds}"
                )
            free, worker = self._free[0]
            start = _later(self._now, free)
            end = start + seconds
            cut = end > self.limit_s or start >= self.limit_s
            if not cut:
                self._ended.append((start, end, worker))
            kept.append(not cut)
            until = self.limit_s if cut else end
            heapq.heapreplace(self._free, (until, worker))
            last = _later(last, until)
        if self.barrier:
            self._now = last
        return np.array(kept, dtype=bool)

    def hold(self, until_s: float) -> None:
        """Let the worker that is free first wait."""
        heapq.heapreplace(self._free, (max(until_s, self.free_s), self._free[0][1]))

    def spread(self, seconds: float) -> None:
        """Let all workers share work that is no training of an architecture, evenly, from now on.

        Raises:
            ValueError: for seconds that are negative or not known.
        """
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError(f"seconds must be at least 0 and finite, got {seconds!r}")
        end = self.free_s + seconds / self.workers
        self._free = [(max(free, end), worker) for free, worker in self._free]
        heapq.heapify(self._free)

    def last_end_s(self) -> float:
        """Time at which the training that was recorded last ends."""
        return self._rows[-1][1]

    def record(self, trained: NDArray[np.bool_]) -> None:
        """Take over what ran since the last call as trials.

        ``trained`` ``(n,)`` says which of the new trials are those, in order; the others needed no
        training and no time.
        """
        ended, stamp = iter(self._ended), time.perf_counter()
        for ran in trained.tolist():
            at = self.free_s
            self._rows.append(next(ended) if ran else (at, at, self._free[0][1]))
            self.recorded.append(stamp)
        self._ended = []

    def schedule(self) -> Schedule:
        """Of all trials so far, in the order of the history."""
        table = np.array(self._rows, dtype=float).reshape(-1, 3)
        return Schedule(table[:, 0].copy(), table[:, 1].copy(), table[:, 2].astype(np.int64))


def _later(one: float, other: float) -> float:
    """The later of two times; not known if ``other`` is not."""
    return one if other < one else other
