"""Simulated annealing: a random walk that accepts worse steps ever more rarely.

Kirkpatrick, Gelatt & Vecchi, *Optimization by Simulated Annealing*, Science 1983. A random
neighbour (one slot changed) is accepted if it is better, else with probability exp(Δ/T); T falls
geometrically, as in the paper. The paper leaves the scale to the user; here the first ``initial``
random architectures set it: T goes from ``hot`` to ``cold`` times the standard deviation of their
values, over the budget, and the walk begins at the best of them.
Deviations: steps over architectures that were evaluated before use their known values and cost
nothing, so only new ones are proposed; a walk that finds nothing new any more begins anew at
random. Defaults: of 48 random draws on ``digits`` with latency (``perf/tune_agents.py --agent
simulated-annealing --trials 48 --finalists 6``) the second best, which falls further than the best
one (20, 0.02, 0.01) and ends better.
"""

from __future__ import annotations

import math

import numpy as np

from blox_env.agent import AskTellAgent
from blox_env.ground.errors import check_positive_int
from blox_env.ground.typing import IntArray
from blox_env.problem import Problem
from blox_env.problem.history import Trials
from blox_env.spaces.base import SearchSpace

_STEPS = 1000  # over known architectures before the walk begins anew
_REDRAWS = 100
_UNLIMITED = 1000  # length of the schedule for a problem without a budget

Architecture = tuple[int, ...]


class SimulatedAnnealing(AskTellAgent):
    """Metropolis steps under a temperature that falls over the budget.

    Args:
        initial: random architectures that set the scale of the temperature.
        hot: first temperature, in standard deviations of the initial values.
        cold: last temperature, in the same unit.
        batch: steps proposed at once, all from the same place.
    """

    searches_for = "one"

    def __init__(
        self, initial: int = 10, hot: float = 0.05, cold: float = 0.001, batch: int = 1
    ) -> None:
        self.initial = check_positive_int("initial", initial)
        self.hot, self.cold = float(hot), float(cold)
        if not 0 < self.cold <= self.hot < math.inf:
            raise ValueError(f"expected 0 < cold <= hot, got hot={hot!r} and cold={cold!r}")
        self.batch = check_positive_int("batch", batch)

    def start(self, problem: Problem, rng: np.random.Generator) -> None:
        """Know nothing, stand nowhere."""
        self._problem = problem
        self._space: SearchSpace = problem.space
        self._rng = rng
        self._length = problem.budget or _UNLIMITED
        self._slots = [slot for slot, count in enumerate(problem.space.options) if count > 1]
        self._known: dict[Architecture, float] = {}
        self._pending: set[Architecture] = set()  # proposed and not told of
        self._scale = 0.0
        self._here: Architecture | None = None

    def ask(self, n: int) -> IntArray:
        """Random architectures until the scale is known, then steps of the walk."""
        steps: list[Architecture] = []
        for _ in range(n):
            step = self._problem.propose(self._step(), self._rng)[0]
            steps.append(tuple(step.tolist()))
        self._pending.update(steps)
        return np.array(steps, dtype=np.int64)

    def tell(self, x: IntArray, trials: Trials) -> None:
        """Accept or reject."""
        values = self._problem.values(trials)[:, 0]
        for row, value in zip(map(tuple, x.tolist()), values.tolist(), strict=True):
            self._known[row] = value
            self._pending.discard(row)
            if self._scale or len(self._known) > self.initial:
                self._accept(row)
            elif len(self._known) == self.initial:
                self._scale = float(np.std(list(self._known.values())))
                self._here = max(self._known, key=self._known.__getitem__)

    def temperature(self) -> float:
        """The present temperature, in the unit of the objective."""
        done = (len(self._known) - self.initial) / max(1, self._length - self.initial)
        falling: float = (self.cold / self.hot) ** min(1.0, max(0.0, done))
        return self._scale * self.hot * falling

    def _accept(self, row: Architecture) -> None:
        if self._here is None:
            self._here = row
            return
        change = self._known[row] - self._known[self._here]
        temperature = self.temperature()
        if change >= 0 or (temperature and self._rng.random() < math.exp(change / temperature)):
            self._here = row

    def _step(self) -> Architecture:
        """Walk over known architectures until a new one is next, not one that is pending."""
        rng = self._rng
        if self._here is not None and self._slots:
            for _ in range(_STEPS):
                slot = self._slots[rng.integers(len(self._slots))]
                option = int(rng.integers(self._space.options[slot] - 1))
                option += option >= self._here[slot]
                row = (*self._here[:slot], option, *self._here[slot + 1 :])
                if row in self._known:
                    self._accept(row)
                elif row not in self._pending:
                    return row
            self._here = None
        for _ in range(_REDRAWS):
            row = tuple(self._problem.candidates.sample(rng, 1)[0].tolist())
            if row not in self._known and row not in self._pending:
                break
        return row
