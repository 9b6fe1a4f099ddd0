"""Common parts of agents that predict accuracies from signatures of distilled blocks.

They pay for what the signatures took before anything else: the training of the teacher and of all
135 blocks, in full trainings of the benchmark (seconds over the mean of its ``train_time_s``,
rounded up), and in simulated time, which all workers share. After that every architecture that
they propose is trained in full, as everybody's.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable

import numpy as np

from blox_env.agents._model_based import ModelBased
from blox_env.benchmarks.blocks import TaughtBlocks
from blox_env.ground.errors import unknown_name
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.networks.predictors import Predictor
from blox_env.networks.signatures import MEASURES
from blox_env.problem import Problem
from blox_env.problem.history import Trials

RANKED = 200_000  # architectures that are all ranked; of more, some are drawn
_DRAWN = 2000  # architectures whose mean training time is that of all


Scorer = Callable[[IntArray], FloatArray]


class Blockwise(ModelBased):
    """Random architectures first, then those of the highest predicted reward.

    Latencies are known beforehand, as signatures are, so a predicted accuracy is enough.

    Attributes:
        initial: random architectures at the start.
        teacher: whose blocks.
        candidates: architectures that are ranked at a time, 0 for all of a space that is listed.
    """

    requires = frozenset({"blocks"})
    searches_for = "reward"
    initial: int
    teacher: str
    candidates: int = 0

    def start(self, problem: Problem, rng: np.random.Generator) -> None:
        """Forget everything, and pay for the blocks."""
        super().start(problem, rng)
        self._known: dict[tuple[int, ...], float] = {}  # accuracies, in the order of rows
        self._ranked: IntArray | None = None
        if not self.candidates and problem.candidates.count <= RANKED:
            self._ranked = problem.candidates.all()
        self.pay(self.choose({each.name: each for each in problem.benchmark.blocks()}))

    def choose(self, teachers: dict[str, TaughtBlocks]) -> TaughtBlocks:
        """The teacher to begin with, out of those by name."""
        if self.teacher not in teachers:
            raise ValueError(unknown_name("teacher", self.teacher, teachers))
        return teachers[self.teacher]

    def price(self, blocks: TaughtBlocks) -> int:
        """Price of a teacher's blocks in full trainings."""
        return math.ceil(blocks.seconds / mean_training_s(self._problem))

    def pay(self, blocks: TaughtBlocks) -> None:
        """Spend what a teacher's blocks cost, and use them from now on."""
        self._problem.charge(self.price(blocks), blocks.seconds)
        self._taught = blocks
        self._model = self.model(blocks)

    @abstractmethod
    def model(self, blocks: TaughtBlocks) -> Predictor:
        """The interface of what learns from signatures and accuracies."""

    def tell(self, x: IntArray, trials: Trials) -> None:
        """Remember accuracies beside rewards."""
        super().tell(x, trials)
        for row, accuracy in zip(map(tuple, x.tolist()), trials.val_acc.tolist(), strict=True):
            self._known.setdefault(row, accuracy)

    @property
    def _accuracies(self) -> FloatArray:
        """Of what is known ``(n,)``, in its order."""
        return np.array(list(self._known.values()))

    def _propose(self, n: int) -> IntArray:
        """Random architectures, then the best predicted."""
        if len(self._rows) < self.initial:
            return self._random(min(n, self.initial - len(self._rows)))
        self._model.fit(self._seen(), self._accuracies)
        return self._best(self._predicted, n)

    def _predicted(self, x: IntArray) -> FloatArray:
        """Predicted rewards ``(n,)``."""
        return self.rewards(x, self._model.predict(x))

    def rewards(self, x: IntArray, val_acc: FloatArray) -> FloatArray:
        """Rewards ``(n,)`` of accuracies that are not known but predicted.

        Args:
            x: the architectures.
            val_acc: their accuracies.
        """
        device = self._problem.device
        latency = np.full(len(x), np.nan) if device is None else device.latency_ms(x)
        return self._problem.rewards(np.clip(val_acc, 0.0, 1.0), latency, x=x)

    def _best(self, score: Scorer, n: int) -> IntArray:
        """The ``n`` of the highest score that are neither known nor pending."""
        pool = self._pool(self.candidates) if self._ranked is None else self._ranked
        if not len(pool):
            return self._random(n)
        order = np.argsort(-score(pool), kind="stable")
        first = order[: n + len(self._rows) + len(self._pending)]
        found = self._unseen(map(tuple, pool[first].tolist()))[:n]
        return found if len(found) else self._random(n)


def mean_training_s(problem: Problem) -> float:
    """Mean seconds of a full training on the problem's benchmark, over candidates drawn evenly."""
    rows = problem.candidates.sample(np.random.default_rng(0), _DRAWN)
    return float(np.mean(problem.benchmark.evaluate(rows).train_time_s))


def check_measure(measure: str) -> str:
    """A measure of signatures by name.

    Raises:
        ValueError: for another, with the closest.
    """
    if measure not in MEASURES:
        raise ValueError(unknown_name("measure", measure, MEASURES))
    return measure
