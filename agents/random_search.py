"""Random search: architectures drawn uniformly and independently.

The baseline of every comparison (Li & Talwalkar, *Random Search and Reproducibility for Neural
Architecture Search*, UAI 2019).
"""

from __future__ import annotations

import numpy as np

from blox_env.agent import AskTellAgent
from blox_env.ground.errors import check_positive_int
from blox_env.ground.typing import IntArray
from blox_env.problem import Problem
from blox_env.problem.history import Trials


class RandomSearch(AskTellAgent):
    """Uniform draws with replacement; a repeat costs nothing, so it needs no care.

    Args:
        batch: architectures drawn at once; results do not depend on it.
    """

    searches_for = "several"

    def __init__(self, batch: int = 1) -> None:
        self.batch = check_positive_int("batch", batch)

    def start(self, problem: Problem, rng: np.random.Generator) -> None:
        """Nothing to prepare."""
        self._candidates = problem.candidates
        self._rng = rng

    def ask(self, n: int) -> IntArray:
        """``n`` uniform draws."""
        return self._candidates.sample(self._rng, n)

    def tell(self, x: IntArray, trials: Trials) -> None:
        """Nothing is learned."""
