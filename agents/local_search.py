"""Local search: walk to a better neighbour until there is none, then begin elsewhere.

White et al., *Local Search is State of the Art for Neural Architecture Search Benchmarks*, 2020.
The neighbours of an architecture differ from it in one slot. With ``neighbors="all"``, the paper's
main form, all of them are evaluated and the best one is the next step; with ``"first"``, a form
that the paper also studies, the first better one is. At a local optimum the search restarts.
Deviations: the default is ``"first"``, because a Blox architecture has 132 neighbours and the
paper's spaces about 25; neighbours are tried in random order; what was evaluated before is compared
but not asked for again. Defaults: on ``digits`` with latency ``"first"`` is better than ``"all"``,
and more than the published single architecture to begin with makes no difference beyond the noise
(``perf/tune_agents.py --agent local-search --trials 13``).
"""

from __future__ import annotations

import numpy as np

from blox_env.agent import AskTellAgent
from blox_env.ground.errors import check_positive_int, unknown_name
from blox_env.ground.typing import IntArray
from blox_env.problem import Problem
from blox_env.problem.history import Trials

_REDRAWS = 100
_NEIGHBORS = ("first", "all")

Architecture = tuple[int, ...]


class LocalSearch(AskTellAgent):
    """Hill climbing with restarts.

    Args:
        neighbors: ``"first"`` moves to the first better neighbour, ``"all"`` to the best one.
        initial: random architectures at the start and at a restart; the best is where it begins.
        batch: neighbours evaluated between two decisions.
    """

    searches_for = "one"

    def __init__(self, neighbors: str = "first", initial: int = 1, batch: int = 1) -> None:
        if neighbors not in _NEIGHBORS:
            raise ValueError(unknown_name("neighbors", neighbors, _NEIGHBORS))
        self.neighbors = neighbors
        self.initial = check_positive_int("initial", initial)
        self.batch = check_positive_int("batch", batch)

    def start(self, problem: Problem, rng: np.random.Generator) -> None:
        """Know nothing, stand nowhere."""
        self._problem = problem
        self._candidates = problem.candidates
        self._rng = rng
        self._known: dict[Architecture, float] = {}
        self._here: Architecture | None = None
        self._better: Architecture | None = None  # the best one seen from here, if better
        self._waiting: list[Architecture] = []  # neighbours still to be evaluated
        self._near: set[Architecture] = set()  # all neighbours
        self._pending: set[Architecture] = set()  # proposed and not told of
        self._drawn = 0  # since the restart

    def ask(self, n: int) -> IntArray:
        """Neighbours of where the search stands; random architectures beyond them."""
        proposals, self._waiting = self._waiting[:n], self._waiting[n:]
        while len(proposals) < n:
            proposals.append(self._fresh())
        self._pending.update(proposals)
        return np.array(proposals, dtype=np.int64)

    def tell(self, x: IntArray, trials: Trials) -> None:
        """Move, stay or restart."""
        values = self._problem.values(trials)[:, 0]
        for row, value in zip(map(tuple, x.tolist()), values.tolist(), strict=True):
            self._known[row] = value
            self._pending.discard(row)
            self._drawn += 1
            if self._better is None or value > self._known[self._better]:
                self._better = row
        if self._here is None and self._drawn < self.initial:
            return
        while self._decided():
            if self._better == self._here:  # a local optimum
                self._here, self._better, self._drawn = None, None, 0
                self._near = set()
                return
            self._here = self._better
            self._look_around()

    def _decided(self) -> bool:
        """True if the next step does not wait for another evaluation."""
        if self.neighbors == "first" and self._here is not None and self._better != self._here:
            return True
        return not self._waiting and self._near.isdisjoint(self._pending)

    def _look_around(self) -> None:
        """Sort the neighbours into those to be evaluated and those known, the best of them first.

        Expects ``_here``, and leaves ``_better`` at the best known of it and its neighbours.
        """
        assert self._here is not None
        around = [tuple(row) for row in self._candidates.neighbors(self._here).tolist()]
        known = [row for row in around if row in self._known]
        self._better = max([self._here, *known], key=self._known.__getitem__)
        self._near = set(around)
        self._waiting = [r for r in around if r not in self._known and r not in self._pending]
        self._rng.shuffle(self._waiting)

    def _fresh(self) -> Architecture:
        """A random architecture, neither known nor pending if such a one is found."""
        row: Architecture = ()
        for _ in range(_REDRAWS):
            row = tuple(self._candidates.sample(self._rng, 1)[0].tolist())
            if row not in self._known and row not in self._pending:
                break
        return row
