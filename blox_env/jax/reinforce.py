"""REINFORCE with a recurrent controller, compiled.

Zoph & Le, *Neural Architecture Search with Reinforcement Learning*, ICLR 2017, as
:mod:`blox_env.agents.reinforce` has it. Deviation: choices after which nothing feasible is left
have no probability, instead of being moved to the nearest one that is.
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
    import optax

REFUSED = -1e8  # logit of a masked action


class Hyper(NamedTuple):
    """Hyper-parameters that may differ from search to search in one program.

    Attributes:
        learning_rate: of Adam.
        entropy: weight of the entropy bonus.
        baseline: decay of the moving average of rewards.
    """

    learning_rate: float | Array = 0.005
    entropy: float | Array = 0.2
    baseline: float | Array = 0.9


class Form(NamedTuple):
    """The form of the program.

    Attributes:
        batch: architectures between updates.
        hidden: width of the LSTM and of the embeddings of choices.
        budget: distinct architectures that the account counts.
        max_queries: architectures that may be asked for.
    """

    batch: int = 4
    hidden: int = 64
    budget: int = 500
    max_queries: int = 10_000


class Controller(NamedTuple):
    """State of a search: weights, the optimiser's moments, mean and deviation of rewards."""

    weights: Any
    moments: Any
    mean: Array
    deviation: Array
    begun: Array
    key: Array
    account: Account


