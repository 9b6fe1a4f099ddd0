"""Common parts of agents that fit a model to accuracies: known and pending architectures."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

import numpy as np

from blox_env.agent import AskTellAgent, Seed
from blox_env.ground.extras import extra
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem import Problem
from blox_env.problem.history import Trials
from blox_env.problem.pareto import front
from blox_env.spaces.base import SearchSpace

LISTED = 10_000  # architectures of a space that is listed as a whole
_REDRAWS = 1000


class ModelBased(AskTellAgent):
    """Keeps every architecture once, with its values; linear algebra has one thread meanwhile.

    Results would depend on the number of threads in the last digits, and so do trials. Called
    through ``ask`` and ``tell`` the number is the caller's business.

    Attributes:
        name: of the agent, for messages.
    """

    name: str

    def search(self, problem: Problem, *, seed: Seed) -> None:
        """Search with a single thread of BLAS; afterwards it has as many as before."""
        with extra("surrogate", f"the agent {self.name}"):
            import scipy.linalg  # noqa: F401 (an extra; loads the BLAS that is limited)
            from threadpoolctl import (  # type: ignore[import-untyped]
                threadpool_limits,
            )
        with threadpool_limits(1, user_api="blas"):
            super().search(problem, seed=seed)

    def ask(self, n: int) -> IntArray:
        """Propose up to ``n`` architectures, none of which is known or pending if that can be."""
        x = self._propose(n)
        self._pending |= dict.fromkeys(map(tuple, x.tolist()))
        return x

    @abstractmethod
    def _propose(self, n: int) -> IntArray:
        """Up to ``n`` architectures ``(k, slots)``."""

    def start(self, problem: Problem, rng: np.random.Generator) -> None:
        """Forget everything."""
        self._problem, self._rng = problem, rng
        self._space: SearchSpace = problem.space
        self._rows: dict[tuple[int, ...], int] = {}  # what is known -> its place
        self._pending: dict[tuple[int, ...], None] = {}  # proposed and not told of
        self._values: FloatArray = np.empty((0, len(problem.objectives)))
        self._allowed = problem.candidates
        few = self._allowed.count <= LISTED
        self._every = self._allowed.all() if few else None

    def tell(self, x: IntArray, trials: Trials) -> None:
        """Remember what is new."""
        new = []
        for i, row in enumerate(map(tuple, x.tolist())):
            self._pending.pop(row, None)
            if row not in self._rows:
                self._rows[row] = len(self._rows)
                new.append(i)
        self._values = np.concatenate([self._values, self._problem.values(trials)[new]])

    def _seen(self) -> IntArray:
        """Known architectures ``(n, slots)``, in the order of their values."""
        return np.array(list(self._rows), dtype=np.int64).reshape(-1, self._space.slots)

    def _unseen(self, x: Iterable[tuple[int, ...]]) -> IntArray:
        """The different candidates among ``x`` not known nor pending, ``(n, slots)``, in order."""
        taken = self._rows.keys() | self._pending.keys() if self._pending else self._rows
        rows = [row for row in dict.fromkeys(x) if row not in taken]
        found = np.array(rows, dtype=np.int64).reshape(-1, self._space.slots)
        return found[self._allowed.contains(found)]

    def _random(self, n: int) -> IntArray:
        """Up to ``n`` different architectures neither known nor pending, uniformly."""
        if self._every is not None:
            left = self._unseen(map(tuple, self._every.tolist()))
            return left[self._rng.permutation(len(left))[:n]]
        drawn: dict[tuple[int, ...], None] = {}
        for _ in range(_REDRAWS):
            more = self._allowed.sample(self._rng, n - len(drawn))
            drawn |= dict.fromkeys(
                row
                for row in map(tuple, more.tolist())
                if row not in self._rows and row not in self._pending
            )
            if len(drawn) == n:
                break
        return self._unseen(drawn)

    def _pool(self, n: int) -> IntArray:
        """Architectures neither known nor pending to choose from, ``(k, slots)``.

        All of a small space; of a larger one about ``n``, half of them neighbours of the best (or
        of the front) and half random.
        """
        if self._every is not None:
            return self._unseen(map(tuple, self._every.tolist()))
        if self._values.shape[1] == 1:
            best = np.argsort(-self._values[:, 0], kind="stable")[:5]
        else:
            best = np.flatnonzero(front(self._values, maximise=True))
        near = self._space.neighbors(self._seen()[best]).reshape(-1, self._space.slots)
        if len(near) > n // 2:
            near = near[self._rng.permutation(len(near))[: n // 2]]
        far = self._allowed.sample(self._rng, n - len(near))
        return self._unseen(map(tuple, np.concatenate([near, far]).tolist()))

    def _mutants(self, parents: IntArray, n: int, slots: int) -> IntArray:
        """Architectures neither known nor pending; random ones make up for what is missing.

        Args:
            parents: ``(k, slots)``, each of which has equally many mutants.
            n: how many are made before those that are known are left out.
            slots: they differ from their parents in one to so many.
        """
        rng, options = self._rng, np.asarray(self._space.options)
        children = np.repeat(parents, -(-n // len(parents)), axis=0)
        changed = rng.integers(1, min(slots, len(options)) + 1, size=len(children))
        rank = rng.random(children.shape).argsort(axis=1)  # of the slots, for every child
        other = children + rng.integers(1, np.maximum(options, 2), size=children.shape)
        children = np.where(rank < changed[:, None], other % options, children)
        mutants = self._unseen(map(tuple, children.tolist()))
        return mutants if len(mutants) >= n // 2 else np.concatenate([mutants, self._random(n)])


def model_features(space: SearchSpace, x: IntArray) -> FloatArray:
    """``ops`` features where the space has them, else one-hot ones: ``(n, features)``."""
    return space.features(x, "ops" if "ops" in space.feature_kinds() else "onehot")


def clip_level(values: FloatArray) -> float:
    """The level that lower values ``(n,)`` are moved up to before a model sees them.

    Twice as far below the median as the best is above it: how bad the bad ones are says little
    about the good ones, and would dominate what is fitted.
    """
    middle = float(np.median(values))
    return middle - 2 * (float(values.max()) - middle)
