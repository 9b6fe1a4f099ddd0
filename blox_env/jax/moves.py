"""Effects of actions on one episode: building, choosing a whole architecture, editing one."""

from __future__ import annotations

from typing import Any

import numpy as np

from blox_env.envs.episode.rules import Rules
from blox_env.ground.extras import extra
from blox_env.jax.tables import Array, EnvParams

with extra("jax", "blox_env.jax"):
    import jax
    import jax.numpy as jnp

Moved = tuple[Array, Array, Array, Array]  # cells, node, whether allowed, whether complete


class Moves:
    """Moves under some rules, as pure functions of one episode.

    Args:
        rules: of the numpy environment.

    Attributes:
        space: what is built.
        edits: whether architectures are edited.
        whole: whether one action chooses everything.
        actions: width of the mask.
        blank: blank cell of each slot.
        end: node where everything is chosen.
    """

    def __init__(self, rules: Rules) -> None:
        moves = rules.moves
        self.space = rules.problem.space
        self.edits, self.whole = not moves.ends, rules.decisions.whole
        self.actions = int(moves.actions)
        self.blank = tuple(moves.table.blank.tolist())
        self.end, self._twins = moves.table.end, moves.table.twins
        self._limited = moves.limits.limited
        self._strides = np.zeros(self.space.slots, dtype=np.int32)  # no numbers in larger spaces
        if self.space.listable:
            self._strides[:] = np.cumprod((1, *self.space.options[:0:-1]))[::-1]
        self._first = np.cumsum([0, *self.space.options[:-1]]).astype(np.int32)

    @property
    def key(self) -> tuple[Any, ...]:
        """The facts that decide the program: moves with equal keys differ in their arrays alone."""
        facts = (self.edits, self.whole, self.actions, self.blank, self.end, self._limited)
        return (self.space.options, *facts)

    def index(self, row: Array) -> Array:
        """Number of an architecture ``(slots,)`` among all of the space."""
        return jnp.sum(row * self._strides)

    def row(self, index: Array) -> Array:
        """The architecture ``(slots,)`` of a number."""
        options = np.array(self.space.options, dtype=np.int32)
        return (index // self._strides % options).astype(jnp.int32)

    def cells(self, row: Array, params: EnvParams) -> Array:
        """Cells of a complete architecture ``(slots,)``."""
        return params.cells[row + self._first]

    def apply(self, cells: Array, node: Array, action: Array, params: EnvParams) -> Moved:
        """Take an action.

        Args:
            cells: what is chosen.
            node: where the next decision stands.
            action: a number, or one a slot.
            params: of the environment.

        Returns:
            Cells and node after it, whether it is allowed, and whether it made an architecture.
        """
        action = jnp.asarray(action, dtype=jnp.int32)
        move = self._edit if self.edits else self._choose if self.whole else self._build
        return move(cells, node, action, params)

    def mask(self, cells: Array, node: Array, params: EnvParams) -> Array:
        """Mask of the allowed actions, int8 ``(actions,)``.

        Args:
            cells: what is chosen.
            node: where the next decision stands.
            params: of the environment.
        """
        if self.whole:
            return params.whole.astype(jnp.int8)
        if self.edits:
            return self._possible(params.option[cells], params).astype(jnp.int8)
        assert params.choices is not None
        return params.choices.masks[self._place(cells, node, params)].astype(jnp.int8)

    def start(self, key: Array, params: EnvParams) -> Array:
        """An architecture to edit: slot by slot, evenly over what can still be completed.

        Args:
            key: of the draw.
            params: of the environment.
        """
        assert params.changes is not None
        row: list[Array] = []
        before: Any = 0
        for slot, masks in enumerate(params.changes.starts):
            mask = masks[before if self._limited else 0][: self.space.options[slot]]
            weights = jnp.where(mask > 0, 0.0, -jnp.inf)
            drawn = jax.random.categorical(jax.random.fold_in(key, slot), weights)
            row.append(drawn.astype(jnp.int32))
            before = before * len(mask) + row[-1]
        return jnp.stack(row)

    # -- within ------------------------------------------------------------------------------

    def _build(self, cells: Array, node: Array, action: Array, params: EnvParams) -> Moved:
        """Make the next decision."""
        choices = params.choices
        assert choices is not None
        allowed = choices.masks[self._place(cells, node, params), action] > 0
        made = choices.after[node, action]
        cells = jnp.where(allowed, cells.at[choices.slot[node]].set(made), cells)
        closed = jnp.where(node < self.end, node + self._twins, node)
        node = jnp.where(allowed, choices.follow[made], closed)
        return cells, node, allowed, allowed & (node == self.end)

    def _choose(self, cells: Array, node: Array, action: Array, params: EnvParams) -> Moved:
        """Choose everything; what is not feasible is refused."""
        allowed = params.feasible[self.index(action)] if self._limited else jnp.ones((), bool)
        cells = jnp.where(allowed, self.cells(action, params), cells)
        node = jnp.where(allowed, self.end, node)
        return cells, node, allowed, allowed

    def _edit(self, cells: Array, node: Array, action: Array, params: EnvParams) -> Moved:
        """Change one thing."""
        changes, row = params.changes, params.option[cells]
        assert changes is not None
        allowed = self._possible(row, params)[action]
        slot = changes.slot[action]
        changed = row.at[slot].set(changes.results[slot, row[slot], action])
        return jnp.where(allowed, self.cells(changed, params), cells), node, allowed, allowed

    def _possible(self, row: Array, params: EnvParams) -> Array:
        """Mask of the changes that make a feasible architecture; setting what is set does."""
        changes = params.changes
        assert changes is not None
        slot = changes.slot
        made = changes.results[slot, row[slot], jnp.arange(self.actions)]
        if not self._limited:
            return made >= 0
        index = self.index(row) + (made - row[slot]) * jnp.asarray(self._strides)[slot]
        fits = params.feasible[jnp.where(made >= 0, index, 0)]
        return (made >= 0) & (fits | (made == row[slot]))

    def _place(self, cells: Array, node: Array, params: EnvParams) -> Array:
        """Row of the mask of a decision."""
        choices = params.choices
        assert choices is not None
        if not self._limited:
            return choices.first[node]
        before = jnp.sum(choices.weight[cells]) // choices.divisor[node]
        return choices.first[node] + before * choices.prefixes[node]
