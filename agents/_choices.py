"""Architectures as sequences of choices: operations first where a space has them."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from blox_env.envs.episode.decisions import Decisions
from blox_env.ground.typing import IntArray
from blox_env.spaces.base import SearchSpace


class Choices:
    """The decisions of :class:`~blox_env.envs.episode.decisions.Decisions` for whole batches.

    In Blox these are 9, of 3, 3 and 8 options a stage, instead of 3 of 45. Of several ways to write
    an option one is allowed, that with the fewest different operations: there is one sequence an
    architecture, and no option is likelier than another for having more of them.

    Args:
        space: of the architectures.

    Attributes:
        counts: number of options of each decision.
    """

    def __init__(self, space: SearchSpace) -> None:
        decisions = Decisions(space, "operation")
        self._steps, self._slots = decisions.steps, space.slots
        self.counts = [step.choices for step in self._steps]
        slots = [-1, *(step.slot for step in self._steps)]
        self._first = [slot != before for before, slot in itertools.pairwise(slots)]
        self._ways = []  # of each slot: the choices that make its options, (options, decisions)
        self._allowed = []  # of each decision: by the choices about the slot before it
        for table, count in zip(decisions.tables, space.options, strict=True):
            where = np.argsort(_repeats(table), axis=None, kind="stable")
            _, first = np.unique(table.ravel()[where], return_index=True)
            ways = np.column_stack(np.unravel_index(where[first[-count:]], table.shape))
            self._ways.append(ways.astype(np.int64))
            for depth in range(table.ndim):
                allowed = np.zeros((*table.shape[:depth], table.shape[depth]), dtype=bool)
                allowed[tuple(ways[:, : depth + 1].T)] = True
                self._allowed.append(allowed.reshape(-1, table.shape[depth]))

    def __len__(self) -> int:
        """Number of decisions."""
        return len(self._steps)

    def choices(self, x: IntArray) -> IntArray:
        """Architectures ``(n, slots)`` as choices ``(n, decisions)``."""
        return np.concatenate([ways[x[:, slot]] for slot, ways in enumerate(self._ways)], axis=1)

    def rows(self, choices: IntArray) -> IntArray:
        """Choices ``(n, decisions)`` as architectures ``(n, slots)``."""
        rows = np.empty((len(choices), self._slots), dtype=np.int64)
        for number, step in enumerate(self._steps):
            if step.option is not None:
                rows[:, step.slot] = step.option[self._prefix(number + 1, choices)]
        return rows

    def allowed(self, number: int, choices: IntArray) -> NDArray[np.bool_]:
        """Options of a decision that may be taken, ``(n, options)``.

        Args:
            number: of the decision.
            choices: those before it ``(n, number)``; later ones are not looked at.
        """
        if self._first[number]:
            prefix = np.zeros(len(choices), dtype=np.int64)
        else:
            prefix = self._prefix(number, choices)
        return self._allowed[number][prefix]

    def _prefix(self, end: int, choices: IntArray) -> IntArray:
        """Number of the choices about one slot before decision ``end``."""
        begin = end - 1
        while not self._first[begin]:
            begin -= 1
        prefix = np.zeros(len(choices), dtype=np.int64)
        for number in range(begin, end):
            prefix = prefix * self.counts[number] + choices[:, number]
        return prefix


def _repeats(table: IntArray) -> IntArray:
    """Number of different choices on the way to each entry, but for the last one."""
    ways = np.indices(table.shape)[:-1]
    return np.asarray((np.diff(np.sort(ways, axis=0), axis=0) != 0).sum(axis=0))
