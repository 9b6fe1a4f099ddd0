"""Moves: the effect of an action on an architecture, in which building and editing differ."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from blox_env.envs.episode.cells import Cells
from blox_env.envs.episode.decisions import Decisions
from blox_env.envs.episode.masks import Mask, Masks
from blox_env.ground.typing import FloatArray, IntArray

Which = slice | IntArray  # episodes: all of them, or their numbers
ALL = slice(None)


class Position:
    """State of the architectures of ``n`` episodes.

    Args:
        n: how many.
        blank: blank cell of each slot.
        actions: width of the masks to keep; 0 where they are looked up.

    Attributes:
        cells: cell of each slot, ``(n, slots)``; see :class:`~blox_env.envs.episode.cells.Cells`.
        nodes: node of the next decision, ``(n,)``.
        places: where the next mask stands in a table of masks, ``(n,)``.
        masks: what is allowed next, ``(n, actions)``, where that is dear to work out.
    """

    def __init__(self, n: int, blank: IntArray, actions: int = 0) -> None:
        self._blank = np.tile(blank, (n, 1))
        self.cells = self._blank.copy()
        self.nodes = np.zeros(n, dtype=np.int64)
        self.places = np.zeros(n, dtype=np.int64)
        self.masks: Mask = np.zeros((n, actions), dtype=np.int8)
        self._first = np.arange(n) * len(blank)

    def clear(self, which: Which) -> None:
        """Nothing is chosen any more."""
        if isinstance(which, slice):
            self.cells = self._blank.copy()
            self.nodes = np.zeros(len(self.nodes), dtype=np.int64)
            self.places = self.nodes.copy()
        else:
            self.cells[which] = self._blank[which]
            self.nodes[which] = self.places[which] = 0

    def put(self, which: Which, slot: IntArray, cell: IntArray) -> None:
        """Set a cell of each of the episodes ``which``.

        Args:
            which: the episodes.
            slot: of each.
            cell: of each.
        """
        self.cells.reshape(-1)[self._first[which] + slot] = cell


@dataclass(slots=True)
class Moved:
    """Result of an action in every episode.

    Attributes:
        refused: numbers of the episodes whose action is masked, or that it left without any.
        complete: episodes with an architecture to evaluate, None for none.
        rows: these architectures ``(k, slots)``.
    """

    refused: IntArray | None
    complete: Which | None
    rows: IntArray


NOTHING = np.zeros((0, 1), dtype=np.int64)  # no rows
ONLY = np.zeros(1, dtype=np.int64)  # the number of the only episode
for _constant in (NOTHING, ONLY):
    _constant.setflags(write=False)


class Moves(ABC):
    """Beginnings, actions and masks of episodes, all in arrays.

    Attributes:
        ends: whether an episode ends with the architecture that it evaluates.
        drawn: how many uniform numbers a beginning needs.
        option: the key of a reset's ``options`` that says where to begin.
        actions: width of the mask.
        keeps_masks: whether positions keep their masks.
    """

    ends = True
    drawn = 0
    option: str | None = None
    keeps_masks = False
    actions: int

    def __init__(self, decisions: Decisions, masks: Masks, cells: Cells) -> None:
        self.decisions, self.limits, self.table = decisions, masks, cells

    def position(self, n: int) -> Position:
        """The position of ``n`` episodes before they have begun."""
        return Position(n, self.table.blank, self.actions if self.keeps_masks else 0)

    @abstractmethod
    def action_space(self) -> spaces.Space[Any]:
        """The action space of one episode."""

    @abstractmethod
    def begin(self, position: Position, which: Which, starts: IntArray | None) -> None:
        """Begin episodes, from complete architectures ``(k, slots)`` where there are some.

        Args:
            position: of all episodes.
            which: the episodes that begin.
            starts: architectures to begin from, None for none.
        """

    @abstractmethod
    def advance(
        self, position: Position, actions: IntArray, idle: NDArray[np.bool_] | None
    ) -> Moved:
        """Take one action in every episode.

        Args:
            position: changed in place.
            actions: within the action space.
            idle: ``(n,)``, which episodes take none; None for none of them.
        """

    @abstractmethod
    def masks(self, position: Position) -> Mask:
        """Masks of the allowed actions, ``(n, actions)``, a fresh array."""

    def glide(self, position: Position, action: int) -> Moved | None:
        """:meth:`advance` of the only episode, in plain numbers where that is quicker.

        Args:
            position: changed in place.
            action: within the action space.

        Returns:
            None where the episode just goes on.
        """
        return self.advance(position, np.array((action,)), None)

    def starts(self, uniform: FloatArray) -> IntArray | None:
        """Beginnings of episodes, by uniform numbers ``(drawn, k)``; None: with nothing."""
        return None

    def given(self, options: dict[str, Any], n: int) -> IntArray | None:
        """Beginnings that a reset's ``options`` ask for.

        Args:
            options: of the reset.
            n: number of episodes.
        """
        return None

    def accept(self, position: Position, which: Which, rows: IntArray) -> None:
        """Go on from architectures ``(k, slots)`` that were evaluated.

        Args:
            position: changed in place.
            which: whose they are.
            rows: the architectures.
        """
        raise NotImplementedError(f"{type(self).__name__} ends with what is evaluated")

    def rows(self, position: Position) -> IntArray:
        """The architectures so far, ``(n, slots)``; option 0 where nothing is chosen."""
        return self.table.option.take(position.cells)

    def filled(self, position: Position) -> IntArray:
        """Number of chosen slots, ``(n,)``."""
        nodes = position.nodes
        slots = position.cells.shape[1]
        return np.where(nodes == self.table.end, slots, self.table.slot.take(nodes))

    def words(self, position: Position, number: int) -> str:
        """Choices of one episode about a slot that is not complete, in words.

        Args:
            position: of all episodes.
            number: of the episode.
        """
        node = int(position.nodes[number])
        if node == self.table.end:
            return ""
        return self.decisions.words(int(self.table.decision[node]), int(self.table.prefix[node]))


def split(
    allowed: NDArray[np.bool_], idle: NDArray[np.bool_] | None
) -> tuple[NDArray[np.bool_], IntArray | None]:
    """Mask of the episodes that move ``(n,)``, and numbers of those that are refused.

    Args:
        allowed: mask of the episodes whose action is allowed, ``(n,)``.
        idle: mask of those that take none, None for none.
    """
    if idle is None and np.count_nonzero(allowed) == len(allowed):
        return allowed, None
    moving = allowed if idle is None else allowed & ~idle
    refused = np.flatnonzero(~allowed if idle is None else ~(allowed | idle))
    return moving, refused if len(refused) else None
