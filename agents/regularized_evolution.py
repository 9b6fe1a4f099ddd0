"""Regularized evolution, also called aging evolution.

Real et al., *Regularized Evolution for Image Classifier Architecture Search*, AAAI 2019. A queue of
``population`` architectures; the best of ``sample`` random members is mutated in one slot, the
child joins the queue and the oldest member leaves it.
Deviation: a mutation changes a slot to a *different* option, never to the one it had, and one that
gives an architecture of the present population is drawn again a few times.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from blox_env.agent import AskTellAgent
from blox_env.ground.errors import check_positive_int
from blox_env.ground.typing import IntArray
from blox_env.problem import Problem
from blox_env.problem.history import Trials
from blox_env.spaces.base import SearchSpace

_REDRAWS = 10


class RegularizedEvolution(AskTellAgent):
    """Mutation of tournament winners in a population that forgets its oldest.

    Args:
        population: members of the queue (Real et al.: 100).
        sample: members of a tournament (Real et al.: 25).
        batch: children between two updates of the population.
    """

    searches_for = "one"

    def __init__(self, population: int = 50, sample: int = 10, batch: int = 1) -> None:
        self.population = check_positive_int("population", population)
        self.sample = check_positive_int("sample", sample)
        if self.sample > self.population:
            raise ValueError(f"sample must be at most population {population}, got {sample}")
        self.batch = check_positive_int("batch", batch)

    def start(self, problem: Problem, rng: np.random.Generator) -> None:
        """Empty the population."""
        self._problem = problem
        self._space: SearchSpace = problem.space
        self._rng = rng
        self._members: deque[tuple[tuple[int, ...], float]] = deque(maxlen=self.population)

    def ask(self, n: int) -> IntArray:
        """Random architectures until the population is full, then children."""
        if len(self._members) < self.population:
            return self._problem.candidates.sample(self._rng, n)
        children = np.array([self._child() for _ in range(n)], dtype=np.int64)
        return self._problem.propose(children, self._rng)

    def tell(self, x: IntArray, trials: Trials) -> None:
        """Append the newest, drop the oldest."""
        values = self._problem.values(trials)[:, 0]
        self._members.extend(zip(map(tuple, x.tolist()), values.tolist(), strict=True))

    def _child(self) -> tuple[int, ...]:
        rng, options = self._rng, self._space.options
        drawn = rng.choice(len(self._members), self.sample, replace=False)
        parent = max((self._members[i] for i in drawn), key=lambda member: member[1])[0]
        present = {member[0] for member in self._members}
        slots = [slot for slot, count in enumerate(options) if count > 1]
        child = parent
        for _ in range(_REDRAWS):
            slot = slots[rng.integers(len(slots))]
            option = int(rng.integers(options[slot] - 1))
            option += option >= parent[slot]
            child = (*parent[:slot], option, *parent[slot + 1 :])
            if child not in present:
                break
        return child
