"""Actions as decisions: an architecture is a sequence of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from blox_env.ground.errors import unknown_name
from blox_env.ground.typing import IntArray
from blox_env.spaces.base import SearchSpace

Granularity = Literal["block", "operation", "whole"]
GRANULARITIES = ("block", "operation", "whole")


@dataclass(frozen=True)
class Decision:
    """One step of building an architecture.

    The choices made within a slot so far are one number, its *prefix*: 0 at the start of a slot,
    then ``prefix · choices + action``.

    Attributes:
        slot: which slot it is about.
        choices: number of actions that mean anything.
        allowed: which actions lead to an option, bool ``(prefixes, actions)``.
        option: option of the slot by the prefix after the last decision about it, -1 for none;
            None while more decisions about the slot follow.
    """

    slot: int
    choices: int
    allowed: NDArray[np.bool_]
    option: IntArray | None


class Decisions:
    """The decisions that make an architecture, in order.

    Args:
        space: what is built.
        granularity: ``"block"``, a slot a decision; ``"operation"``, the operations of a slot one
            after the other; ``"whole"``, as ``block`` but all of them in one action.

    Raises:
        ValueError: for an unknown granularity.
    """

    def __init__(self, space: SearchSpace, granularity: Granularity = "block") -> None:
        if granularity not in GRANULARITIES:
            raise ValueError(unknown_name("granularity", granularity, GRANULARITIES))
        self.space = space
        self.granularity = granularity
        self.whole = granularity == "whole"
        if granularity == "operation":
            tables = space.operation_tables()
        else:
            tables = [np.arange(count) for count in space.options]
        self.actions = max(max(table.shape) for table in tables)
        self.steps = [
            _decision(slot, table, depth, self.actions)
            for slot, table in enumerate(tables)
            for depth in range(table.ndim)
        ]
        self.tables = tables

    def __len__(self) -> int:
        """Number of decisions."""
        return len(self.steps)

    def words(self, number: int, prefix: int) -> str:
        """Choices of a slot in words when decision ``number`` about it comes next.

        Args:
            number: of the decision.
            prefix: number of the choices so far.
        """
        step = self.steps[number]
        depth = number - next(n for n, s in enumerate(self.steps) if s.slot == step.slot)
        if depth == 0:
            return ""
        shape = self.tables[step.slot].shape[:depth]
        choices = tuple(int(choice) for choice in np.unravel_index(prefix, shape))
        return self.space.describe_choices(choices)

    def action_space(self) -> spaces.Space[NDArray[np.int64]] | spaces.Space[np.int64]:
        """``Discrete`` as large as the largest decision, ``MultiDiscrete`` of slots for whole."""
        if self.whole:
            return spaces.MultiDiscrete(np.array(self.space.options))
        return spaces.Discrete(self.actions)


def _decision(slot: int, table: IntArray, depth: int, actions: int) -> Decision:
    """The decision number ``depth`` about a slot whose options ``table`` holds."""
    choices = table.shape[depth]
    before = int(np.prod(table.shape[:depth], dtype=np.int64))
    possible = (table >= 0).reshape(before, choices, -1).any(axis=2)
    allowed = np.zeros((before, actions), dtype=bool)
    allowed[:, :choices] = possible
    last = depth == table.ndim - 1
    return Decision(slot, choices, allowed, table.reshape(-1) if last else None)


def whole_actions(actions: NDArray[Any], space: SearchSpace) -> IntArray:
    """Actions ``(n, slots)`` of ``granularity="whole"`` as architectures.

    Args:
        actions: checked for type and shape.
        space: of the architectures.

    Raises:
        ValueError: for actions outside ``MultiDiscrete(space.options)``.
    """
    try:
        rows = space.check(np.asarray(actions))
        if len(rows) != len(actions):
            raise ValueError(f"expected {space.slots} options, got none")
        return rows
    except (TypeError, ValueError) as error:
        raise ValueError(f"action: {error}") from None
