"""Ledger of a search: budget, queries, history, clock. The one thing about it that changes."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any

import numpy as np

from blox_env.ground.errors import check_positive_int
from blox_env.ground.typing import BoolArray, FloatArray, IntArray
from blox_env.problem.candidates import Candidates
from blox_env.problem.clock import Clock
from blox_env.problem.history import History, Trials
from blox_env.problem.verdict import Asked

QUERIES_PER_BUDGET = 20
ELSEWHERE = (
    "a Problem that keeps a history cannot be used in another process, where a copy would spend "
    'the budget once more: use environments of this process (vectorization_mode "sync" or '
    '"vector_entry_point"), or make a problem in each process'
)
_OWN = ("lock", "_process")  # attributes that copies do not take over
SPENT = "the budget is spent"
ASKED = "max_queries is reached"
LATE = "the time limit is over"
SIMULATED = "the simulated time is over"
KNOWN = "every architecture is known"
STOPPED = "the callback asked for it"


class Lock:
    """A lock that a thread may take more than once, and that tells whether it is held."""

    __slots__ = ("_depth", "_lock")

    def __init__(self) -> None:
        self._lock, self._depth = threading.RLock(), 0

    def __enter__(self) -> None:
        self._lock.acquire()
        self._depth += 1

    def __exit__(self, *error: object) -> None:
        self._depth -= 1
        self._lock.release()

    @property
    def held(self) -> bool:
        """True if a thread holds it."""
        return self._depth > 0


@dataclass(slots=True)
class Request:
    """A batch of architectures and what the budget pays of it.

    Attributes:
        keys: what identifies each architecture.
        length: epochs of the trainings.
        within: which are within the queries, ``(n,)``.
        before: epochs that each was trained for before, ``(n,)``.
        first: which are the first of equal ones, ``(n,)``.
        original: for each the first of those equal to it, ``(n,)``.
        cost: of each in full trainings, ``(n,)``; 0 for what is known or left out.
        evaluated: which are paid for, or free, ``(n,)``.
    """

    keys: list[Any]
    length: int
    within: BoolArray
    before: IntArray
    first: BoolArray
    original: IntArray
    cost: FloatArray
    evaluated: BoolArray

    def leave_out(self, which: BoolArray) -> None:
        """Do not evaluate these, nor what is equal to them."""
        self.evaluated &= ~which
        self.evaluated &= self.evaluated[self.original]
        self.cost[~self.evaluated] = 0.0


class Ledger:
    """The account of one search; several threads may share it.

    Whoever evaluates holds :attr:`lock` from :meth:`request` to :meth:`record`, so that what is
    paid for is what is recorded.

    Args:
        candidates: architectures that can be proposed.
        epochs: of a full training.
        budget: number of full trainings, None for no limit.
        max_queries: number of architectures asked for; if not given, 20 times the budget, or 20
            times the size of the space where that is less.
        clock: simulated workers and a limit of their time.
        task: what is asked, for the history.

    Attributes:
        budget: number of full trainings, None for no limit.
        max_queries: number of architectures asked for, None for no limit.
        clock: simulated time, None for none.
        history: what was evaluated.
        stopped: whether somebody asked for the end.
        spent: of the budget.
        queries: how many architectures were asked for.
        lock: held while something is evaluated.
        deadline: of ``time.monotonic()``, after which nothing is evaluated; None for none.
    """

    def __init__(
        self,
        candidates: Candidates,
        epochs: int,
        *,
        budget: int | None = None,
        max_queries: int | None = None,
        clock: Clock | None = None,
        task: Asked | None = None,
    ) -> None:
        self.budget = None if budget is None else check_positive_int("budget", budget)
        if max_queries is not None:
            self.max_queries: int | None = check_positive_int("max_queries", max_queries)
        else:
            most = None if self.budget is None else min(self.budget, candidates.count)
            self.max_queries = None if most is None else QUERIES_PER_BUDGET * most
        self.clock = clock
        self.history = History(candidates.space.slots, epochs, task)
        self.stopped = False
        self.spent = 0.0
        self.queries = 0
        self.lock = Lock()
        self.deadline: float | None = None
        self._owed = (0.0, 0.0)  # full trainings and seconds, charged and not in the history yet
        self._process = os.getpid()
        self._epochs, self._size = epochs, candidates.count
        self._trained: dict[Any, int] = {}  # architecture -> the most epochs that it was asked for
        self._shorter: set[tuple[Any, int]] = set()  # recorded trainings of fewer epochs than that
        self._full = 0  # architectures trained in full
        # where candidates are few: how far each was trained, 0 not at all, 2 in full
        self._candidates = None if candidates.complete else candidates
        self._state = np.zeros(0 if candidates.complete else candidates.count, dtype=np.int8)

    def __getstate__(self) -> dict[str, Any]:
        """All but the lock and the process, for copies."""
        return {name: value for name, value in self.__dict__.items() if name not in _OWN}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy has a lock of its own, and belongs to the process that makes it."""
        self.__dict__ |= state
        self.lock, self._process = Lock(), os.getpid()

    @property
    def remaining(self) -> float:
        """Rest of the budget, in full trainings; infinite without a budget."""
        return np.inf if self.budget is None else max(0.0, self.budget - self.spent)

    @property
    def done(self) -> bool:
        """True if nothing new can be evaluated: budget, queries or time spent, space exhausted."""
        return bool(self.ending)

    @property
    def ending(self) -> str:
        """The limit that ends the search, as a sentence; empty while it may go on."""
        if self.stopped:
            return STOPPED
        if self.clock is not None and self.clock.over:
            return SIMULATED
        if self.remaining < 1 / self._epochs - 1e-9:  # not even one epoch
            return SPENT
        if self.max_queries is not None and self.queries >= self.max_queries:
            return ASKED
        if self._exhausted():
            return KNOWN
        return LATE if self.late else ""

    @property
    def late(self) -> bool:
        """True after the deadline."""
        return self.deadline is not None and time.monotonic() >= self.deadline

    def _exhausted(self) -> bool:
        """True if everything that can be proposed was trained in full."""
        if self._candidates is not None:
            return bool(self._state.min() == 2)
        return self._full >= self._size

    @property
    def fresh(self) -> BoolArray | None:
        """Mask of the candidates never evaluated, ``(count,)``; None where all of the space are."""
        return None if self._candidates is None else self._state == 0

    def request(self, keys: list[Any], length: int) -> Request:
        """Work out what of a batch can be paid; nothing is spent yet.

        Args:
            keys: what identifies each architecture.
            length: epochs of the trainings.

        Raises:
            RuntimeError: in another process than that of the account.
        """
        if os.getpid() != self._process:
            raise RuntimeError(ELSEWHERE)
        n = len(keys)
        within = np.ones(n, bool)
        if self.max_queries is not None:
            within[max(0, self.max_queries - self.queries) :] = False
        if self.late:
            within[:] = False
        before = np.fromiter(map(self._trained.get, keys, repeat(0)), np.int64, n)
        if n == 1:
            where, group = np.zeros(1, np.int64), np.zeros(1, np.int64)
        else:
            _, where, group = np.unique(np.array(keys), return_index=True, return_inverse=True)
        first = np.zeros(n, bool)
        first[where] = True
        cost = np.where(first, np.maximum(0, length - before), 0) / self._epochs
        evaluated = _affordable(cost, within, self.remaining)
        asked = Request(keys, length, within, before, first, where[group], cost, evaluated)
        asked.leave_out(~evaluated)  # and repeats of what could not be paid
        return asked

    def charge(self, trainings: int, seconds: float) -> None:
        """Pay for work that is no training of an architecture; see :meth:`Problem.charge`.

        Args:
            trainings: its price in full trainings.
            seconds: simulated time of one worker.

        Raises:
            ValueError: when the budget does not pay for it and one training more.
            RuntimeError: in another process than that of the account.
        """
        if os.getpid() != self._process:
            raise RuntimeError(ELSEWHERE)
        check_positive_int("trainings", trainings, 0)
        if trainings + 1 > self.remaining:
            raise ValueError(
                f"a budget of {self.budget} full trainings, {self.spent:g} of them spent, does not "
                f"pay for what costs {trainings} and one training after it"
            )
        if self.clock is not None:
            self.clock.spread(seconds)
        self.spent += trainings
        self._owed = (self._owed[0] + trainings, self._owed[1] + seconds)

    def laden(self, trials: Trials) -> Trials:
        """The trials, the first new one with the price of all that was charged before it."""
        if self._owed == (0.0, 0.0) or not trials.new.any():
            return trials
        first = int(np.argmax(trials.new))
        cost, time_s = trials.cost.copy(), trials.train_time_s.copy()
        cost[first] += self._owed[0]
        time_s[first] += self._owed[1]
        self._owed = (0.0, 0.0)
        return replace(trials, cost=cost, train_time_s=time_s)

    def record(self, asked: Request, trials: Trials) -> None:
        """Spend what a request costs and append what is new to the history.

        Args:
            asked: the request.
            trials: what came of it.
        """
        start = len(self.history)
        chosen = self._new_rows(asked, asked.first & trials.evaluated)
        self.history.append(trials, chosen, asked.length, self.queries)
        if self.clock is not None:
            self.clock.record(self.history.column("cost")[start:] > 0)
        if asked.length == self._epochs:
            self._full += int(np.count_nonzero(trials.new))
        if self._candidates is not None:
            place = self._candidates.place(trials.x[trials.evaluated])
            place = place[place >= 0]
            reached = 2 if asked.length == self._epochs else 1
            self._state[place] = np.maximum(self._state[place], reached)
        self.spent += float(asked.cost.sum())
        self.queries += int(asked.within.sum())

    def _new_rows(self, asked: Request, evaluated: BoolArray) -> IntArray:
        """Numbers of the evaluated that are not in the history; they count as known from now on."""
        keys, length, before = asked.keys, asked.length, asked.before
        new = evaluated & (before < length)
        for row in np.flatnonzero(new & (before > 0)).tolist():
            self._shorter.add((keys[row], int(before[row])))
        self._trained.update((keys[row], length) for row in np.flatnonzero(new).tolist())
        for row in np.flatnonzero(evaluated & (before > length)).tolist():
            new[row] = (keys[row], length) not in self._shorter
            self._shorter.add((keys[row], length))
        return np.flatnonzero(new)


def _affordable(cost: FloatArray, within: BoolArray, budget: float) -> BoolArray:
    """Mask of the rows that can be paid one after the other; what is too dear is skipped."""
    payable = within.copy()
    while True:
        total = np.cumsum(np.where(payable, cost, 0.0))
        over = payable & (cost > 0) & (total > budget + 1e-9)
        if not over.any():
            return payable
        first = int(np.argmax(over))
        left = budget - (total[first] - cost[first])
        payable[first:] &= cost[first:] <= left + 1e-9  # what is left only shrinks
