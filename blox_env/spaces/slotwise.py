"""Sizes that are worked out slot by slot: a sum of one number a slot, or the largest of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from blox_env.ground.typing import IntArray


@dataclass(frozen=True)
class Slotwise:
    """A size of architectures: a constant, and one number for the option of each slot.

    Attributes:
        base: what every architecture has.
        tables: of each slot, a number an option ``(options,)``.
        combined: ``"sum"`` or ``"max"`` of the constant and the numbers.
    """

    base: int
    tables: tuple[IntArray, ...]
    combined: Literal["sum", "max"] = "sum"

    def of(self, rows: IntArray) -> IntArray:
        """The size of checked architectures ``(n, slots)``, int64 ``(n,)``."""
        combine = np.add if self.combined == "sum" else np.maximum
        total = np.full(len(rows), self.base, dtype=np.int64)
        for slot, table in enumerate(self.tables):
            combine(total, table[rows[:, slot]], out=total)
        return total
