"""Building: an episode chooses an architecture decision by decision, or as a whole."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from blox_env.envs.episode.cells import Cells
from blox_env.envs.episode.decisions import Decisions, whole_actions
from blox_env.envs.episode.masks import Mask, Masks
from blox_env.envs.episode.moves import ALL, NOTHING, ONLY, Moved, Moves, Position, Which, split
from blox_env.ground.typing import IntArray


class Build(Moves):
    """One decision after the other makes an architecture."""

    def __init__(self, decisions: Decisions, masks: Masks, cells: Cells) -> None:
        super().__init__(decisions, masks, cells)
        self.actions = decisions.actions
        self._rows, first = masks.stacked()
        nodes = np.arange(2 * cells.twins)
        running = nodes < cells.end
        number = np.where(running, np.minimum(cells.decision, len(decisions) - 1), 0)
        self._row = first[number] + np.where(running, cells.prefix, 0)
        self._by_place = masks.limited
        if not self._by_place:
            self._rows = self._rows[self._row]
        self._flat = self._rows.ravel()
        if not self._by_place:
            return
        # what is chosen before a decision, as a number: strides count whole architectures
        strides = np.cumprod((1, *decisions.space.options[:0:-1]))[::-1]
        self._weight = cells.option * strides[cells.slot[: cells.end]]
        self._divisor = np.where(running & (cells.slot > 0), strides[cells.slot - 1], 2**62)
        self._prefixes = np.array([len(step.allowed) for step in decisions.steps])[number]

    def action_space(self) -> spaces.Space[Any]:
        """As large as the largest decision."""
        return self.decisions.action_space()

    def begin(self, position: Position, which: Which, starts: IntArray | None) -> None:
        """Begin with nothing chosen."""
        position.clear(which)

    def advance(
        self, position: Position, actions: IntArray, idle: NDArray[np.bool_] | None
    ) -> Moved:
        """Make the next decision of every episode."""
        table, nodes = self.table, position.nodes
        allowed, slot, cell = self._look(nodes, actions, *self._allowed(position))
        who: Which = ALL
        refused = None
        if idle is not None or np.count_nonzero(allowed) < len(nodes):
            moving, refused = split(allowed > 0, idle)
            who = np.flatnonzero(moving)
            cell, slot = cell[who], slot[who]
        position.put(who, slot, cell)
        node = table.follow.take(cell)
        if isinstance(who, slice):
            position.nodes = node
        else:
            nodes[who] = node
        if refused is not None:
            self._close(position, refused)
        position.places = self._places(position)
        ended = node == table.end
        count = np.count_nonzero(ended)
        if not count:
            return Moved(refused, None, NOTHING)
        if count < len(nodes):
            who = np.flatnonzero(ended) if isinstance(who, slice) else who[ended]
        return Moved(refused, who, table.option.take(position.cells[who]))

    def masks(self, position: Position) -> Mask:
        """By the node, and with a budget by the architectures of the slots before."""
        return self._rows.take(position.places, axis=0)

    def tables(self) -> dict[str, NDArray[Any]]:
        """All that moves and masks are looked up in, for environments that are compiled.

        ``masks`` are rows under each other; an episode's is ``first[node]``, plus the architecture
        of the slots before times ``prefixes[node]``. That is the sum of ``weight[cell]`` over the
        slots, divided by ``divisor[node]``.
        """
        table, nodes = self.table, np.arange(2 * self.table.twins)
        nothing = np.zeros_like(nodes)
        looked = self._row if self._by_place else nodes
        return {
            "after": table.after.reshape(len(nodes), -1),
            "slot": table.slot,
            "follow": table.follow,
            "masks": self._rows,
            "first": looked,
            "prefixes": self._prefixes if self._by_place else nothing,
            "divisor": self._divisor if self._by_place else nothing + 1,
            "weight": self._weight if self._by_place else np.zeros_like(table.option),
        }

    def glide(self, position: Position, action: int) -> Moved | None:
        """The same for one episode.

        Args:
            position: changed in place.
            action: within the action space.
        """
        node, place = position.nodes.item(0), position.places.item(0)
        allowed, slot, cell = self._look(node, action, self._flat, place)
        if not allowed:
            position.nodes[0] = node + self.table.twins
            position.places[0] = 0 if self._by_place else node + self.table.twins
            return Moved(ONLY, None, NOTHING)
        position.cells[0, slot] = cell
        position.nodes[0] = after = self.table.follow.item(cell)
        position.places[0] = self._place(position, after) if self._by_place else after
        if after == self.table.end:
            return Moved(None, ALL, self.rows(position))
        return None

    def _look(self, nodes: Any, actions: Any, masks: Mask, places: Any) -> tuple[Any, Any, Any]:
        """Look up if actions are allowed, their slots, and the cells they make.

        This is all that building does, of one episode or of many: numbers, or arrays ``(n,)``.

        Args:
            nodes: where the episodes are.
            actions: what they do.
            masks: masks under each other, flat.
            places: which of them are the episodes'.
        """
        moves = nodes * self.actions + actions
        masked = moves if places is nodes else places * self.actions + actions
        return masks[masked], self.table.slot[nodes], self.table.after[moves]

    def _allowed(self, position: Position) -> tuple[Mask, IntArray]:
        """Masks under each other, flat, and which of them are the episodes', ``(n,)``."""
        return self._flat, position.places

    def _places(self, position: Position) -> IntArray:
        """Rows of the table of masks, ``(n,)``."""
        nodes = position.nodes
        if not self._by_place:
            return nodes
        weights = self._weight.take(position.cells)
        number: IntArray = weights[:, 0]
        for slot in range(1, weights.shape[1]):
            number = number + weights[:, slot]
        before = number // self._divisor.take(nodes)
        places: IntArray = self._row.take(nodes) + before * self._prefixes.take(nodes)
        return places

    def _place(self, position: Position, node: int) -> int:
        """Row of the table of masks of one episode.

        Args:
            position: of the episode.
            node: where it is.
        """
        number = sum(map(self._weight.item, position.cells[0].tolist()))
        before: int = number // self._divisor.item(node)
        place: int = self._row.item(node) + before * self._prefixes.item(node)
        return place

    def _close(self, position: Position, which: IntArray) -> None:
        """End episodes where they are; the first mask is shown.

        Args:
            position: changed in place.
            which: numbers of the episodes.
        """
        nodes = position.nodes[which]
        closed = np.where(nodes < self.table.end, nodes + self.table.twins, nodes)
        position.nodes[which] = closed
        position.places[which] = 0 if self._by_place else closed


