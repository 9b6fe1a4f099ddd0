"""Successive halving: many short trainings, of which the best part goes on.

Jamieson & Talwalkar, *Non-stochastic Best Arm Identification and Hyperparameter Optimization*,
AISTATS 2016. ``configurations`` random architectures are trained for few epochs, the best 1/``eta``
of them for ``eta`` times as many, and so on until the winners are trained in full. Going on with a
training costs only the epochs that are new.
Deviations: the paper spends the whole budget on one such bracket, here brackets of a fixed size
follow one another, so that full trainings, which alone are ranked, come early; the last bracket is
made as small as what is left of the budget, and the very rest finishes what was trained longest.
Defaults: of 20 random draws on ``digits`` with latency none was better than these beyond the noise
(``perf/tune_agents.py --agent successive-halving --trials 20 --seeds 6 --final-seeds 20``).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from blox_env.agent import Agent, Seed
from blox_env.ground.errors import check_positive_int
from blox_env.problem import Problem

_REDRAWS = 100

Architecture = tuple[int, ...]


class SuccessiveHalving(Agent):
    """Brackets of random architectures on the first objective.

    Args:
        eta: of so many architectures one goes on, for so many times the epochs.
        configurations: architectures at the start of a bracket.
        min_epochs: length of the shortest trainings.
    """

    requires = frozenset({"curves"})
    searches_for = "one"

    def __init__(self, eta: float = 3.0, configurations: int = 27, min_epochs: int = 1) -> None:
        self.eta = check_eta(eta)
        self.configurations = check_positive_int("configurations", configurations)
        self.min_epochs = check_positive_int("min_epochs", min_epochs)

    def search(self, problem: Problem, *, seed: Seed) -> None:
        """One bracket after the other."""
        trainings = Trainings(problem, np.random.default_rng(seed))
        levels = epoch_levels(problem.benchmark.epochs, self.eta, self.min_epochs)
        while not problem.done:
            trainings.halve(trainings.fresh, self.configurations, levels, self.eta)


def check_eta(eta: float) -> float:
    """Return ``eta`` or raise where nothing would be halved."""
    if not 1 < float(eta) < math.inf:
        raise ValueError(f"eta must be above 1, got {eta!r}")
    return float(eta)


def epoch_levels(full: int, eta: float, shortest: int) -> list[int]:
    """Lengths of trainings, rising: ``full``, ``full/eta``, … rounded, down to ``shortest``.

    Where ``shortest`` is more than ``full`` there are full trainings only.

    Args:
        full: epochs of a full training.
        eta: factor between levels.
        shortest: training of the lowest level, at least.
    """
    shortest = min(shortest, full)
    count = 1 + round(math.log(full / shortest, eta))
    return sorted({max(shortest, round(full / eta**i)) for i in range(count)})


class Trainings:
    """Trainings in part: how far each went and how well it did.

    Args:
        problem: where trainings are paid.
        rng: for fresh architectures.
    """

    def __init__(self, problem: Problem, rng: np.random.Generator) -> None:
        self.problem = problem
        self.rng = rng
        self.full = problem.benchmark.epochs
        self.epochs: dict[Architecture, int] = {}
        self.values: dict[int, dict[Architecture, float]] = {}  # epochs -> first objective

    def train(self, rows: list[Architecture], epochs: int) -> list[Architecture]:
        """Train up to ``epochs`` what the budget pays, and return it, best first.

        Args:
            rows: architectures.
            epochs: length of the training.
        """
        trials = self.problem.evaluate(np.array(rows, dtype=np.int64), epochs=epochs)
        kept = [row for row, there in zip(rows, trials.evaluated, strict=True) if there]
        known = self.values.setdefault(epochs, {})
        gains = self.problem.values(trials)[trials.evaluated, 0].tolist()
        for row, value in zip(kept, gains, strict=True):
            known[row] = value
            self.epochs[row] = max(epochs, self.epochs.get(row, 0))
        return sorted(kept, key=known.__getitem__, reverse=True)

    def fresh(self) -> Architecture | None:
        """A random architecture that was never trained; None if no such one is found."""
        if len(self.epochs) < self.problem.candidates.count:
            for _ in range(_REDRAWS):
                row = tuple(self.problem.candidates.sample(self.rng, 1)[0].tolist())
                if row not in self.epochs:
                    return row
        return None

    def halve(
        self,
        propose: Callable[[], Architecture | None],
        count: int,
        levels: list[int],
        eta: float,
    ) -> None:
        """One bracket: ``count`` proposals at the lowest level, the best of each level go on.

        Simulated workers (the problem's ``clock``) begin side by side, and a level when the one
        below is over.

        With too little of the budget left for a bracket of one, the rest is spent by
        :meth:`finish`; so it is where nothing is left to propose.

        Args:
            propose: gives a fresh architecture, None when there is none left.
            count: number of proposals at the lowest level.
            levels: lengths of trainings, rising.
            eta: factor by which each level keeps fewer.
        """
        while count and _cost(count, levels, eta) > self.problem.remaining + 1e-9:
            count -= 1
        rows: list[Architecture] = []
        left = count
        while left and (group := self._group(propose, left)):
            left -= len(group)
            rows += self.train(group, levels[0])
            for row in group:
                if not self.epochs[row]:  # was not paid
                    del self.epochs[row]
        if not rows:
            self.finish()
            return
        rows.sort(key=self.values[levels[0]].__getitem__, reverse=True)
        for level in levels[1:]:
            rows = self.train(rows[: _going_on(len(rows), eta)], level)
            if not rows:  # no more queries
                return

    def _group(self, propose: Callable[[], Architecture | None], most: int) -> list[Architecture]:
        """Proposals to be trained side by side: one for each simulated worker."""
        clock = self.problem.clock
        group: list[Architecture] = []
        while len(group) < min(most, 1 if clock is None else clock.workers):
            row = propose()
            if row is None:
                break
            self.epochs[row] = 0  # so that it is not proposed again
            group.append(row)
        return group

    def finish(self) -> None:
        """Train in full what was trained longest, the best of it first, as far as budget goes."""
        while not self.problem.done:
            partial = [row for row, epochs in self.epochs.items() if epochs < self.full]
            partial.sort(key=lambda row: (self.epochs[row], self._last(row)), reverse=True)
            left = math.floor(min(1.0, self.problem.remaining) * self.full + 1e-6)
            payable = [row for row in partial if self.full - self.epochs[row] <= left]
            row = payable[0] if payable else self.fresh() or next(iter(partial), None)
            if row is None:
                return
            self.train([row], min(self.full, self.epochs.get(row, 0) + left))

    def _last(self, row: Architecture) -> float:
        return self.values[self.epochs[row]][row]


def _going_on(count: int, eta: float) -> int:
    return max(1, math.floor(count / eta + 1e-9))


def _cost(count: int, levels: list[int], eta: float) -> float:
    """Cost of a bracket, in full trainings."""
    total, before = 0, 0
    for level in levels:
        total += count * (level - before)
        count, before = _going_on(count, eta), level
    return total / levels[-1]
