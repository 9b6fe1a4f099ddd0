"""Numbers of architectures, quicker where the rows are arrays of int64."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blox_env.ground.typing import IntArray
from blox_env.spaces.base import SearchSpace

_INT64 = np.dtype(np.int64)


class Numbering:
    """Numbers of architectures, as :meth:`SearchSpace.index`, quicker for arrays of int64.

    Args:
        space: one with fewer than 2^53 architectures.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._options, self._slots = space.options, space.slots
        self._equal = space.options[0] if len(set(space.options)) == 1 else 0
        weights = [1.0]
        for count in space.options[:0:-1]:
            weights.append(weights[-1] * count)
        self._weights = np.array(weights[::-1])

    def __call__(self, x: ArrayLike) -> IntArray:
        """``(n, slots) -> (n,)``; raises as :meth:`SearchSpace.check` does."""
        if isinstance(x, np.ndarray) and x.dtype is _INT64:
            if x.size == self._slots and (number := self._one(x)) >= 0:
                return np.array((number,))
            if (
                x.ndim == 2
                and x.shape[1] == self._slots
                and x.size
                and x.flags.c_contiguous
                # as unsigned numbers, negative ones are too large as well
                and int(x.view(np.uint64).max()) < self._equal
            ):
                numbers: IntArray = (x.astype(np.float64) @ self._weights).astype(np.int64)
                return numbers
        return self._space.index(x)

    def take(self, table: NDArray[Any], x: ArrayLike) -> NDArray[Any]:
        """Rows of a table for architectures, ``(n, slots) -> (n, …)``, a new array.

        Args:
            table: ``(size, …)``, one row an architecture of the space.
            x: the architectures.
        """
        if isinstance(x, np.ndarray) and x.dtype is _INT64 and x.size == self._slots:
            number = self._one(x)
            if number >= 0:
                return table[number : number + 1].copy()
        return table.take(self(x), axis=0)

    def _one(self, x: IntArray) -> int:
        """Number of an architecture ``(slots,)`` or ``(1, slots)``, -1 for what is none."""
        values = x.tolist()
        if x.ndim == 2:
            values = values[0]
        if len(values) != self._slots:
            return -1
        number = 0
        if equal := self._equal:
            for value in values:
                if not 0 <= value < equal:
                    return -1
                number = number * equal + value
            return number
        for value, count in zip(values, self._options, strict=True):
            if not 0 <= value < count:
                return -1
            number = number * count + value
        return number
