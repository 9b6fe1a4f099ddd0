"""Regularized evolution, compiled.

Real et al., *Regularized Evolution for Image Classifier Architecture Search*, AAAI 2019, as
:mod:`blox_env.agents.regularized_evolution` has it. Deviation: a child that is not feasible is
drawn again like one that is in the population, not moved to the nearest one that is; after ten
draws its parent is asked for once more.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from blox_env.ground.extras import extra
from blox_env.jax.account import Account, booked, opened
from blox_env.jax.environment import JaxEnv
from blox_env.jax.searcher import Asked, Searcher
from blox_env.jax.tables import Array, EnvParams

with extra("jax", "blox_env.jax"):
    import jax
    import jax.numpy as jnp

REDRAWS = 10


class Form(NamedTuple):
    """The form of the program.

    Attributes:
        population: members of the queue.
        sample: members of a tournament.
        children: evaluations in one update.
        budget: distinct architectures that the account counts.
        max_queries: architectures that may be asked for.
    """

    population: int = 50
    sample: int = 10
    children: int = 16
    budget: int = 500
    max_queries: int = 10_000


class Queue(NamedTuple):
    """State of a search: members, oldest at ``count % population``, and their rewards."""

    members: Array
    values: Array
    count: Array
    key: Array
    account: Account


class Evolution(Searcher):
    """Mutation of tournament winners in a population that forgets its oldest.

    Args:
        env: with a number as reward.
        form: of the program.
    """

    steered = False

    def __init__(self, env: JaxEnv, form: Form | None = None) -> None:
        super().__init__(env, form or Form())
        self._options = np.array(env.space.options, dtype=np.int32)
        self._slots = np.flatnonzero(self._options > 1)

    @property
    def steps(self) -> int:
        """Evaluations of an update."""
        return int(self.form.children)

    def init(self, key: Array, params: EnvParams) -> Queue:
        """An empty queue.

        Args:
            key: of everything random in it.
            params: of the environment.
        """
        form = self.form
        members = jnp.full((form.population, self.env.space.slots), -1, dtype=jnp.int32)
        values = jnp.full(form.population, -jnp.inf, dtype=params.known.reward.dtype)
        account = opened(self.env.space.size, form.budget)
        return Queue(members, values, jnp.zeros((), jnp.int32), key, account)

    def update(self, state: Queue, params: EnvParams, hyper: Any) -> tuple[Queue, Asked]:
        """Evaluate some children, one after the other.

        Args:
            state: before.
            params: of the environment.
            hyper: none.

        Returns:
            The queue, and the children.
        """

        def one(queue: Queue, _: None) -> tuple[Queue, Array]:
            key, key_new, key_child, key_error = jax.random.split(queue.key, 4)
            full = queue.count >= self.form.population
            row = jnp.where(full, self._child(key_child, queue, params), self._new(key_new, params))
            index = self.env.moves.index(row)
            value, _known = self.env.worth.of(index, params.goal_range[0], params, key_error)
            oldest = queue.count % self.form.population
            members, values = queue.members.at[oldest].set(row), queue.values.at[oldest].set(value)
            account = booked(queue.account, index[None], jnp.ones(1, bool), self.form.max_queries)
            return Queue(members, values, queue.count + 1, key, account), index

        state, asked = jax.lax.scan(one, state, length=self.form.children)
        return state, (asked[:, None], jnp.ones_like(asked[:, None], dtype=bool))

    def _new(self, key: Array, params: EnvParams) -> Array:
        """A random architecture, evenly of all that are feasible."""
        if not self.env.rules.moves.limits.limited:
            drawn = jax.random.uniform(key, self._options.shape)
            return jnp.minimum((drawn * self._options).astype(jnp.int32), self._options - 1)
        weights = jnp.where(params.feasible, 0.0, -jnp.inf)
        return self.env.moves.row(jax.random.categorical(key, weights))

    def _child(self, key: Array, queue: Queue, params: EnvParams) -> Array:
        """A mutant of the best of some members."""
        key_who, key_slot, key_option = jax.random.split(key, 3)
        everybody = jnp.arange(self.form.population)
        drawn = jax.random.choice(key_who, everybody, (self.form.sample,), replace=False)
        parent = queue.members[drawn[jnp.argmax(queue.values[drawn])]]
        slot = jax.random.choice(key_slot, jnp.asarray(self._slots), (REDRAWS,))
        other = jnp.asarray(self._options)[slot] - 1
        option = (jax.random.uniform(key_option, (REDRAWS,)) * other).astype(jnp.int32)
        option = jnp.minimum(option, other - 1)
        option += option >= parent[slot]
        children = jnp.tile(parent, (REDRAWS, 1)).at[jnp.arange(REDRAWS), slot].set(option)
        present = (children[:, None] == queue.members[None]).all(axis=2).any(axis=1)
        fits = params.feasible[jax.vmap(self.env.moves.index)(children)]
        rank = jnp.where(fits & ~present, 2, jnp.where(fits, 1, 0))
        best = jnp.argmax(rank)  # the first of them
        return jnp.where(rank[best] > 0, children[best], parent)