class Reinforce(Searcher):
    """An LSTM that proposes ``batch`` architectures and learns from their rewards.

    Args:
        env: built by decisions, with a number as reward.
        form: of the program.
    """

    def __init__(self, env: JaxEnv, form: Form | None = None) -> None:
        super().__init__(env, form or Form())
        self.hyper = Hyper()
        self._decisions = len(env.rules.decisions)
        self.adam = optax.chain(optax.clip_by_global_norm(1.0), optax.scale_by_adam())

    @property
    def steps(self) -> int:
        """Decisions between updates."""
        return int(self.form.batch) * self._decisions

    def init(self, key: Array, params: EnvParams) -> Controller:
        """A controller that has seen nothing.

        Args:
            key: of everything random in it.
            params: of the environment.
        """
        hidden, count, actions = self.form.hidden, self._decisions, self.env.num_actions
        key, *keys = jax.random.split(key, 5)
        most = hidden**-0.5

        def even(key: Array, *shape: int) -> Array:
            return jax.random.uniform(key, shape, minval=-most, maxval=most)

        weights = {
            "start": jnp.zeros(hidden),
            "read": jax.random.normal(keys[0], (count, actions, hidden)),
            "cell": even(keys[1], 2 * hidden, 4 * hidden),
            "cell_bias": even(keys[2], 4 * hidden),
            "choose": even(keys[3], count, hidden + 1, actions),
        }
        zero = jnp.zeros(())
        account = opened(self.env.space.size, self.form.budget)
        begun = jnp.zeros((), dtype=bool)
        return Controller(weights, self.adam.init(weights), zero, zero, begun, key, account)

    def update(
        self, state: Controller, params: EnvParams, hyper: Hyper
    ) -> tuple[Controller, Asked]:
        """Propose, evaluate and learn.

        Args:
            state: before.
            params: of the environment.
            hyper: of this search.

        Returns:
            The controller, and the architectures that it proposed.
        """
        key, key_choose, key_error = jax.random.split(state.key, 3)
        actions, masks, index = self._proposed(key_choose, state.weights, params)
        errors = jax.random.split(key_error, self.form.batch)
        value, _ = jax.vmap(self.env.worth.of, (0, None, None, 0))(
            index, params.goal_range[0], params, errors
        )
        every = jnp.ones(self.form.batch, dtype=bool)
        account = booked(state.account, index, every, self.form.max_queries)
        mean, deviation = self._followed(state, value, hyper)
        advantage = (value - mean) / (deviation + 1e-8)
        slope = jax.grad(self._loss)(state.weights, actions, masks, advantage, hyper)
        change, moments = self.adam.update(slope, state.moments)
        weights = jax.tree.map(lambda w, c: w - hyper.learning_rate * c, state.weights, change)
        begun = jnp.ones((), dtype=bool)
        state = Controller(weights, moments, mean, deviation, begun, key, account)
        return state, (index[None], every[None])

    def _followed(self, state: Controller, value: Array, hyper: Hyper) -> tuple[Array, Array]:
        """Moving average and deviation of the rewards so far."""
        new = value.mean()
        mean = jnp.where(state.begun, hyper.baseline * state.mean + (1 - hyper.baseline) * new, new)
        spread = jnp.sqrt(((value - mean) ** 2).mean())
        later = hyper.baseline * state.deviation + (1 - hyper.baseline) * spread
        return mean, jnp.where(state.begun, later, value.std())

    def _cell(self, weights: Any, carry: Any, number: Array, seen: Array) -> tuple[Any, Array]:
        """One step of the LSTM: its state, and logits ``(n, actions)``."""
        hidden, memory = carry
        gates = jnp.concatenate([seen, hidden], axis=1) @ weights["cell"] + weights["cell_bias"]
        enter, forget, new, out = jnp.split(gates, 4, axis=1)
        memory = jax.nn.sigmoid(forget) * memory + jax.nn.sigmoid(enter) * jnp.tanh(new)
        hidden = jax.nn.sigmoid(out) * jnp.tanh(memory)
        choose = weights["choose"][number]
        return (hidden, memory), hidden @ choose[:-1] + choose[-1]

    def _nothing(self) -> tuple[Array, Array]:
        zeros = jnp.zeros((self.form.batch, self.form.hidden))
        return zeros, zeros

    def _proposed(self, key: Array, weights: Any, params: EnvParams) -> tuple[Array, Array, Array]:
        """Choices and masks ``(decisions, batch, …)``, and the architectures ``(batch,)``."""
        moves, n = self.env.moves, self.form.batch

        def decide(carry: Any, given: Any) -> tuple[Any, Any]:
            inner, seen, cells, node = carry
            number, key = given
            inner, logits = self._cell(weights, inner, number, seen)
            mask = jax.vmap(moves.mask, (0, 0, None))(cells, node, params)
            action = jax.random.categorical(key, jnp.where(mask > 0, logits, REFUSED))
            cells, node, _, _ = jax.vmap(moves.apply, (0, 0, 0, None))(cells, node, action, params)
            return (inner, weights["read"][number, action], cells, node), (action, mask)

        seen = jnp.broadcast_to(weights["start"], (n, self.form.hidden))
        cells = jnp.tile(jnp.array(moves.blank, dtype=jnp.int32), (n, 1))
        node = jnp.zeros(n, dtype=jnp.int32)
        given = (jnp.arange(self._decisions), jax.random.split(key, self._decisions))
        carry, (actions, masks) = jax.lax.scan(decide, (self._nothing(), seen, cells, node), given)
        return actions, masks, jax.vmap(moves.index)(params.option[carry[2]])

    def _loss(
        self, weights: Any, actions: Array, masks: Array, advantage: Array, hyper: Hyper
    ) -> Array:
        """Minus the weighted log-probability of the choices, and minus their entropy."""

        def decide(carry: Any, given: Any) -> tuple[Any, tuple[Array, Array]]:
            inner, seen = carry
            number, action, mask = given
            inner, logits = self._cell(weights, inner, number, seen)
            policy = jax.nn.log_softmax(jnp.where(mask > 0, logits, REFUSED))
            entropy = -jnp.where(mask > 0, jnp.exp(policy) * policy, 0.0).sum(axis=1)
            chosen = jnp.take_along_axis(policy, action[:, None], axis=1)[:, 0]
            return (inner, weights["read"][number, action]), (chosen, entropy)

        seen = jnp.broadcast_to(weights["start"], (self.form.batch, self.form.hidden))
        given = (jnp.arange(self._decisions), actions, masks)
        _, (chosen, entropy) = jax.lax.scan(decide, (self._nothing(), seen), given)
        gain = (advantage * chosen.sum(axis=0)).mean()
        return -gain - hyper.entropy * entropy.sum(axis=0).mean()
