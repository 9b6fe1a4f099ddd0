"""Proximal policy optimisation with masks, environment and learner in one compiled program.

Schulman et al., *Proximal Policy Optimization Algorithms*, 2017; Huang & Ontañón, *A Closer Look at
Invalid Action Masking in Policy Gradient Algorithms*, 2022. As Stable-Baselines3 does it: separate
networks of tanh for policy and value from orthogonal weights, advantages normalised in each
minibatch, gradients clipped at 0.5, Adam with ε = 1e-5. Seeds and hyper-parameters are arrays:
``jax.vmap`` makes a population of searches.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from blox_env.ground.extras import extra
from blox_env.jax.account import Account, booked, opened
from blox_env.jax.environment import EnvState, JaxEnv
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
        clip: clipping range of the probability ratio.
        gamma: discount.
        gae_lambda: of the generalised advantages.
        value_weight: of the value's error in the loss.
    """

    learning_rate: float | Array = 2e-3
    entropy: float | Array = 0.06
    clip: float | Array = 0.2
    gamma: float | Array = 1.0
    gae_lambda: float | Array = 1.0
    value_weight: float | Array = 0.5


class Form(NamedTuple):
    """The form of the program, the same for all searches in it.

    Attributes:
        envs: episodes side by side.
        steps: steps of each between updates.
        epochs: passes over these steps at each update.
        minibatches: parts of them in each pass.
        hidden: width of the two hidden layers.
        budget: distinct architectures that the account counts.
        max_queries: architectures that may be asked for.
        max_norm: at which gradients are clipped.
    """

    envs: int = 8
    steps: int = 6
    epochs: int = 10
    minibatches: int = 2
    hidden: int = 64
    budget: int = 500
    max_queries: int = 10_000
    max_norm: float = 0.5


class Learner(NamedTuple):
    """State of a search."""

    weights: Any
    moments: Any
    states: EnvState
    seen: Array
    key: Array
    account: Account


class Steps(NamedTuple):
    """Gathered experience, ``(steps, envs, …)``."""

    seen: Array
    mask: Array
    action: Array
    log_probability: Array
    value: Array
    reward: Array
    done: Array
    index: Array
    evaluated: Array


