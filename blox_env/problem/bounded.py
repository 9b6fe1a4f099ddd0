"""Candidates within constraints of a space too large to list: drawn and repaired by bounds."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from blox_env.ground.typing import BoolArray, IntArray
from blox_env.problem.bounds import Bounds
from blox_env.problem.candidates import Candidates
from blox_env.problem.constraints import Constraints
from blox_env.spaces.base import SearchSpace

_DRAWN = 4096  # architectures that are drawn at once
_FEW = 32  # of them: with fewer within the constraints, drawing goes by bounds


class BoundedCandidates(Candidates):
    """The architectures within constraints, of which nobody has a list.

    To the outside they are the whole space (``complete``), since they cannot be listed; what is
    drawn, moved to and met is within the constraints, as far as their bounds are exact.

    Args:
        space: of the architectures.
        constraints: limits, all with bounds.

    Raises:
        ValueError: for a constraint without bounds, or where nothing keeps to all of them.
    """

    def __init__(self, space: SearchSpace, constraints: Constraints) -> None:
        super().__init__(space)
        self._constraints = constraints
        self._bounds = Bounds(constraints.terms())
        self._bounds.check()

    def __str__(self) -> str:
        """The constraints; how many keep to them is not known."""
        return f"those of {self.space.size:,} architectures that are within {self._constraints}"

    def contains(self, x: ArrayLike) -> BoolArray:
        """Mask of the architectures ``(n, slots)`` that are within the constraints, ``(n,)``."""
        return self._constraints.within(self.space.check(x))

    def sample(self, rng: np.random.Generator, n: int) -> IntArray:
        """Draw ``n`` candidates, with replacement.

        Uniformly, where at least one in a hundred architectures is one. Else slot by slot among the
        options that lead to one, which makes some likelier than others.

        Args:
            rng: the generator.
            n: how many.
        """
        drawn = self.space.sample(rng, _DRAWN)
        found = [drawn[self.contains(drawn)]]
        if len(found[0]) < _FEW:
            return self._walk(self.space.sample(rng, n), rng, np.zeros(n, bool))
        while sum(map(len, found)) < n:
            drawn = self.space.sample(rng, _DRAWN)
            found.append(drawn[self.contains(drawn)])
        return np.concatenate(found)[:n]

    def neighbors(self, row: ArrayLike) -> IntArray:
        """The candidates that differ from an architecture ``(slots,)`` in one slot, ``(m, slots)``.

        They come in the order of :meth:`SearchSpace.neighbors`; there may be none.
        """
        around: IntArray = self.space.neighbors(row)[0]
        return around[self.contains(around)]

    def nearest(
        self, x: IntArray, rng: np.random.Generator, fresh: BoolArray | None = None
    ) -> IntArray:
        """Architectures ``(n, slots)``, what is no candidate moved to one that is near.

        Slot by slot, an option that leads to no candidate becomes a random one that does. Nothing
        is drawn where all are candidates.

        Args:
            x: the architectures.
            rng: for the choice among options.
            fresh: of candidates that are listed; means nothing here.
        """
        outside = np.flatnonzero(~self.contains(x))
        if not len(outside):
            return x
        moved = np.array(x, dtype=np.int64)
        moved[outside] = self._walk(moved[outside], rng, np.ones(len(outside), bool))
        return moved

    def _walk(self, rows: IntArray, rng: np.random.Generator, keep: BoolArray) -> IntArray:
        """Rows whose options lead to candidates, from the first slot on.

        Args:
            rows: architectures ``(n, slots)``.
            rng: for the choice among options.
            keep: where an option that leads to one stays, ``(n,)``.
        """
        found, own = np.array(rows, dtype=np.int64), np.arange(len(rows))
        for slot in range(self.space.slots):
            fits = self._bounds.ahead(slot, found)
            stays = keep & fits[own, found[:, slot]]
            wanted = np.floor(rng.random(len(rows)) * fits.sum(axis=1)).astype(np.int64)
            chosen = (np.cumsum(fits, axis=1) > wanted[:, None]).argmax(axis=1)
            found[:, slot] = np.where(stays, found[:, slot], chosen)
        return found
