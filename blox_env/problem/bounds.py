"""Bounds of what is limited, for architectures of which only the first slots are chosen.

Sizes that are sums over the slots, or the largest of them, have exact ones: what the slots that are
open add at least is known without listing the space. Where several sizes are limited, one choice
may be least in one of them and another in another; then all choices that none is below are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from blox_env.ground.typing import BoolArray, FloatArray, IntArray

MARGIN = 1e-9  # sums in another order may differ a little
_MOST = 512  # least combinations that are kept; of more only a bound of each size


class UnboundedError(ValueError):
    """For a constraint without bounds."""


@dataclass(frozen=True)
class Part:
    """A quantity of architectures that is worked out slot by slot.

    Attributes:
        base: what every architecture has.
        tables: of each slot, what an option adds at least, ``(options,)``.
        combined: ``"sum"`` or ``"max"``.
        exact: whether it is what the architecture has, else a lower bound.
    """

    base: float
    tables: tuple[FloatArray, ...]
    combined: Literal["sum", "max"] = "sum"
    exact: bool = True


@dataclass(frozen=True)
class Term:
    """A limit of a weighted sum of parts.

    Attributes:
        name: what is limited.
        limit: above 0.
        parts: by name, each with its weight.
    """

    name: str
    limit: float
    parts: Mapping[str, tuple[float, Part]]


class Bounds:
    """Options with which an architecture can still keep to all limits.

    A limited value is a weighted sum of parts. Where the parts are exact, and the least
    combinations few, what is said here is exact; else it leaves in too much, never too little.

    Args:
        terms: what is limited, at least one.

    Attributes:
        terms: the same.
        exact: whether everything that is left in leads to an architecture within the limits.
    """

    def __init__(self, terms: Sequence[Term]) -> None:
        self.terms = tuple(terms)
        by_name = {name: part for term in terms for name, (_, part) in term.parts.items()}
        parts = list(by_name.values())
        self._weights = np.zeros((len(terms), len(parts)))
        for row, term in zip(self._weights, terms, strict=True):
            row[[list(by_name).index(name) for name in term.parts]] = [
                weight for weight, _ in term.parts.values()
            ]
        self._limits = np.array([term.limit for term in terms])
        self._sums = np.array([part.combined == "sum" for part in parts])
        self.exact = all(part.exact for part in parts)
        slots = len(parts[0].tables)
        self._tables: list[FloatArray] = []  # distinct rows, and which of them each option has
        self._kind: list[IntArray] = []
        for slot in range(slots):
            columns = np.column_stack([part.tables[slot] for part in parts]).astype(float)
            rows, kind = np.unique(columns, axis=0, return_inverse=True)
            self._tables.append(rows)
            self._kind.append(np.asarray(kind).reshape(-1))
        base = np.array([[part.base for part in parts]], dtype=float)
        nothing = np.where(self._sums, 0.0, -np.inf)[None]
        self._after = [nothing]  # of the slots from each on, the last first
        for table in reversed(self._tables):
            self._after.append(self._least(self._both(table, self._after[-1])))
        self._after.reverse()
        self._before = [base]  # of the slots before each
        for table in self._tables:
            self._before.append(self._least(self._both(self._before[-1], table)))

    @property
    def least(self) -> FloatArray:
        """The least of each limited value, not of all of them together, ``(limits,)``."""
        return np.asarray((self._before[-1] @ self._weights.T).min(axis=0))

    @property
    def possible(self) -> bool:
        """False if no architecture can keep to all limits."""
        return bool(self._within(self._before[-1]).any())

    def check(self) -> None:
        """Refuse limits that nothing can keep to.

        Raises:
            ValueError: names the limit, and the least that any architecture has.
        """
        for term, least in zip(self.terms, self.least, strict=True):
            if least > term.limit * (1 + MARGIN):
                unit = " ms" if term.name.startswith("latency") else ""
                raise ValueError(
                    f"{term.name} must be at least the {least:,.7g}{unit} that any architecture "
                    f"has, got {term.limit:,.7g}"
                )
        if not self.possible:
            every = ", ".join(f"{term.name} <= {term.limit:g}" for term in self.terms)
            raise ValueError(f"no architecture keeps to all of {every}")

    def ahead(self, slot: int, rows: IntArray) -> BoolArray:
        """Options of a slot with which all limits can still be kept to, ``(n, options)``.

        Args:
            slot: which.
            rows: architectures ``(n, slots)``, of which the slots before are chosen.
        """
        spent = np.repeat(self._before[0], len(rows), axis=0)
        for earlier in range(slot):
            chosen = self._tables[earlier][self._kind[earlier][rows[:, earlier]]]
            spent = self._add(spent, chosen)
        then = self._add(spent[:, None, :], self._tables[slot][None])
        fits = np.zeros(then.shape[:2], dtype=bool)
        for rest in self._after[slot + 1]:
            np.logical_or(fits, self._within(self._add(then, rest)), out=fits)
        found: BoolArray = fits.take(self._kind[slot], axis=1)
        return found

    def occurring(self, slot: int) -> BoolArray:
        """Options of a slot that any architecture within the limits has, ``(options,)``."""
        others = self._both(self._before[slot], self._after[slot + 1])
        every = self._add(self._tables[slot][:, None, :], others[None])
        found: BoolArray = self._within(every).max(axis=1).take(self._kind[slot])
        return found

    def smallest(self, slot: int) -> int:
        """The option of a slot that adds least, in shares of the limits."""
        shares = (self._tables[slot] @ self._weights.T) / self._limits
        return int(np.argmin(shares.sum(axis=1)[self._kind[slot]]))

    def _within(self, amounts: FloatArray) -> BoolArray:
        """Mask of amounts of the parts ``(…, parts)`` that keep to all limits."""
        over = (amounts @ self._weights.T) / self._limits - 1.0
        return np.asarray((over <= MARGIN).all(axis=-1))

    def _add(self, one: FloatArray, other: FloatArray) -> FloatArray:
        """Amounts of two groups of slots together."""
        both: FloatArray = np.where(self._sums, one + other, np.maximum(one, other))
        return both

    def _both(self, some: FloatArray, others: FloatArray) -> FloatArray:
        """Every combination of two groups, ``(k · m, parts)``."""
        return self._add(some[:, None, :], others[None]).reshape(-1, len(self._sums))

    def _least(self, points: FloatArray) -> FloatArray:
        """The points that no other is below, ``(k, parts)``; one below all where they are many."""
        least = points.min(axis=0)
        points = np.unique(points, axis=0)
        kept: list[FloatArray] = []
        while len(points):  # the first in this order is below all that it can be compared with
            if len(kept) == _MOST:
                self.exact = False
                return np.array([least])
            kept.append(points[0])
            points = points[(points < points[0]).any(axis=1)]
        return np.array(kept)
