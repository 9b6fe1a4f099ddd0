"""Changing one thing of a complete architecture."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from blox_env.envs.episode.cells import Cells
from blox_env.envs.episode.decisions import Decisions
from blox_env.envs.episode.masks import Mask, Masks
from blox_env.envs.episode.moves import NOTHING, Moved, Moves, Position, Which
from blox_env.ground.typing import FloatArray, IntArray


class Edits(Moves):
    """The changes that an action can make: one operation, or one block.

    Actions count slot by slot, within a slot choice by choice, within a choice value by value.

    Args:
        decisions: what there is to choose; ``granularity="whole"`` is refused.
        masks: of building an architecture, for the latency budget.
        cells: of the decisions.

    Raises:
        ValueError: for ``granularity="whole"``.
    """

    ends = False
    option = "arch"
    keeps_masks = True

    def __init__(self, decisions: Decisions, masks: Masks, cells: Cells) -> None:
        if decisions.whole:
            raise ValueError(
                "granularity='whole' changes everything: an edit needs 'block' or 'operation'"
            )
        super().__init__(decisions, masks, cells)
        self.drawn = decisions.space.slots
        if decisions.granularity == "operation":
            values = decisions.space.operation_values()
        else:
            values = [np.arange(count)[:, None] for count in decisions.space.options]
        self._blocks = Masks(
            Decisions(decisions.space),
            masks.device,
            masks.budget_ms,
            masks.candidates,
            masks.constraints,
        )
        self._after = [
            _results(table, value) for table, value in zip(decisions.tables, values, strict=True)
        ]
        counts = [after.shape[1] for after in self._after]
        self.actions = sum(counts)
        self._slot = np.repeat(np.arange(len(counts)), counts)
        # results of all slots under each other, so that one gather serves any slot
        self._stacked = np.full((len(counts), max(decisions.space.options), self.actions), -1)
        for slot, after in enumerate(self._after):
            self._stacked[slot, : len(after), self._slot == slot] = after.T

    def action_space(self) -> spaces.Discrete:
        """One action for every value that anything can be set to."""
        return spaces.Discrete(self.actions)

    def begin(self, position: Position, which: Which, starts: IntArray | None) -> None:
        """Begin from complete architectures."""
        assert starts is not None
        position.nodes[which] = self.table.end
        self.accept(position, which, starts)

    def accept(self, position: Position, which: Which, rows: IntArray) -> None:
        """Go on from architectures ``(k, slots)``."""
        position.cells[which] = self.table.of_rows(rows)
        position.masks[which] = self.allowed(rows)

    def advance(
        self, position: Position, actions: IntArray, idle: NDArray[np.bool_] | None
    ) -> Moved:
        """The architectures that the actions make; they are taken over by :meth:`accept`."""
        numbers = np.arange(len(actions))
        if idle is not None:
            numbers = numbers[~idle]
        allowed = position.masks[numbers, actions[numbers]] > 0
        refused, who = numbers[~allowed], numbers[allowed]
        if len(who) == 0:
            return Moved(refused, None, NOTHING)
        changed = self.apply(self.table.option.take(position.cells[who]), actions[who])
        return Moved(refused if len(refused) else None, who, changed)

    def masks(self, position: Position) -> Mask:
        """As they were worked out for the architectures at hand."""
        return position.masks.copy()

    def apply(self, rows: IntArray, actions: IntArray) -> IntArray:
        """Architectures ``(n, slots)`` after allowed actions ``(n,)``.

        Args:
            rows: before the actions.
            actions: one each.
        """
        slot = self._slot[actions]
        changed = rows.copy()
        own = np.arange(len(rows))
        changed[own, slot] = self._stacked[slot, rows[own, slot], actions]
        return changed

    def allowed(self, rows: IntArray) -> Mask:
        """Masks ``(n, actions)``: what makes an architecture, within the latency budget.

        Setting what is set already is always allowed.
        """
        slots = range(rows.shape[1])
        results = np.hstack([self._after[slot][rows[:, slot]] for slot in slots])
        fits = results >= 0
        if self.limits.limited:
            stays = results == rows[:, self._slot]
            others, actions = np.nonzero(fits & ~stays)
            fits[others, actions] = self.limits.feasible(self.apply(rows[others], actions))
        masks: Mask = fits.astype(np.int8)
        return masks

    def tables(self) -> dict[str, NDArray[Any]]:
        """All that changes are looked up in, for environments that are compiled.

        ``results`` ``(slots, options, actions)`` is the option of the slot after an action, -1 for
        none and where the action is about another slot; ``slot`` says which that is.
        """
        return {"results": self._stacked, "slot": self._slot}

    @property
    def blocks(self) -> Masks:
        """Masks of choosing slot by slot, by which episodes begin."""
        return self._blocks

    def starts(self, uniform: FloatArray) -> IntArray:
        """Random architectures ``(n, slots)`` of uniform numbers ``(slots, n)``.

        Even over the options of a slot; with a latency budget over those that can still meet it.
        Where the masks come from a lower bound, what is too slow is made faster from the last slot.
        """
        space = self.decisions.space
        rows = np.zeros((uniform.shape[1], space.slots), dtype=np.int64)
        if not self.limits.limited:
            rows[:] = np.floor(uniform.T * np.asarray(space.options))
            return rows
        none = np.zeros(len(rows), dtype=np.int64)
        for slot in range(space.slots):
            allowed = self._blocks.of(slot, rows, none)
            wanted = np.floor(uniform[slot] * allowed.sum(axis=1)).astype(np.int64)
            rows[:, slot] = (np.cumsum(allowed, axis=1) > wanted[:, None]).argmax(axis=1)
        for slot in range(space.slots)[::-1] if self.limits.bounded else ():
            rows[~self.limits.feasible(rows), slot] = self.limits.smallest(slot)
        if not self.limits.feasible(rows).all():
            asked = self.limits.budget_ms or self.limits.constraints
            raise ValueError(
                f"the limit of the latency ({asked}) is above the lower bounds of device and below "
                "the latency of what they take for fastest: raise it"
            )
        return rows

    def given(self, options: dict[str, Any], n: int) -> IntArray | None:
        """Starts ``(n, slots)`` that ``options["arch"]`` asks for, None where it does not.

        Raises:
            ValueError: for what is no architecture, not one or ``n`` of them, or over the budget.
        """
        if "arch" not in options:
            return None
        try:
            rows = self.decisions.space.check(options["arch"])
        except (TypeError, ValueError) as error:
            raise ValueError(f"options['arch']: {error}") from None
        if len(rows) not in (1, n):
            raise ValueError(f"options['arch'] must be one architecture or {n}, got {len(rows)}")
        if not self.limits.feasible(rows).all():
            raise ValueError(f"options['arch'] {self.limits.refused()}: {options['arch']!r}")
        return np.repeat(rows, n // len(rows), axis=0)


def _results(table: IntArray, values: IntArray) -> IntArray:
    """Option of a slot after setting any one choice to any value, ``(options, changes)``.

    ``table`` has the option of all choices, ``values`` the choices of each option.
    """
    columns = []
    for choice, count in enumerate(table.shape):
        for value in range(count):
            changed = values.copy()
            changed[:, choice] = value
            columns.append(table[tuple(changed.T)])
    return np.column_stack(columns)
