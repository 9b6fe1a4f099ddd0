"""A natural evolution strategy over policies without input, by evosax.

Wierstra et al., *Natural Evolution Strategies*, JMLR 2014 (SNES: a normal distribution with a
deviation for each number). A member has a number for every choice of every decision; at each
decision the allowed choice with the largest one is taken, so that every member is a feasible
architecture.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from blox_env.ground.extras import extra
from blox_env.jax.account import Account, booked, opened
from blox_env.jax.environment import JaxEnv
from blox_env.jax.searcher import Asked, Searcher
from blox_env.jax.tables import Array, EnvParams

with extra("jax", "blox_env.jax"):
    import jax
    import jax.numpy as jnp
with extra("evosax", "blox_env.jax.strategy"):
    from evosax.algorithms import SNES


class Form(NamedTuple):
    """The form of the program.

    Attributes:
        members: architectures between updates.
        budget: distinct architectures that the account counts.
        max_queries: architectures that may be asked for.
    """

    members: int = 16
    budget: int = 500
    max_queries: int = 10_000


class Spread(NamedTuple):
    """State of a search: the distribution of its members."""

    inner: Any
    key: Array
    account: Account


class Strategy(Searcher):
    """A distribution over choices that moves to where the better members are.

    Args:
        env: built by decisions, with a number as reward.
        form: of the program.
    """

    def __init__(self, env: JaxEnv, form: Form | None = None) -> None:
        super().__init__(env, form or Form())
        self._decisions = len(env.rules.decisions)
        self._start = jnp.zeros((self._decisions, env.num_actions))
        self._method = SNES(self.form.members, self._start)
        self._settings = self._method.default_params

    @property
    def steps(self) -> int:
        """Decisions between updates."""
        return int(self.form.members) * self._decisions

    def init(self, key: Array, params: EnvParams) -> Spread:
        """A distribution that prefers nothing.

        Args:
            key: of everything random in it.
            params: not looked at.
        """
        del params
        key, own = jax.random.split(key)
        inner = self._method.init(own, self._start, self._settings)
        return Spread(inner, key, opened(self.env.space.size, self.form.budget))

    def update(self, state: Spread, params: EnvParams, hyper: Any) -> tuple[Spread, Asked]:
        """Draw members, evaluate them, and move towards the better ones.

        Args:
            state: before.
            params: of the environment.
            hyper: none.

        Returns:
            The distribution, and the architectures of its members.
        """
        del hyper
        count = self.form.members
        key, key_ask, key_tell, key_error = jax.random.split(state.key, 4)
        members, inner = self._method.ask(key_ask, state.inner, self._settings)
        index = jax.vmap(self._decoded, (0, None))(members, params)
        value, _ = jax.vmap(self.env.worth.of, (0, None, None, 0))(
            index, params.goal_range[0], params, jax.random.split(key_error, count)
        )
        inner, _ = self._method.tell(key_tell, members, -value, inner, self._settings)
        every = jnp.ones(count, dtype=bool)
        account = booked(state.account, index, every, self.form.max_queries)
        return Spread(inner, key, account), (index[None], every[None])

    def _decoded(self, member: Array, params: EnvParams) -> Array:
        """The architecture of a member ``(decisions, actions)``."""
        moves = self.env.moves

        def decide(carry: Any, wishes: Array) -> tuple[Any, None]:
            cells, node = carry
            mask = moves.mask(cells, node, params)
            action = jnp.argmax(jnp.where(mask > 0, wishes, -jnp.inf))
            return moves.apply(cells, node, action, params)[:2], None

        blank = jnp.array(moves.blank, dtype=jnp.int32)
        start = (blank, jnp.zeros((), dtype=jnp.int32))
        (cells, _), _ = jax.lax.scan(decide, start, member)
        return moves.index(params.option[cells])
