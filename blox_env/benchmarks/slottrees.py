"""Boosted trees over the options of slots: what LightGBM predicts, by looking up bytes.

Features of a slot depend on its option alone, and sums of them are whole numbers of a few values:
every split of a tree asks about one such *place*. The leaves of a tree that what is at a place
still allows are bits of a byte; the bytes of all places, taken together with *and*, leave the one
leaf that an architecture ends in (Lucchese et al., *QuickScorer*, SIGIR 2015). A tree of more than
eight leaves has several bytes, of which all but one become 0. This needs no features and compares
no numbers, which is many times faster than walking down the trees, and compiled programs
(:mod:`blox_env.jax`) do it the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.base import SearchSpace

LEAVES = 8  # of a byte
_AT_ONCE = 1024  # architectures whose bytes stay in the cache
_PLACE = np.zeros(256, dtype=np.int64)  # of the one bit in a byte, from 1; 0 for none
_PLACE[1 << np.arange(LEAVES)] = np.arange(1, LEAVES + 1)


class Places:
    """Features of a space by place: its slots, then the sums over slots that features end with.

    Args:
        space: of the architectures.
        kinds: of features, one after the other; without ``"graph"``.
        shift: that is taken off each column.
        scale: that it is divided by then.

    Attributes:
        adds: of each slot, what its options add to the sums, ``(options, sums)``.
        tables: of each place, features of what can be there, ``(values, columns)``.
        numbers: of each place, the numbers of these features.

    Raises:
        ValueError: for columns that are neither.
    """

    def __init__(
        self, space: SearchSpace, kinds: Sequence[str], shift: FloatArray, scale: FloatArray
    ) -> None:
        slots = space.slots
        tables: list[list[FloatArray]] = [[] for _ in range(slots)]
        numbers: list[list[IntArray]] = [[] for _ in range(slots)]
        sums: list[list[FloatArray]] = [[np.zeros((count, 0))] for count in space.options]
        summed: list[IntArray] = [np.empty(0, dtype=np.int64)]
        first = 0
        for kind in kinds:
            own = space.feature_tables(kind)
            for slot, table in enumerate(own):
                tables[slot].append(table)
                numbers[slot].append(np.arange(first, first + table.shape[1]))
                first += table.shape[1]
            if space.feature_sums(kind):
                for slot, table in enumerate(own):
                    sums[slot].append(table)
                summed.append(np.arange(first, first + own[0].shape[1]))
                first += own[0].shape[1]
        if first != len(shift):
            raise ValueError(f"expected {first} features, got {len(shift)}")
        added = [np.concatenate(parts, axis=1) for parts in sums]
        if any((part % 1).any() for part in added):
            raise ValueError("expected sums of whole numbers")
        lowest = np.sum([part.min(axis=0) for part in added], axis=0)
        ranges = np.sum([part.max(axis=0) for part in added], axis=0) - lowest + 1
        self.adds = tuple((part - part.min(axis=0)).astype(np.int64) for part in added)
        own_numbers = [np.concatenate(parts) for parts in numbers]
        values = [np.concatenate(parts, axis=1) for parts in tables]
        own_numbers += [number[None] for number in np.concatenate(summed)]
        values += [
            low + np.arange(count)[:, None] for low, count in zip(lowest, ranges, strict=True)
        ]
        self.numbers = own_numbers
        self.tables = [
            (table - shift[own]) / scale[own]
            for table, own in zip(values, own_numbers, strict=True)
        ]

    def of(self, rows: IntArray) -> IntArray:
        """Contents of each place of architectures ``(n, slots)``, ``(places, n)``."""
        adds = [add.take(rows[:, slot], axis=0) for slot, add in enumerate(self.adds)]
        return np.concatenate([rows.T, np.sum(adds, axis=0).T])


@dataclass(frozen=True, eq=False)
class SlotTrees:
    """The trees of one model.

    Attributes:
        reach: of each place, leaves by what is there, uint8 ``(values, bytes)``.
        values: values of leaves, ``(bytes, 9)``; the first is 0, for a byte without a bit.
    """

    reach: tuple[NDArray[np.uint8], ...]
    values: FloatArray

    @classmethod
    def of(cls, booster: Any, places: Places) -> SlotTrees:
        """The trees of a booster of LightGBM.

        Args:
            booster: a regression.
            places: of its features.

        Raises:
            ValueError: for trees that split in another way than fitted ones do here.
        """
        model = booster.dump_model()
        if model["objective"] != "regression" or model["average_output"]:
            raise ValueError(f"expected a plain regression, got {model['objective']!r}")
        where = {
            int(number): (place, table[:, column])
            for place, (table, numbers) in enumerate(
                zip(places.tables, places.numbers, strict=True)
            )
            for column, number in enumerate(numbers)
        }
        found = [_Tree(tree["tree_structure"], where) for tree in model["tree_info"]]
        counts = [-(-len(tree.leaves) // LEAVES) for tree in found]
        first = np.cumsum([0, *counts])
        reach = tuple(
            np.full((len(table), first[-1]), 255, dtype=np.uint8) for table in places.tables
        )
        values = np.zeros((first[-1], 1 + LEAVES))
        for begin, count, tree in zip(first, counts, found, strict=False):
            bits = np.zeros(count * LEAVES)
            bits[: len(tree.leaves)] = tree.leaves
            values[begin : begin + count, 1:] = bits.reshape(count, LEAVES)
            for place, splits in tree.splits.items():
                allowed = np.ones((len(places.tables[place]), count * LEAVES), dtype=bool)
                for left, right, goes_left in splits:
                    allowed[~goes_left, left] = False
                    allowed[goes_left, right] = False
                packed = np.packbits(allowed, axis=1, bitorder="little")
                reach[place][:, begin : begin + count] = packed
        # bits beyond the last leaf are never set
        spare = [
            np.arange(count * LEAVES) < len(t.leaves)
            for count, t in zip(counts, found, strict=True)
        ]
        reach[0][:] &= np.packbits(np.concatenate(spare), bitorder="little")
        return cls(reach, values)

    def predict(self, there: IntArray) -> FloatArray:
        """Predictions, ``(n,)``: LightGBM's, to the last digit.

        Args:
            there: what is at each place, ``(places, n)``.
        """
        n = there.shape[1]
        if n == 1:  # of one column numpy adds up pairs
            return self.predict(np.repeat(there, 2, axis=1))[:1]
        found = np.empty(n)
        first = np.arange(len(self.values))[:, None] * (1 + LEAVES)
        for start in range(0, n, _AT_ONCE):
            # no part has one column alone
            start = min(start, n - 2)
            part = there[:, start : start + _AT_ONCE]
            left = self.reach[0].take(part[0], axis=0)
            for reach, own in zip(self.reach[1:], part[1:], strict=True):
                left &= reach.take(own, axis=0)
            leaf = _PLACE.take(left.T)
            leaf += first
            # one tree after the other, as LightGBM adds them up
            np.add.reduce(self.values.take(leaf), axis=0, out=found[start : start + _AT_ONCE])
        return found


class _Tree:
    """Leaves of a tree from left to right, and by place what its splits decide between."""

    def __init__(self, root: dict[str, Any], where: dict[int, tuple[int, FloatArray]]) -> None:
        self.leaves: list[float] = []
        self.splits: dict[int, list[tuple[slice, slice, NDArray[np.bool_]]]] = {}
        self._where = where
        self._walk(root)

    def _walk(self, node: dict[str, Any]) -> None:
        if "leaf_value" in node:
            self.leaves.append(node["leaf_value"])
            return
        if node["decision_type"] != "<=" or node["missing_type"] not in ("None", "NaN"):
            raise ValueError(
                f"expected splits of numbers, got {node['decision_type']!r} with missing values "
                f"as {node['missing_type']!r}"
            )
        place, feature = self._where[node["split_feature"]]
        begin = len(self.leaves)
        self._walk(node["left_child"])
        middle = len(self.leaves)
        self._walk(node["right_child"])
        sides = slice(begin, middle), slice(middle, len(self.leaves))
        self.splits.setdefault(place, []).append((*sides, feature <= node["threshold"]))
