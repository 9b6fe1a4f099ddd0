"""Blockwise search without a good teacher: the blocks of a random network first.

Chau et al., *Blox*, NeurIPS 2022, ask whether a poor teacher is enough if the search is repeated: a
random network teaches all blocks, the best architecture found by their signatures is trained and
teaches next. On a table the rounds are those of a run whose signatures it holds (``round0``,
``round1``, … of its ``blocks()``): what that run spent on blocks, on fine-tuning and on the next
teacher is paid when a round begins. In each round the search trains ``each`` architectures of the
lowest sum of signatures; after the last round that the budget pays for, it goes on as ``donna``
does, on that round's signatures and all trials.
Deviations: the teacher of the next round is the one that the run had found, not what this search
found. ``each`` and ``batch`` are not tuned.
"""

from __future__ import annotations

import numpy as np

from blox_env.agents._blockwise import Blockwise, check_measure
from blox_env.benchmarks.blocks import TaughtBlocks
from blox_env.ground.errors import check_positive_int
from blox_env.ground.typing import IntArray
from blox_env.networks.predictors import Predictor, SecondOrder, SignatureSum
from blox_env.problem import Problem


class IterativeBlockwise(Blockwise):
    """Rounds of better and better teachers, the first one random.

    Args:
        each: architectures that are trained in a round, the first two of the first at random.
        rounds: at most so many.
        batch: architectures between two fits after the last round.
        measure: ``"nsr"``, ``"mse"`` or ``"swap_acc"``.
    """

    name = "iterative-blockwise"
    initial = 2

    def __init__(
        self, each: int = 5, rounds: int = 3, batch: int = 5, measure: str = "nsr"
    ) -> None:
        self.each = check_positive_int("each", each, 3)
        self.rounds = check_positive_int("rounds", rounds)
        self.batch = check_positive_int("batch", batch)
        self.measure = check_measure(measure)

    def start(self, problem: Problem, rng: np.random.Generator) -> None:
        """Forget everything, and pay for the first round."""
        self._round = 0
        super().start(problem, rng)

    def choose(self, teachers: dict[str, TaughtBlocks]) -> TaughtBlocks:
        """The random teacher."""
        found = [f"round{number}" for number in range(self.rounds)]
        self._rounds = [teachers[name] for name in found if name in teachers]
        if not self._rounds:
            raise ValueError(
                f"benchmark {self._problem.benchmark.name!r} has no blocks of a random teacher "
                f"(round0), got {', '.join(teachers)}"
            )
        return self._rounds[0]

    def model(self, blocks: TaughtBlocks) -> Predictor:
        """The regression that goes on after the last round."""
        return SecondOrder(blocks.signatures, self.measure)

    def _propose(self, n: int) -> IntArray:
        """The rounds, then the best predicted of all trials."""
        known = len(self._rows) + len(self._pending)
        if known < self.initial:
            return self._random(min(n, self.initial - known))
        if known >= self.each * (self._round + 1):
            if self._next_round():
                return self._by_sum(min(n, self.each))
            return super()._propose(n)
        return self._by_sum(min(n, self.each * (self._round + 1) - known))

    def _next_round(self) -> bool:
        """Begin the next round if there is one and the budget pays for it."""
        if self._round + 1 >= len(self._rounds):
            return False
        after = self._rounds[self._round + 1]
        if self.price(after) + self.each > self._problem.remaining:
            self._rounds = self._rounds[: self._round + 1]
            return False
        self._round += 1
        self.pay(after)
        return True

    def _by_sum(self, n: int) -> IntArray:
        """The next in the ranking of this round; random ones while no trial has ended."""
        if not self._known:
            return self._random(n)
        ranking = SignatureSum(self._taught.signatures, self.measure)
        ranking.fit(self._seen(), self._accuracies)
        return self._best(lambda x: self.rewards(x, ranking.predict(x)), n)
