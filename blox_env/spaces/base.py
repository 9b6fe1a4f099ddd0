"""A search space: a number of slots, each with a number of options."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blox_env.errors import unknown_name

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


class SearchSpace:
    """Architectures as rows of option indices, one index a slot.

    Every row within range is a distinct architecture. Nothing here lists the space: one of 45^12
    architectures works as well as one of ten. Only :meth:`index`, :meth:`from_index` and
    :meth:`all` need a space whose size fits 63 bits.

    Args:
        options: number of options of each slot, all at least 1.
        name: what the space is called in files and messages.
    """

    def __init__(self, options: tuple[int, ...], name: str = "product") -> None:
        counts = tuple(int(count) for count in options)
        if not counts or min(counts) < 1:
            raise ValueError(f"options must be counts of at least 1, one a slot, got {options!r}")
        self.options = counts
        self.name = name

    @property
    def slots(self) -> int:
        """Number of choices that make an architecture."""
        return len(self.options)

    @property
    def size(self) -> int:
        """Number of distinct architectures, exact whatever its magnitude."""
        return math.prod(self.options)

    @property
    def enumerable(self) -> bool:
        """Whether an architecture has an integer index of 63 bits."""
        return self.size < 2**63

    def __eq__(self, other: object) -> bool:
        """Spaces are equal when name and options are."""
        return (
            isinstance(other, SearchSpace)
            and self.name == other.name
            and self.options == other.options
        )

    def __hash__(self) -> int:
        """Equal spaces hash alike."""
        return hash((self.name, self.options))

    def __repr__(self) -> str:
        """The class and its options."""
        return f"{type(self).__name__}(options={self.options})"

    # -- architectures ---------------------------------------------------------------------

    def check(self, x: ArrayLike) -> IntArray:
        """Return ``x`` as an ``(n, slots)`` int64 array of valid rows; one row is a batch of one.

        Raises:
            TypeError: if ``x`` does not hold integers.
            ValueError: if the shape or a value is out of range; names the first bad row and slot.
        """
        rows = np.asarray(x)
        if rows.size == 0 and rows.ndim <= 2 and rows.shape[-1] in (0, self.slots):
            return np.empty((0, self.slots), dtype=np.int64)
        if rows.dtype.kind not in "iu":
            raise TypeError(
                f"expected architectures as an integer array (n, {self.slots}), "
                f"got dtype {rows.dtype}"
            )
        if rows.ndim == 1:
            rows = rows[None]
        if rows.ndim != 2 or rows.shape[1] != self.slots:
            raise ValueError(
                f"expected architectures as an array of shape (n, {self.slots}), "
                f"got shape {np.shape(x)}"
            )
        rows = rows.astype(np.int64, copy=False)
        bad = (rows < 0) | (rows >= np.asarray(self.options))
        if bad.any():
            row, slot = (int(i) for i in np.argwhere(bad)[0])
            raise ValueError(
                f"row {row}, slot {slot}: expected an option in 0 … {self.options[slot] - 1}, "
                f"got {rows[row, slot]}"
            )
        return rows

    def sample(self, rng: np.random.Generator, n: int) -> IntArray:
        """Draw ``n`` architectures uniformly over the distinct ones, with replacement."""
        return rng.integers(0, self.options, size=(int(n), self.slots))

    def neighbors(self, x: ArrayLike) -> IntArray:
        """All architectures that differ in exactly one slot: ``(n, slots) -> (n, m, slots)``.

        ``m`` is the sum of ``options - 1`` over the slots; neighbours come slot by slot, the
        options of a slot in rising order.
        """
        rows = self.check(x)
        slot = np.repeat(np.arange(self.slots), np.asarray(self.options) - 1)
        shift = np.concatenate([np.arange(count - 1) for count in self.options])
        result = np.repeat(rows[:, None], len(slot), axis=1)
        current = rows[:, slot]
        result[:, np.arange(len(slot)), slot] = shift + (shift >= current)
        return result

    # -- enumeration -----------------------------------------------------------------------

    def index(self, x: ArrayLike) -> IntArray:
        """Numbers of architectures in ``0 … size - 1``, the first slot counting most: ``(n,)``."""
        numbers: IntArray = self.check(x) @ self._strides()
        return numbers

    def from_index(self, i: ArrayLike) -> IntArray:
        """Architectures of the given numbers: ``(n,) -> (n, slots)``."""
        strides = self._strides()
        numbers = np.atleast_1d(np.asarray(i))
        if numbers.dtype.kind not in "iu" or numbers.ndim != 1:
            raise TypeError(f"expected indices as an integer array (n,), got {i!r}")
        if numbers.size and (numbers.min() < 0 or numbers.max() >= self.size):
            raise ValueError(
                f"expected indices in 0 … {self.size - 1}, "
                f"got values from {numbers.min()} to {numbers.max()}"
            )
        rows: IntArray = numbers.astype(np.int64)[:, None] // strides % np.asarray(self.options)
        return rows

    def all(self) -> IntArray:
        """Every architecture in order of its number: ``(size, slots)``; small spaces only."""
        return self.from_index(np.arange(self.size))

    def _strides(self) -> IntArray:
        if not self.enumerable:
            raise ValueError(
                f"{self!r} has {self.size} architectures: too many for an integer index"
            )
        weights = np.concatenate([[1], np.cumprod(np.asarray(self.options[::-1]))[:-1]])
        return np.asarray(weights[::-1], dtype=np.int64)

    # -- for models and policies -----------------------------------------------------------

    def features(self, x: ArrayLike, kind: str = "onehot") -> FloatArray:
        """Describe architectures as numbers, ``(n, features)``.

        Args:
            x: architectures ``(n, slots)``.
            kind: ``"onehot"``, one column an option of each slot. Spaces may offer more.
        """
        tables = self.feature_tables(kind)
        rows = self.check(x)
        return np.concatenate([table[rows[:, i]] for i, table in enumerate(tables)], axis=1)

    def feature_tables(self, kind: str = "onehot") -> list[FloatArray]:
        """The columns of :meth:`features` slot by slot: arrays ``(options, columns)``."""
        if kind != "onehot":
            raise ValueError(unknown_name("kind of features", kind, self.feature_kinds()))
        return [np.eye(count) for count in self.options]

    def feature_kinds(self) -> tuple[str, ...]:
        """The kinds that :meth:`features` knows."""
        return ("onehot",)

    def describe(self, row: ArrayLike) -> str:
        """One architecture in words; spaces with a notation of their own override this."""
        return "-".join(str(v) for v in self.check(row)[0])

    def build_network(self, row: ArrayLike, **kwargs: Any) -> Any:  # noqa: ANN401
        """The network of one architecture as a ``torch.nn.Module``; not every space has any."""
        raise NotImplementedError(f"the space {self.name!r} has no networks to build")
