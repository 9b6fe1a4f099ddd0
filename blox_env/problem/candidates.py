"""The architectures that a search may propose: the whole space, or what is known and allowed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from blox_env.ground.typing import BoolArray, IntArray
from blox_env.spaces.base import SearchSpace

_CELLS = 10**7  # of a comparison of rows with candidates at once


class Candidates:
    """The whole space, or some architectures of it, and how to move among them.

    A benchmark or device need not know every architecture of its space, and constraints leave some
    out. Nothing here lists the space: only what is given is listed.

    Args:
        space: of the architectures.
        rows: architectures ``(k, slots)``, in any order; None for the whole space.
        what: what they are, in a sentence such as ``"known"``.

    Attributes:
        complete: whether every architecture of the space is one.
        count: number of them, exact whatever its magnitude.

    Raises:
        ValueError: where there is none.
    """

    def __init__(
        self, space: SearchSpace, rows: ArrayLike | None = None, what: str = "known"
    ) -> None:
        self.space, self._what = space, what
        self.complete = rows is None
        self._rows = np.zeros((0, space.slots), dtype=np.int64)
        if rows is not None:
            if space.enumerable:
                self._keys = np.unique(space.index(rows))
                self._rows = space.from_index(self._keys)
            else:
                checked = space.check(rows)
                self._keys, first = np.unique(self._key(checked), return_index=True)
                self._rows = checked[first]
            if not len(self._rows):
                raise ValueError(f"no architecture of {space!r} is {what}")
            self._rows.setflags(write=False)
        self.count = space.size if rows is None else len(self._rows)

    def __str__(self) -> str:
        """Counts in words: so many of so many, and what they are."""
        size = self.space.size
        share = f"{100 * self.count / size:.3g} %"
        return f"{self.count:,} of {size:,} architectures are {self._what} ({share})"

    def __deepcopy__(self, memo: dict[int, object]) -> Candidates:
        """The candidates themselves: nothing in them changes."""
        return self

    @property
    def listable(self) -> bool:
        """True where all of them can be listed and kept."""
        return not self.complete or self.space.listable

    def all(self) -> IntArray:
        """All candidates ``(count, slots)``, in the order of :meth:`place`.

        Raises:
            ValueError: for a whole space that is too large to list.
        """
        return self.space.all() if self.complete else self._rows

    def contains(self, x: ArrayLike) -> BoolArray:
        """Mask of the architectures ``(n, slots)`` that are candidates, ``(n,)``."""
        rows = self.space.check(x)
        return np.ones(len(rows), bool) if self.complete else self.place(rows) >= 0

    def place(self, x: IntArray) -> IntArray:
        """Place of each architecture among the candidates, ``(n,)``, -1 for others."""
        keys = self._key(x)
        found = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return np.where(self._keys[found] == keys, found, -1)

    def sample(self, rng: np.random.Generator, n: int) -> IntArray:
        """Draw ``n`` candidates uniformly, with replacement.

        Args:
            rng: the generator.
            n: how many.
        """
        if self.complete:
            return self.space.sample(rng, n)
        drawn: IntArray = self._rows[rng.integers(0, self.count, size=int(n))]
        return drawn

    def neighbors(self, row: ArrayLike) -> IntArray:
        """The candidates that differ from an architecture ``(slots,)`` in one slot, ``(m, slots)``.

        They come in the order of :meth:`SearchSpace.neighbors`; there may be none.
        """
        around: IntArray = self.space.neighbors(row)[0]
        return around if self.complete else around[self.contains(around)]

    def nearest(
        self, x: IntArray, rng: np.random.Generator, fresh: BoolArray | None = None
    ) -> IntArray:
        """Architectures ``(n, slots)``, what is no candidate moved to one.

        To one that differs in the fewest slots, of several to a random one. Nothing is drawn where
        all are candidates.

        Args:
            x: the architectures.
            rng: for the choice among equally near ones.
            fresh: which candidates are preferred, however far, ``(count,)``; None for none.
        """
        if self.complete or (inside := self.contains(x)).all():
            return x
        moved = np.array(x, dtype=np.int64)
        free = self._rows
        if fresh is not None and fresh.any():
            free = free[fresh]
        outside = np.flatnonzero(~inside)
        step = max(1, _CELLS // free.size)
        for start in range(0, len(outside), step):
            own = outside[start : start + step]
            apart = np.zeros((len(own), len(free)), dtype=np.int16)
            for slot in range(self.space.slots):
                apart += moved[own, slot][:, None] != free[:, slot]
            least = apart == apart.min(axis=1)[:, None]
            wanted = rng.integers(0, least.sum(axis=1))
            moved[own] = free[(np.cumsum(least, axis=1) > wanted[:, None]).argmax(axis=1)]
        return moved

    def restricted(
        self, within: Callable[[IntArray], BoolArray], what: str, *, limit: int
    ) -> Candidates:
        """Those candidates that are within something; the same where they are too many to list.

        Args:
            within: mask of architectures ``(n, slots) -> (n,)``.
            what: what they are, in words.
            limit: largest number of candidates that is listed.
        """
        if self.count > limit:
            return self
        rows = self.all()
        return Candidates(self.space, rows[within(rows)], what)

    def _key(self, rows: IntArray) -> IntArray:
        """Keys of architectures, ``(n,)``: their numbers, or their bytes."""
        if self.space.enumerable:
            return self.space.index(rows)
        packed = np.ascontiguousarray(rows, dtype=">i4")
        return packed.view(f"S{packed.shape[1] * 4}").ravel()


def common(space: SearchSpace, *known: ArrayLike | None) -> IntArray | None:
    """Architectures ``(k, slots)`` that several know, each given as rows; None: all of the space.

    Args:
        space: of the architectures.
        known: what each knows, None for everything.

    Raises:
        ValueError: where they have none in common.
    """
    shared: IntArray | None = None
    for rows in known:
        if rows is None:
            continue
        own = space.check(rows)
        if shared is not None:
            own = own[Candidates(space, shared).contains(own)] if len(shared) else own[:0]
        shared = own
    if shared is not None and not len(shared):
        raise ValueError(
            f"no architecture of {space!r} is known: benchmark and device have none in common"
        )
    return shared
