"""Environments in gymnax's form: pure functions of keys, states, actions and parameters."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

from gymnasium import spaces

from blox_env.envs.config import EnvConfig
from blox_env.envs.episode.rules import Rules
from blox_env.ground.extras import extra, extra_module
from blox_env.jax.moves import Moves
from blox_env.jax.tables import Array, EnvParams, tables_of
from blox_env.jax.worth import Worth
from blox_env.problem import Problem

with extra("jax", "blox_env.jax"):
    import jax
    import jax.numpy as jnp


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class EnvState:
    """State of an episode.

    Attributes:
        time: steps since the beginning.
        cells: what is chosen, a cell a slot ``(slots,)``.
        node: where the next decision stands.
        goal: a latency target in milliseconds, or the number of a device.
        value: reward of the architecture that an episode of edits is at.
    """

    time: Array
    cells: Array
    node: Array
    goal: Array
    value: Array

    def replace(self, **changes: Any) -> EnvState:
        """A copy with other values."""
        return dataclasses.replace(self, **changes)


class JaxEnv:
    """A problem as an environment that JAX compiles, in the form of gymnax 1.0.

    It looks everything up in the arrays of the numpy environment of the same arguments, and steps
    as that does. All methods are of one episode: ``jax.vmap`` makes them of many. ``step`` begins
    the next episode where one has ended, as gymnax does; ``info`` and
    ``info["final_observation"]`` are those of the one that ended. A key draws what is random: the
    goal, where editing starts, and the error of an evaluation.

    Infos are ``arch``, its number ``index`` in a space that can be listed, ``evaluated``,
    ``invalid``, ``val_acc``, ``latency_ms`` (NaN where nothing was evaluated) and ``cost``.

    In a space too large to list a model is asked (:mod:`blox_env.jax.surrogate`).

    Args:
        rules: put together from the arguments of the numpy environment.
        max_steps: after which an episode is truncated; None for one that ends by itself.
        deviation: standard deviation of the error that every evaluation's accuracy has, as
            :class:`~blox_env.wrappers.NoisyEvaluation` has it.

    Raises:
        ValueError: for a benchmark that is neither a table nor a model that can be carried over,
            and for limits in a space that cannot be listed.

    Attributes:
        rules: of the numpy environment.
        default_params: its arrays.
        space: the search space.
        num_actions: width of the action mask.
    """

    def __init__(
        self, rules: Rules, *, max_steps: int | None = None, deviation: float = 0.0
    ) -> None:
        self.rules = rules
        self.moves = Moves(rules)
        self.worth = Worth(rules, noisy=deviation > 0)
        if self.moves.edits and deviation > 0:
            raise ValueError("deviation is for architectures that are built, got one to be edited")
        limit = len(rules.decisions) + 1 if max_steps is None else max_steps
        model = None if self.worth.model is None else self.worth.model.arrays
        self.default_params = tables_of(rules, limit, deviation, model)
        self.space, self.num_actions = self.moves.space, self.moves.actions

    @property
    def name(self) -> str:
        """Name of the space, and how it is acted in."""
        return f"{self.space.name}-{'edit' if self.moves.edits else self.rules.config.granularity}"

    @property
    def key(self) -> tuple[Any, ...]:
        """The facts that decide the program; with equal ones params alone differ."""
        seen = self.rules.observer
        return (*self.moves.key, *self.worth.key, seen.kind, seen.goal_columns, seen.nodes)

    @partial(jax.jit, static_argnums=0)
    def reset(self, key: Array, params: EnvParams | None = None) -> tuple[Any, EnvState]:
        """Begin an episode.

        Args:
            key: of what is drawn.
            params: those of the environment if not given.

        Returns:
            Observation and state.
        """
        return self.reset_env(key, self.default_params if params is None else params)

    @partial(jax.jit, static_argnums=0)
    def step(
        self, key: Array, state: EnvState, action: Array, params: EnvParams | None = None
    ) -> tuple[Any, EnvState, Array, Array, Array, dict[str, Any]]:
        """Take an action, and begin the next episode where this one ends.

        Args:
            key: of what is drawn.
            state: of the episode.
            action: a number, or one a slot.
            params: those of the environment if not given.

        Returns:
            Observation, state, reward, terminated, truncated, info.
        """
        params = self.default_params if params is None else params
        key_step, key_reset = jax.random.split(key)
        seen, after, reward, terminated, info = self.step_env(key_step, state, action, params)
        truncated = self.is_truncated(after, params)
        done = terminated | truncated
        fresh = self.reset_env(key_reset, params)
        chosen = jax.tree.map(lambda new, old: jnp.where(done, new, old), fresh, (seen, after))
        told = {"terminated": terminated, "truncated": truncated, "final_observation": seen}
        return *chosen, reward, terminated, truncated, {**info, **told}

    def reset_env(self, key: Array, params: EnvParams) -> tuple[Any, EnvState]:
        """Begin an episode.

        Args:
            key: of what is drawn: the goal, and where editing starts.
            params: of the environment.

        Returns:
            Observation and state.
        """
        key_goal, key_start = jax.random.split(key)
        goal = self.worth.draw(key_goal, params)
        row = self.moves.start(key_start, params) if self.moves.edits else None
        return self.begin(params, goal, row)

    def begin(
        self, params: EnvParams, goal: Array | float = 0.0, row: Array | None = None
    ) -> tuple[Any, EnvState]:
        """Begin an episode as one wishes.

        Args:
            params: of the environment.
            goal: latency target in milliseconds, or number of the device.
            row: the architecture ``(slots,)`` to edit, a feasible one; None where it is built.

        Returns:
            Observation and state.
        """
        aim = jnp.asarray(goal, dtype=params.goal_range.dtype)
        zero = jnp.zeros((), dtype=jnp.int32)
        if row is None:
            blank = jnp.array(self.moves.blank, dtype=jnp.int32)
            state = EnvState(zero, blank, zero, aim, self.worth.nothing())
        else:
            which = self._which(row)
            value, _ = self.worth.of(which, aim, params, jax.random.key(0))  # no error there
            node = jnp.full((), self.moves.end, dtype=jnp.int32)
            state = EnvState(zero, self.moves.cells(row, params), node, aim, value)
        return self.observe(None, state, None, params), state

    def step_env(
        self, key: Array, state: EnvState, action: Array, params: EnvParams
    ) -> tuple[Any, EnvState, Array, Array, dict[str, Any]]:
        """Take an action.

        Args:
            key: of the evaluation's error.
            state: of an episode that has not ended.
            action: a number, or one a slot.
            params: of the environment.

        Returns:
            Observation, state, reward, terminated, info.
        """
        cells, node, allowed, complete = self.moves.apply(state.cells, state.node, action, params)
        row = params.option[cells]
        which = self._which(row)
        worth, known = self.worth.of(which, state.goal, params, key, complete)
        earned = worth - state.value if self.moves.edits else worth
        value = jnp.where(complete, worth, state.value) if self.moves.edits else state.value
        after = EnvState(state.time + 1, cells, node, state.goal, value)
        info = {
            "arch": row,
            "evaluated": complete,
            "invalid": ~allowed,
            "cost": jnp.where(complete, known["cost"], 0.0),
            "val_acc": jnp.where(complete, known["val_acc"], jnp.nan),
            "latency_ms": jnp.where(complete, known["latency_ms"], jnp.nan),
        }
        if self.worth.model is None:
            info["index"] = which
        ended = ~allowed if self.moves.edits else ~allowed | complete
        reward = jnp.where(complete, earned, self.worth.nothing())
        return self.observe(key, after, action, params), after, reward, ended, info

    def _which(self, row: Array) -> Array:
        """Name of an architecture in questions: its number, or itself where a model is asked."""
        return self.moves.index(row) if self.worth.model is None else row

    def observe(
        self, key: Array | None, state: EnvState, action: Array | None, params: EnvParams
    ) -> Any:
        """The observation of a state, in the numpy environment's form.

        Args:
            key: not looked at.
            state: of the episode.
            action: not looked at.
            params: of the environment.
        """
        del key, action
        observer = self.rules.observer
        parts = [
            table[state.cells[slot] - blank]
            for slot, (table, blank) in enumerate(zip(params.seen, self.moves.blank, strict=True))
        ]
        goal = self.worth.shown(state.goal, params) if observer.goal_columns else None
        if observer.kind == "graph":
            whole = jnp.stack(parts).sum(axis=0, dtype=jnp.int32)
            end, square = observer.nodes**2, (observer.nodes, observer.nodes)
            graph = {"adjacency": whole[:end].reshape(square).astype(jnp.int8)}
            graph["nodes"] = whole[end:]
            return graph if goal is None else {**graph, "goal": goal}
        flat = jnp.concatenate(parts if goal is None else [*parts, goal])
        if observer.kind == "dict":
            return {"observations": flat, "action_mask": self.action_mask(state, params)}
        return flat

    def action_mask(self, state: EnvState, params: EnvParams | None = None) -> Array:
        """Mask of the actions that are allowed next, int8 ``(actions,)``.

        Args:
            state: of the episode.
            params: those of the environment if not given.
        """
        params = self.default_params if params is None else params
        return self.moves.mask(state.cells, state.node, params)

    def is_truncated(self, state: EnvState, params: EnvParams) -> Array:
        """Tell whether an episode has taken as many steps as it may.

        Args:
            state: of the episode.
            params: of the environment.
        """
        return state.time >= params.max_steps_in_episode

    def is_terminated(self, state: EnvState, params: EnvParams) -> Array:
        """Tell whether building is complete, or was ended by a masked action.

        Args:
            state: of the episode.
            params: of the environment.
        """
        del params
        ended = state.node >= self.moves.end
        return jnp.zeros_like(ended) if self.moves.edits else ended

    def discount(self, state: EnvState, params: EnvParams) -> Array:
        """0 where building is complete, else 1.

        Args:
            state: of the episode.
            params: of the environment.
        """
        return jnp.where(self.is_terminated(state, params), 0.0, 1.0)

    def action_space(self, params: EnvParams | None = None) -> Any:
        """The action space, as gymnax has it: ``Discrete``, or a ``Box`` of options a slot.

        Raises:
            ImportError: where gymnax is not installed.
        """
        del params
        return _in_gymnax(self.rules.moves.action_space())

    def observation_space(self, params: EnvParams | None = None) -> Any:
        """The observation space, as gymnax has it.

        Raises:
            ImportError: where gymnax is not installed.
        """
        del params
        return _in_gymnax(self.rules.observer.space(self.num_actions))


def of_problem(problem: Problem, **arguments: Any) -> JaxEnv:
    """The environment of a problem, which looks architectures up and spends nothing.

    Args:
        problem: what is asked; its account is left alone.
        arguments: of the environment.

    Raises:
        ValueError: as :class:`JaxEnv`.
    """
    return JaxEnv(Rules(EnvConfig(problem=problem, **arguments)))


def _in_gymnax(space: spaces.Space[Any]) -> Any:
    """The same space in the words of gymnax."""
    theirs = extra_module("gymnax.environments.spaces", "gymnax", "a space in gymnax's form")
    if isinstance(space, spaces.Dict):
        return theirs.Dict({name: _in_gymnax(part) for name, part in space.items()})
    if isinstance(space, spaces.Discrete):
        return theirs.Discrete(int(space.n))
    if isinstance(space, spaces.MultiDiscrete):
        return theirs.Box(0, space.nvec - 1, space.shape, jnp.int32)
    assert isinstance(space, spaces.Box)
    return theirs.Box(space.low, space.high, space.shape, space.dtype)
