"""Prefixes of a list of architectures, level by level in arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from blox_env.ground.typing import BoolArray, IntArray


class Trie:
    """Options that lead to architectures of a list; the space itself is never listed.

    A node is a prefix that occurs; nodes of a level are numbered in order. An edge is one number,
    ``node · options + option``, and edges of a level are sorted, so that looking them up takes a
    binary search, for thousands of episodes at once.

    Args:
        rows: architectures ``(k, slots)``, at least one.
        options: number of options of each slot.
    """

    def __init__(self, rows: IntArray, options: Sequence[int]) -> None:
        self._options = tuple(options)
        self._edges: list[IntArray] = []
        node: IntArray = np.zeros(len(rows), dtype=np.int64)
        for slot, count in enumerate(self._options):
            edges, node = np.unique(node * count + rows[:, slot], return_inverse=True)
            self._edges.append(edges)

    def ahead(self, slot: int, rows: IntArray) -> BoolArray:
        """Options of a slot that lead to an architecture of the list, ``(n, options)``.

        Args:
            slot: which.
            rows: architectures ``(n, slots)``, of which the slots before are chosen.
        """
        node, there = self._walk(rows, slot)
        count = self._options[slot]
        _, found = self._look(slot, node[:, None] * count + np.arange(count))
        return found & there[:, None]

    def contains(self, rows: IntArray) -> BoolArray:
        """Mask of the architectures ``(n, slots)`` that are in the list, ``(n,)``."""
        return self._walk(rows, len(self._options))[1]

    def occurring(self, slot: int) -> BoolArray:
        """Mask of the options of a slot that any architecture of the list has, ``(options,)``."""
        count = self._options[slot]
        found = np.zeros(count, dtype=bool)
        found[self._edges[slot] % count] = True
        return found

    def _walk(self, rows: IntArray, slots: int) -> tuple[IntArray, BoolArray]:
        """Nodes of prefixes of so many slots ``(n,)``, and which of the prefixes occur."""
        node: IntArray = np.zeros(len(rows), dtype=np.int64)
        there = np.ones(len(rows), dtype=bool)
        for slot in range(slots):
            node, found = self._look(slot, node * self._options[slot] + rows[:, slot])
            there &= found
        return node, there

    def _look(self, slot: int, wanted: IntArray) -> tuple[IntArray, BoolArray]:
        """Places of edges, and which of them are there."""
        edges = self._edges[slot]
        place = np.minimum(np.searchsorted(edges, wanted), len(edges) - 1)
        return place, edges[place] == wanted
