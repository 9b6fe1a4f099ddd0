"""A search space: a number of slots, each with a number of options."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from blox_env.ground.errors import RowError, unknown_name
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.layout import Label, Layout, chain
from blox_env.spaces.slotwise import Slotwise

LISTABLE = 10**6  # spaces up to this size are listed, drawn and kept as a whole


@dataclass(frozen=True)
class GraphLayout:
    """Places of the ``graph`` features of a slot in adjacency matrix and node labels.

    A graph is written as one row: the adjacency matrix ``(nodes, nodes)`` row by row, an edge
    going from the row's node to the column's, then one label a node.

    Attributes:
        nodes: number of nodes, the most that an architecture of the space has.
        labels: what the labels stand for; label 0 is a node that is not there.
        columns: of each slot, where its features stand in the row.
        blank: the row before anything is chosen.
    """

    nodes: int
    labels: tuple[str, ...]
    columns: tuple[IntArray, ...]
    blank: FloatArray


class SearchSpace:
    """Architectures as rows of option indices, one index a slot.

    Every row within range is a distinct architecture. Nothing here lists the space: one of 45^12
    architectures works as well as one of ten. Only :meth:`index`, :meth:`from_index` and
    :meth:`all` need a space whose size fits 63 bits.

    Args:
        options: number of options of each slot, all at least 1.
        name: what the space is called in files and messages.

    Attributes:
        slot_name: what a slot is called in words.
        sizes: names that :meth:`size_of` knows.
        network_defaults: arguments of :meth:`build_network` and their defaults.
    """

    slot_name = "slot"
    sizes: tuple[str, ...] = ()
    network_defaults: Mapping[str, int] = MappingProxyType({})

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
        """True if every architecture has an integer index of 63 bits."""
        return self.size < 2**63

    @property
    def listable(self) -> bool:
        """True for at most :data:`LISTABLE` architectures: all of them can be listed and kept."""
        return self.size <= LISTABLE

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
        if type(x) is Rows and x.space == self:
            return np.asarray(x)
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
        """Draw ``n`` architectures uniformly over the distinct ones, with replacement.

        Args:
            rng: the generator.
            n: how many.
        """
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
        if type(x) is Rows and x.space == self and x.numbers is not None:
            return x.numbers
        numbers: IntArray = self.check(x) @ self._strides()
        if type(x) is Rows:
            x.numbers = numbers
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
            kind: ``"onehot"``, one column an option of each slot; ``"graph"``, adjacency matrix and
                node labels as :meth:`graph` lays them out. Spaces may offer more.
        """
        tables = self.feature_tables(kind)
        rows = self.check(x)
        if kind != "graph":
            return np.concatenate([table[rows[:, i]] for i, table in enumerate(tables)], axis=1)
        layout = self.graph()
        graphs = np.tile(layout.blank, (len(rows), 1))
        for slot, table in enumerate(tables):
            graphs[:, layout.columns[slot]] = table[rows[:, slot]]
        return graphs

    def feature_tables(self, kind: str = "onehot") -> list[FloatArray]:
        """The columns of :meth:`features` slot by slot: arrays ``(options, columns)``."""
        if kind == "graph":
            last = self.slots - 1
            return [_chain_links(count, slot == last) for slot, count in enumerate(self.options)]
        if kind != "onehot":
            raise ValueError(unknown_name("kind of features", kind, self.feature_kinds()))
        return [np.eye(count) for count in self.options]

    def feature_sums(self, kind: str) -> bool:
        """Tell the kinds of features that end with the sums of their columns over the slots."""
        return False

    def feature_kinds(self) -> tuple[str, ...]:
        """The kinds that :meth:`features` knows."""
        return ("onehot", "graph")

    def graph(self) -> GraphLayout:
        """Layout of the ``graph`` features: here a chain of input, slots and output."""
        nodes = self.slots + 2
        labels = [f"option {i}" for i in range(max(self.options))]
        blank = np.zeros(nodes * nodes + nodes)
        blank[-nodes], blank[-1] = 1, 2
        columns = []
        for slot in range(self.slots):
            own = [slot * nodes + slot + 1, nodes * nodes + slot + 1]
            out = [(slot + 1) * nodes + slot + 2] if slot == self.slots - 1 else []
            columns.append(np.array(own + out))
        return GraphLayout(nodes, ("absent", "input", "output", *labels), tuple(columns), blank)

    # -- choosing an option in parts -------------------------------------------------------

    def operation_tables(self) -> list[IntArray]:
        """Tables for choosing the option of each slot operation by operation.

        One array a slot: an axis for each choice, holding the option's number, -1 where the
        choices make no option. Here the option itself is the only choice.
        """
        return [np.arange(count) for count in self.options]

    def operation_values(self) -> list[IntArray]:
        """The choices that make each option, canonically: ``(options, choices)`` a slot."""
        return [np.arange(count)[:, None] for count in self.options]

    def partial_tables(self, kind: str) -> list[list[FloatArray]]:
        """Features of a slot whose option is chosen in part.

        For each slot and each choice but its last an array ``(choices so far, columns)``, the
        first axis counting the choices so far in C order.
        """
        return [[] for _ in self.options]

    def describe(self, row: ArrayLike) -> str:
        """One architecture in words; spaces with a notation of their own override this."""
        return "-".join(str(v) for v in self.check(row)[0])

    def describe_choices(self, choices: tuple[int, ...]) -> str:
        """Choices made so far within a slot, in words; see :meth:`operation_tables`."""
        return ", ".join(str(choice) for choice in choices)

    def describe_option(self, slot: int, option: int) -> str:
        """One option of a slot in words, empty where its number says it all.

        Args:
            slot: counted from 0.
            option: its number.
        """
        return ""

    def parse(self, texts: Sequence[str]) -> IntArray:
        """Rows ``(n, slots)`` of architectures as people write them.

        Option indices such as ``"3-17-44"``, or the space's own notation (:meth:`own_row`).

        Raises:
            RowError: a ValueError that says which text is none, and what was expected.
        """
        rows = np.empty((len(texts), self.slots), dtype=np.int64)
        for number, text in enumerate(texts):
            try:
                own = self.own_row(text)
                rows[number] = self._indices(text) if own is None else own
            except ValueError as error:
                raise RowError(number, str(error)) from None
        return rows

    def own_row(self, text: str) -> IntArray | None:
        """The row ``(slots,)`` of a text in a notation of the space's own; None for indices.

        Raises:
            ValueError: for a text that is nearly of that notation; says what is wrong.
        """
        return None

    def _indices(self, text: str) -> IntArray:
        parts = text.strip().strip("[]()").replace(",", " ").replace("-", " ").split()
        if len(parts) != self.slots or not all(part.isdecimal() for part in parts):
            expected = "-".join(str(count - 1) for count in self.options)
            raise ValueError(
                f"expected {self.slots} option indices from {'-'.join('0' * self.slots)} to "
                f"{expected}, got {text!r:.100}"
            )
        row: IntArray = self.check([int(part) for part in parts])[0]
        return row

    def identify(self, row: ArrayLike) -> dict[str, object]:
        """Names of one architecture in other people's notations, by what they are called."""
        self.check(row)
        return {}

    def lay_out(self, choices: Sequence[int | str], title: Label) -> Layout:
        """The plan of a drawing, here a chain of slots.

        Args:
            choices: the option of each slot, or words where none is chosen yet.
            title: what stands above the drawing.
        """
        return chain(choices, title)

    # -- networks --------------------------------------------------------------------------

    def size_of(self, name: str, x: ArrayLike, **network: int) -> IntArray:
        """A size of networks, int64 ``(n,)``.

        Args:
            name: one of :attr:`sizes`.
            x: architectures ``(n, slots)``.
            network: arguments of the networks, and ``image_size``.

        Raises:
            ValueError: for a size that the space does not count.
        """
        raise ValueError(unknown_name("size", name, self.sizes))

    def slotwise(self, name: str, **network: int) -> Slotwise | None:
        """A size slot by slot, for bounds of it; None where it is no sum or largest of slots.

        Args:
            name: one of :attr:`sizes`.
            network: as of :meth:`size_of`.
        """
        return None

    def build_network(self, row: ArrayLike, **kwargs: Any) -> Any:
        """The network of one architecture as a ``torch.nn.Module``; not every space has any."""
        raise NotImplementedError(f"the space {self.name!r} has no networks to build")


class Rows(np.ndarray[Any, np.dtype[np.int64]]):
    """Architectures ``(n, slots)`` that a space has checked, to be checked and numbered once.

    For whoever hands the same batch to several things. Parts and results of calculations are plain
    rows again, as far as spaces are concerned.

    Attributes:
        space: which has checked them, None for no space.
        numbers: their numbers ``(n,)`` once they were asked for.
    """

    space: SearchSpace | None
    numbers: IntArray | None

    @classmethod
    def of(cls, space: SearchSpace, x: ArrayLike) -> Rows:
        """Architectures, checked by :meth:`SearchSpace.check`."""
        rows = space.check(x).view(cls)
        rows.space = space
        return rows

    def __array_finalize__(self, made_from: object) -> None:
        """Views and copies are not known to be checked."""
        self.space = self.numbers = None


def _chain_links(count: int, last: bool) -> FloatArray:
    """Columns of a slot in the graph of a chain: edge inwards, label, the last one's edge out."""
    table = np.ones((count, 3 if last else 2))
    table[:, 1] = 3 + np.arange(count)
    return table
