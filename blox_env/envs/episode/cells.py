"""The choices about a slot as one number, its *cell*, and what an action makes of it.

Every slot has a cell for each state that it can be in: blank, then one for each way to have made
its first choice, its first two, and so on to all of them. Cells are numbered through all slots, so
that a few flat tables say everything, for one episode or for thousands at different decisions:

- of an action at a cell, which cell it makes (:attr:`Cells.after`);
- of a complete cell, which option of the slot it is (:attr:`Cells.option`);
- of a cell, at which cell the next decision is made, its *node* (:attr:`Cells.follow`): the cell
  itself while choices about the slot remain, else the blank cell of the next slot, else the end.
"""

from __future__ import annotations

import numpy as np

from blox_env.envs.episode.decisions import Decision, Decisions
from blox_env.ground.typing import IntArray


class Cells:
    """Cells of the slots of a space, for decisions of some granularity.

    A node is a cell that is blank or partly chosen, or :attr:`end`. Every node has a closed twin,
    ``node + twins``: an episode that ended there without being complete.

    Args:
        decisions: what is decided.

    Attributes:
        blank: the blank cell of each slot, ``(slots,)``.
        end: the node where everything is chosen.
        twins: distance from a node to its closed twin.
        after: cell after an action, by ``node · actions + action``; 0 where it makes none.
        option: option of a complete cell, 0 of others, ``(cells,)``.
        follow: node of the next decision, by the cell that was made, ``(cells,)``.
        complete: cells of the options of each slot, ``(options,)``, by their canonical choices.
        slot: slot that the decision at a node is about, ``(2 · twins,)``; 0 at the end.
        decision: number of the decision at a node, ``(2 · twins,)``; their number at the end.
        prefix: choices within the slot so far, ``(2 · twins,)``, as decisions number them.
    """

    def __init__(self, decisions: Decisions) -> None:
        counts = [len(step.allowed) for step in decisions.steps]  # cells before each decision
        canonical = _canonical(decisions)
        blank: list[int] = []
        slot: list[int] = []
        decision: list[int] = []
        prefix: list[int] = []
        option: list[int] = []
        self.complete: list[IntArray] = []
        self.tables: list[list[IntArray]] = [[] for _ in decisions.tables]  # cells by decision
        for number, (step, count) in enumerate(zip(decisions.steps, counts, strict=True)):
            start = len(slot)
            if not self.tables[step.slot]:
                blank.append(start)
            self.tables[step.slot].append(np.arange(start, start + count))
            slot += [step.slot] * count
            decision += [number] * count
            prefix += range(count)
            option += [0] * count
            if step.option is not None:
                made = np.arange(len(slot), len(slot) + len(step.option))
                self.tables[step.slot].append(made)
                self.complete.append(made[canonical[step.slot]])
                slot += [step.slot] * len(made)
                decision += [number + 1] * len(made)
                prefix += [0] * len(made)
                option += np.maximum(step.option, 0).tolist()
        self.blank = np.array(blank)
        self.end = len(slot)
        self.twins = self.end + 1
        self.option = np.array(option)
        self.slot = np.tile(np.array([*slot, 0]), 2)
        self.decision = np.tile(np.array([*decision, len(decisions)]), 2)
        self.prefix = np.tile(np.array([*prefix, 0]), 2)
        self.after = np.zeros((2 * self.twins, decisions.actions), dtype=np.int64)
        self.follow = np.arange(self.end)
        for step, cells, made in self._moves(decisions):
            allowed = step.allowed[:, : step.choices]
            makes = made.reshape(allowed.shape)
            self.after[cells, : step.choices] = np.where(allowed, makes, 0)
            if step.option is not None:
                later = step.slot + 1
                self.follow[made] = blank[later] if later < len(blank) else self.end
        self.after = self.after.ravel()
        counts_of = [len(made) for made in self.complete]
        self._complete = np.concatenate(self.complete)
        self._first = np.cumsum([0, *counts_of[:-1]])

    def of_rows(self, rows: IntArray) -> IntArray:
        """Cells ``(n, slots)`` of complete architectures ``(n, slots)``."""
        made: IntArray = self._complete.take(rows + self._first)
        return made

    def _moves(self, decisions: Decisions) -> list[tuple[Decision, IntArray, IntArray]]:
        """Decisions, the cells where they are made, and those that they make."""
        depth = [0] * len(self.tables)
        moves = []
        for step in decisions.steps:
            before, after = self.tables[step.slot][depth[step.slot] :][:2]
            moves.append((step, before, after))
            depth[step.slot] += 1
        return moves


def _canonical(decisions: Decisions) -> list[IntArray]:
    """All choices of each option of each slot as one number, in their canonical form."""
    values = decisions.space.operation_values()
    return [
        np.arange(len(table))
        if table.ndim == 1
        else np.ravel_multi_index(tuple(value.T), table.shape)
        for table, value in zip(decisions.tables, values, strict=True)
    ]