class BuildBounded(Build):
    """The same where masks are worked out when they are needed: from lower bounds, or a trie.

    What bounds allow may be too slow in the end, and may leave nothing to go on with; both end the
    episode as a masked action does. What a trie allows leads to a candidate.
    """

    keeps_masks = True

    def __init__(self, decisions: Decisions, masks: Masks, cells: Cells) -> None:
        Moves.__init__(self, decisions, masks, cells)
        self.actions = decisions.actions
        self._by_place = True  # nothing to look up
        none = np.zeros(decisions.space.slots, dtype=np.int64)
        self._first_mask = masks.one(0, none, 0)

    def begin(self, position: Position, which: Which, starts: IntArray | None) -> None:
        """Begin with nothing chosen."""
        super().begin(position, which, starts)
        position.masks[which] = self._first_mask

    def advance(
        self, position: Position, actions: IntArray, idle: NDArray[np.bool_] | None
    ) -> Moved:
        """Make the next decision, and look whether the budget can still be met."""
        moved = super().advance(position, actions, idle)
        refused = [] if moved.refused is None else [moved.refused]
        complete = np.arange(len(actions))[slice(0) if moved.complete is None else moved.complete]
        if len(complete):
            fits = self.limits.feasible(moved.rows)
            refused.append(complete[~fits])
            position.masks[complete] = self._first_mask
            moved.complete = complete[fits] if fits.any() else None
            moved.rows = moved.rows[fits]
        going = position.nodes < self.table.end
        if idle is not None:
            going &= ~idle
        decisions = self.table.decision.take(position.nodes)
        rows = self.rows(position)
        for number in np.unique(decisions[going]).tolist():
            own = np.flatnonzero(going & (decisions == number))
            prefix = self.table.prefix.take(position.nodes[own])
            masks = self.limits.of(number, rows[own], prefix)
            position.masks[own] = masks
            refused.append(own[~masks.any(axis=1)])
        gone = np.concatenate(refused) if refused else np.zeros(0, np.int64)
        self._close(position, gone)
        position.masks[gone] = self._first_mask
        moved.refused = gone if len(gone) else None
        return moved

    def masks(self, position: Position) -> Mask:
        """As they were worked out."""
        return position.masks.copy()

    def glide(self, position: Position, action: int) -> Moved | None:
        """The same for one episode.

        Args:
            position: changed in place.
            action: within the action space.
        """
        return Moves.glide(self, position, action)

    def _places(self, position: Position) -> IntArray:
        return np.arange(len(position.nodes))

    def _allowed(self, position: Position) -> tuple[Mask, IntArray]:
        return position.masks.reshape(-1), self._places(position)


class BuildWhole(Moves):
    """One action chooses everything."""

    def __init__(self, decisions: Decisions, masks: Masks, cells: Cells) -> None:
        super().__init__(decisions, masks, cells)
        self.actions = len(masks.whole)

    def action_space(self) -> spaces.Space[Any]:
        """One choice a slot."""
        return self.decisions.action_space()

    def begin(self, position: Position, which: Which, starts: IntArray | None) -> None:
        """Begin with nothing chosen."""
        position.clear(which)

    def advance(
        self, position: Position, actions: IntArray, idle: NDArray[np.bool_] | None
    ) -> Moved:
        """Choose an architecture in every episode; one over the budget is refused."""
        rows = whole_actions(actions, self.decisions.space).copy()  # infos keep them
        moving, refused = split(self.limits.feasible(rows), idle)
        everybody = np.count_nonzero(moving) == len(moving)
        who: Which = ALL if everybody else np.flatnonzero(moving)
        rows = rows[who]
        position.cells[who] = self.table.of_rows(rows)
        position.nodes[who] = self.table.end
        return Moved(refused, who if len(rows) else None, rows)

    def masks(self, position: Position) -> Mask:
        """Masks of the options of each slot that occur within the budget, slot by slot."""
        return np.repeat(self.limits.whole[None], len(position.nodes), axis=0)
