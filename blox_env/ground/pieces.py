"""Rows that are put together of pieces, each looked up in a table of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.typing import IntArray


class Pieces:
    """Tables side by side: a row has a run of columns of each.

    A piece is moved as one block of bytes, which takes half the time of moving its numbers.

    Args:
        tables: what the pieces may be, each ``(choices, columns)``, of one dtype.
        starts: first column of each piece in a row; pieces do not overlap.
        width: columns of a row.
        base: what stands where no piece does, ``(width,)``; left out where pieces fill the row.
        firsts: what a choice of a piece's first row is called, 0 for each if not given.

    Raises:
        ValueError: for pieces that overlap or do not fit into the row.
    """

    def __init__(
        self,
        tables: Sequence[NDArray[Any]],
        starts: Sequence[int],
        width: int,
        base: NDArray[Any] | None = None,
        firsts: Sequence[int] | None = None,
    ) -> None:
        self.dtype, self.width = tables[0].dtype, width
        self._firsts = [0] * len(tables) if firsts is None else [int(first) for first in firsts]
        size = self.dtype.itemsize
        widths = [table.shape[1] for table in tables]
        covered = np.zeros(width + 1, dtype=int)
        for start, wide in zip(starts, widths, strict=True):
            if not 0 <= start <= start + wide <= width:
                raise ValueError(f"a piece ends at {start + wide}, expected at most width {width}")
            covered[start : start + wide] += 1
        if covered.max() > 1:
            raise ValueError(f"column {int(covered.argmax())} belongs to more than one piece")
        self._bare = np.flatnonzero(covered[:-1] == 0)
        if len(self._bare) and base is None:
            raise ValueError("expected a base for the columns that no piece fills")
        self._base = None if base is None else base[self._bare]
        self._row = np.dtype(
            {
                "names": [f"p{k}" for k in range(len(tables))],
                "formats": [f"V{size * wide}" for wide in widths],
                "offsets": [size * start for start in starts],
                "itemsize": size * width,
            }
        )
        self._blocks = [
            np.ascontiguousarray(table).view(f"V{size * table.shape[1]}").ravel()
            for table in tables
        ]
        self._before: tuple[IntArray, NDArray[Any]] | None = None

    def rows(self, choices: IntArray) -> NDArray[Any]:
        """Fresh rows ``(n, width)``.

        Args:
            choices: of each piece, the row of its table, counted from its first, ``(n, pieces)``.
        """
        return self._rows(choices.T.copy())

    def rows_again(self, choices: IntArray) -> NDArray[Any]:
        """The same as :meth:`rows`, quicker where few pieces are others than in the last call.

        Args:
            choices: of each piece, the row of its table, counted from its first, ``(n, pieces)``.
        """
        by_piece = choices.T.copy()
        if self._before is None or self._before[0].shape != by_piece.shape:
            whole = self._rows(by_piece)
        else:
            known, whole = self._before
            self._put(whole, by_piece, np.flatnonzero((known != by_piece).any(axis=1)))
        self._before = by_piece, whole
        return whole.copy()

    def _rows(self, by_piece: IntArray) -> NDArray[Any]:
        whole = np.empty((by_piece.shape[1], self.width), dtype=self.dtype)
        if len(self._bare):
            whole[:, self._bare] = self._base
        self._put(whole, by_piece, range(len(self._blocks)))
        return whole

    def _put(self, whole: NDArray[Any], by_piece: IntArray, pieces: Iterable[int]) -> None:
        view = whole.view(self._row)[:, 0]
        for k in pieces:
            rows = by_piece[k] - self._firsts[k] if self._firsts[k] else by_piece[k]
            view[f"p{k}"] = self._blocks[k].take(rows)
