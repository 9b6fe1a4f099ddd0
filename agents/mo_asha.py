"""Asynchronous successive halving of several objectives.

Schmucker, Donini, Zafar, Salinas & Archambeau, *Multi-objective Asynchronous Successive Halving*,
2021, on the rungs of Li et al., *A System for Massively Parallel Hyperparameter Tuning*, MLSys
2020. Random architectures are trained for few epochs. Whenever a worker is free, one goes on that
is among the best 1/``eta`` of its rung and has not gone on yet, of the highest rung that has such a
one; else a new one begins. The best are the first front, then the front of what is left, and so on;
inside a front an epsilon net: the best in the first objective, then always the one that is farthest
from those before. With one objective it is asynchronous successive halving.
Deviations: for distances every objective is scaled to the range of its rung, as milliseconds and
fractions have no common unit; no architecture is drawn twice; when less than a full training is
left of the budget nothing new begins, and what was trained longest is finished, the best first.
Written here because ``MOASHA`` of syne-tune 0.16 cannot be used for it. It takes a seed and ignores
it (``suggest`` and ``on_trial_add`` draw from numpy's global generator); it stops trainings, and
none is ever taken up again; and its non-dominated sorting returns an order where its rungs expect
ranks, so that most newcomers that are better in every objective than all before them are stopped.
Without these parts a single comparison would be left of it.
Defaults: the published ``eta``; of the other draws on ``digits`` with latency, two objectives, the
best left less than a hundredth less of the hypervolume missing (``perf/tune_agents.py --agent
mo-asha --trials 20 --seeds 6 --final-seeds 20``).
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from blox_env.agent import Agent, Seed
from blox_env.agents.successive_halving import Architecture, check_eta, epoch_levels
from blox_env.ground.errors import check_positive_int
from blox_env.ground.typing import BoolArray, FloatArray, IntArray
from blox_env.problem import Problem
from blox_env.problem.pareto import front

_DRAWS = 100  # at once; so many may be known before it counts as none being left


class MOASHA(Agent):
    """Random architectures, of which the best fronts are trained longer.

    Args:
        eta: of so many architectures one goes on, for so many times the epochs.
        min_epochs: length of the shortest trainings.
        batch: trainings decided on at once; simulated workers take them one by one.
    """

    requires = frozenset({"curves"})
    searches_for = "several"

    def __init__(self, eta: float = 3.0, min_epochs: int = 1, batch: int = 1) -> None:
        self.eta = check_eta(eta)
        self.min_epochs = check_positive_int("min_epochs", min_epochs)
        self.batch = check_positive_int("batch", batch)

    def search(self, problem: Problem, *, seed: Seed) -> None:
        """Train what is due until the problem is done; what is under way is not known yet."""
        levels = epoch_levels(problem.benchmark.epochs, self.eta, self.min_epochs)
        ladder = Ladder(problem, levels, self.eta, np.random.default_rng(seed))
        clock = problem.clock if problem.clock and problem.clock.workers > 1 else None
        if clock is not None:
            clock.barrier = False
        due: deque[Training] = deque()
        running: list[tuple[float, int, Training, FloatArray]] = []  # a heap by end, then start
        started = 0
        while not problem.done:
            while running and (clock is None or running[0][0] <= clock.free_s):
                _, _, training, values = heapq.heappop(running)
                ladder.tell(training, values)
            due.extend([] if due else ladder.due(self.batch))
            if not due:
                if clock is not None and running:
                    clock.hold(running[0][0])
                continue
            group = [due.popleft()]
            while due and clock is None and due[0].epochs == group[0].epochs:
                group.append(due.popleft())
            rows = np.array([each.row for each in group], dtype=np.int64)
            trials = problem.evaluate(rows, epochs=group[0].epochs)
            gains = problem.values(trials)
            for k, training in enumerate(group):
                if not trials.evaluated[k]:  # not within the time
                    ladder.give_up(training)
                    continue
                started += 1
                end = 0.0 if clock is None else clock.last_end_s()
                heapq.heappush(running, (end, started, training, gains[k]))


@dataclass(frozen=True)
class Training:
    """An architecture that is to be trained up to so many epochs, from how many it has."""

    row: Architecture
    before: int
    epochs: int


class Rung:
    """Trainings that have come as far as one level, and which of them went on."""

    def __init__(self) -> None:
        self.rows: list[Architecture] = []
        self.values: list[FloatArray] = []
        self.gone: list[bool] = []
        self._none_of: tuple[int, int] | None = None  # rows, and how many best of them have gone

    def add(self, row: Architecture, values: FloatArray) -> None:
        """One more training.

        Args:
            row: what was trained.
            values: its objectives, higher is better.
        """
        self.rows.append(row)
        self.values.append(values)
        self.gone.append(False)

    def take(self, share: float) -> Architecture | None:
        """Let the best go on of those among the best ``share`` that have not; None without any."""
        most = math.floor(len(self.rows) * share + 1e-9)
        if not most or self._none_of == (len(self.rows), most):
            return None
        place = best_of(np.array(self.values), most, ~np.array(self.gone))
        if place is None:
            self._none_of = (len(self.rows), most)
            return None
        self.gone[place] = True
        return self.rows[place]


class Ladder:
    """All rungs below full trainings, and which training is due.

    Args:
        problem: to be searched.
        levels: epochs of the rungs, rising; the last is a full training.
        eta: of so many of a rung one goes on.
        rng: for new architectures.
    """

    def __init__(
        self, problem: Problem, levels: list[int], eta: float, rng: np.random.Generator
    ) -> None:
        self.problem, self.rng, self.share = problem, rng, 1 / eta
        self.rungs = {level: Rung() for level in levels[:-1]}
        self.next = dict(zip([0, *levels], levels, strict=False))  # from a level to the next one
        self.full = levels[-1]
        self.begun: set[Architecture] = set()
        self.drawn: deque[Architecture] = deque()  # at random, to begin with next
        self.pending = 0  # trainings that were due and are not told of

    def due(self, n: int) -> list[Training]:
        """Up to ``n`` trainings that the budget pays, the longest first; few while others run."""
        left = math.floor(self.problem.remaining * self.full + 1e-6)  # in epochs
        found: list[Training] = []
        while len(found) < n and left and (training := self._one(left)):
            left -= training.epochs - training.before
            self.pending += 1
            found.append(training)
        return found

    def tell(self, training: Training, values: FloatArray) -> None:
        """Learn what came of a training.

        Args:
            training: one that was due.
            values: its objectives, higher is better.
        """
        self.pending -= 1
        if rung := self.rungs.get(training.epochs):
            rung.add(training.row, values)

    def give_up(self, training: Training) -> None:
        """Forget a training that could not be had."""
        self.pending -= 1
        if not training.before:
            self.begun.discard(training.row)

    def _one(self, left: int) -> Training | None:
        """The training that is due when so many epochs are left of the budget."""
        if training := self._promoted(left, self.share):
            return training
        if left >= self.full and (row := self._fresh()):
            return Training(row, 0, self.next[0])
        if training := self._promoted(left, 1.0):  # an end of the budget or of the space
            return training
        if self.pending:  # will leave something to go on with
            return None
        if training := self._promoted(self.full, 1.0):
            return Training(training.row, training.before, training.before + left)
        row = self._fresh()
        return Training(row, 0, min(left, self.next[0])) if row else None

    def _promoted(self, left: int, share: float) -> Training | None:
        """One of the best ``share`` of a rung to the next, if so many epochs pay for it."""
        for level, rung in reversed(self.rungs.items()):
            if self.next[level] - level <= left and (row := rung.take(share)):
                return Training(row, level, self.next[level])
        return None

    def _fresh(self) -> Architecture | None:
        """A random architecture that was never trained; None if no such one is found."""
        if len(self.begun) < self.problem.candidates.count:
            for _ in range(len(self.drawn) + _DRAWS):
                if not self.drawn:
                    drawn = self.problem.candidates.sample(self.rng, _DRAWS)
                    self.drawn.extend(map(tuple, drawn.tolist()))
                if (row := self.drawn.popleft()) not in self.begun:
                    self.begun.add(row)
                    return row
        return None


def best_of(values: FloatArray, most: int, asked: BoolArray) -> int | None:
    """Place of the best of the points that are asked for; None if none is among the best.

    Better is who is in an earlier front, then who is earlier in the epsilon net of its front.

    Args:
        values: objectives ``(n, m)``, higher is better.
        most: how many count as the best.
        asked: which are asked for ``(n,)``.
    """
    if values.shape[1] == 1:
        order = np.argsort(-values[:, 0], kind="stable")[:most]
        return next(iter(order[asked[order]].tolist()), None)
    width = np.ptp(values, axis=0)
    scaled = values / np.where(width > 0, width, 1.0)
    for inside in fronts(values):
        if asked[inside].any():  # else its order does not matter
            order = inside[spread(scaled[inside], min(len(inside), most))]
            if len(order := order[asked[order]]):
                return int(order[0])
        most -= len(inside)
        if most <= 0:
            break
    return None


def fronts(values: FloatArray) -> Iterator[IntArray]:
    """Places of the points that no other dominates, then of those that no other left does, ….

    ``values`` are objectives ``(n, m)``, higher is better.
    """
    left = np.arange(len(values))
    while len(left):
        first = front(values[left], maximise=True)
        yield left[first]
        left = left[~first]


def spread(points: FloatArray, most: int) -> IntArray:
    """Places of points that are far apart: the highest of the first column, then the farthest.

    Args:
        points: ``(n, m)``.
        most: how many are asked for, up to all of them.
    """
    order = [int(points[:, 0].argmax())]
    distance = np.full(len(points), np.inf)  # squared, to the nearest taken
    while len(order) < most:
        last = points[order[-1]]
        distance = np.minimum(distance, ((points - last) ** 2).sum(axis=1))
        distance[order[-1]] = -1.0
        order.append(int(distance.argmax()))
    return np.array(order)