class PPO(Searcher):
    """Actor and critic, updated after every ``envs · steps`` steps.

    Args:
        env: with flat observations and one number as action.
        form: of the program.
    """

    goals = True
    steered = False

    def __init__(self, env: JaxEnv, form: Form | None = None) -> None:
        super().__init__(env, form or Form())
        if env.moves.whole or env.rules.observer.in_parts:
            raise ValueError(
                "PPO needs one number as action and flat observations, got "
                f"granularity={env.rules.config.granularity!r}, "
                f"observation={env.rules.config.observation!r}"
            )
        self.hyper = Hyper()
        if self.form.envs * self.form.steps % self.form.minibatches:
            raise ValueError(
                f"minibatches must divide envs · steps = {self.form.envs * self.form.steps}, "
                f"got {self.form.minibatches}"
            )
        self.adam = optax.chain(
            optax.clip_by_global_norm(self.form.max_norm), optax.scale_by_adam(eps=1e-5)
        )

    def init(self, key: Array, params: EnvParams) -> Learner:
        """A search that has not begun.

        Args:
            key: of everything random in it.
            params: of the environment.
        """
        env, form = self.env, self.form
        key, key_weights, key_reset = jax.random.split(key, 3)
        seen, states = jax.vmap(env.reset_env, (0, None))(
            jax.random.split(key_reset, form.envs), params
        )
        weights = self._weights(key_weights, seen.shape[-1])
        account = opened(env.space.size, form.budget)
        return Learner(weights, self.adam.init(weights), states, seen, key, account)

    def update(self, learner: Learner, params: EnvParams, hyper: Hyper) -> tuple[Learner, Asked]:
        """Gather steps and learn from them.

        Args:
            learner: before.
            params: of the environment.
            hyper: of this search.

        Returns:
            The learner, and the architectures that were complete after each step.
        """
        learner, steps = self._gathered(learner, params)
        advantages = self._advantages(learner, steps, hyper)
        learner = self._learned(learner, steps, advantages, hyper)
        return learner, (steps.index, steps.evaluated)

    @property
    def steps(self) -> int:
        """Steps between updates, of all episodes."""
        return int(self.form.envs * self.form.steps)

    # -- the networks ------------------------------------------------------------------------

    def _weights(self, key: Array, columns: int) -> dict[str, Array]:
        """Orthogonal weights of policy and value; those of equal shape stand together."""
        hidden, actions = self.form.hidden, self.env.num_actions
        keys = jax.random.split(key, 6)
        wide, last, one = (jax.nn.initializers.orthogonal(scale) for scale in (2.0**0.5, 0.01, 1.0))
        first = jax.vmap(lambda k: wide(k, (columns, hidden)), out_axes=1)(keys[:2])
        return {
            "first": first.reshape(columns, 2 * hidden),
            "first_bias": jnp.zeros(2 * hidden),
            "second": jax.vmap(lambda k: wide(k, (hidden, hidden)))(keys[2:4]),
            "second_bias": jnp.zeros((2, 1, hidden)),
            "policy": last(keys[4], (hidden, actions)),
            "policy_bias": jnp.zeros(actions),
            "value": one(keys[5], (hidden, 1)),
            "value_bias": jnp.zeros(1),
        }

    def _outputs(self, weights: dict[str, Array], seen: Array, mask: Array) -> tuple[Array, Array]:
        """Log-probabilities ``(n, actions)`` and values ``(n,)``."""
        inner = jnp.tanh(seen @ weights["first"] + weights["first_bias"])
        both = jnp.moveaxis(inner.reshape(len(seen), 2, -1), 1, 0)
        inner = jnp.tanh(both @ weights["second"] + weights["second_bias"])
        logits = inner[0] @ weights["policy"] + weights["policy_bias"]
        value = inner[1] @ weights["value"] + weights["value_bias"]
        return jax.nn.log_softmax(jnp.where(mask > 0, logits, REFUSED)), value[:, 0]

    # -- gathering ---------------------------------------------------------------------------

    def _gathered(self, learner: Learner, params: EnvParams) -> tuple[Learner, Steps]:
        form, env = self.form, self.env
        weights = learner.weights

        def step(carry: Any, key: Array) -> tuple[Any, Steps]:
            states, seen, account = carry
            key_act, key_step = jax.random.split(key)
            mask = jax.vmap(env.action_mask, (0, None))(states, params)
            policy, value = self._outputs(weights, seen, mask)
            action = jax.random.categorical(key_act, policy)
            chosen = jnp.take_along_axis(policy, action[:, None], axis=1)[:, 0]
            after, states, reward, terminated, truncated, info = jax.vmap(
                env.step, (0, 0, 0, None)
            )(jax.random.split(key_step, form.envs), states, action, params)
            account = booked(account, info["index"], info["evaluated"], form.max_queries)
            done = terminated | truncated
            told = (info["index"], info["evaluated"])
            made = Steps(seen, mask, action, chosen, value, reward, done, *told)
            return (states, after, account), made

        key, key_steps = jax.random.split(learner.key)
        carry = (learner.states, learner.seen, learner.account)
        carry, steps = jax.lax.scan(step, carry, jax.random.split(key_steps, form.steps))
        states, seen, account = carry
        return learner._replace(states=states, seen=seen, account=account, key=key), steps

    def _advantages(self, learner: Learner, steps: Steps, hyper: Hyper) -> Array:
        """Generalised advantages, ``(steps, envs)``."""
        mask = jnp.ones((self.form.envs, self.env.num_actions))  # values know no mask
        _, last = self._outputs(learner.weights, learner.seen, mask)

        def back(carry: Any, step: Any) -> tuple[Any, Array]:
            advantage, value_after = carry
            reward, value, done = step
            going = 1.0 - done
            error = reward + hyper.gamma * value_after * going - value
            advantage = error + hyper.gamma * hyper.gae_lambda * going * advantage
            return (advantage, value), advantage

        done = steps.done.astype(last.dtype)
        rows = (steps.reward, steps.value, done)
        start = (jnp.zeros_like(last), last)
        return jax.lax.scan(back, start, rows, reverse=True, unroll=self.form.steps)[1]

    # -- learning ----------------------------------------------------------------------------

    def _loss(self, weights: Any, batch: Any, hyper: Hyper) -> Array:
        seen, mask, action, before, advantage, target = batch
        policy, value = self._outputs(weights, seen, mask)
        now = jnp.take_along_axis(policy, action[:, None], axis=1)[:, 0]
        advantage = (advantage - advantage.mean()) / (advantage.std(ddof=1) + 1e-8)
        ratio = jnp.exp(now - before)
        clipped = jnp.clip(ratio, 1 - hyper.clip, 1 + hyper.clip)
        gain = jnp.minimum(advantage * ratio, advantage * clipped).mean()
        entropy = -jnp.where(mask > 0, jnp.exp(policy) * policy, 0.0).sum(axis=1).mean()
        error = ((target - value) ** 2).mean()
        return -gain - hyper.entropy * entropy + hyper.value_weight * error

    def _learned(self, learner: Learner, steps: Steps, advantages: Array, hyper: Hyper) -> Learner:
        form = self.form
        count = form.envs * form.steps
        targets = advantages + steps.value
        names = (steps.seen, steps.mask, steps.action, steps.log_probability, advantages, targets)
        rows = [part.reshape(count, *part.shape[2:]) for part in names]
        key, key_order = jax.random.split(learner.key)
        orders = jax.vmap(lambda k: jax.random.permutation(k, count))(
            jax.random.split(key_order, form.epochs)
        ).reshape(form.epochs * form.minibatches, -1)

        def learn(carry: Any, chosen: Array) -> tuple[Any, None]:
            weights, moments = carry
            batch = [part[chosen] for part in rows]
            slope = jax.grad(self._loss)(weights, batch, hyper)
            change, moments = self.adam.update(slope, moments)
            weights = jax.tree.map(lambda w, c: w - hyper.learning_rate * c, weights, change)
            return (weights, moments), None

        (weights, moments), _ = jax.lax.scan(learn, (learner.weights, learner.moments), orders)
        return learner._replace(weights=weights, moments=moments, key=key)
