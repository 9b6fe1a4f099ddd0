"""PPO in the manner of PureJaxRL: environment and learner are one function of a key, then mapped.

The loop knows nothing of this package: reset, step and spaces are those of gymnax before 1.0, which
``one_done=True`` gives, and what PureJaxRL, rejax 0.1 and code like them are written for. Masks are
one line beside it: ``env.action_mask(state, params)``. Needs the extra ``jax``.

    python examples/purejaxrl_style.py --seeds 16
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from blox_env.jax import make

CONFIG: dict[str, Any] = {
    "NUM_ENVS": 64, "NUM_STEPS": 6, "TOTAL_TIMESTEPS": 23_040, "UPDATE_EPOCHS": 4,
    "NUM_MINIBATCHES": 4, "LR": 2e-3, "GAMMA": 1.0, "GAE_LAMBDA": 1.0, "CLIP_EPS": 0.2,
    "ENT_COEF": 0.01, "VF_COEF": 0.5, "MAX_GRAD_NORM": 0.5, "HIDDEN": 64,
}  # fmt: skip


class Transition(NamedTuple):
    """One step of all environments."""

    done: Any
    action: Any
    value: Any
    reward: Any
    log_prob: Any
    obs: Any
    mask: Any


def init_network(key: Any, columns: int, actions: int, hidden: int) -> list[Any]:
    """Orthogonal weights and biases of two layers, the policy and the value."""
    shapes = [(columns, hidden, 2**0.5), (hidden, hidden, 2**0.5), (hidden, actions, 0.01)]
    shapes.append((hidden, 1, 1.0))
    return [
        (jax.nn.initializers.orthogonal(scale)(own, (a, b)), jnp.zeros(b))
        for own, (a, b, scale) in zip(jax.random.split(key, 4), shapes, strict=True)
    ]


def apply_network(weights: list[Any], obs: Any, mask: Any) -> tuple[Any, Any]:
    """Log-probabilities, those of masked actions next to nothing, and values."""
    first, second, policy, value = weights
    inner = jnp.tanh(jnp.tanh(obs @ first[0] + first[1]) @ second[0] + second[1])
    logits = jnp.where(mask > 0, inner @ policy[0] + policy[1], -1e8)
    return jax.nn.log_softmax(logits), (inner @ value[0] + value[1])[..., 0]


def make_train(env: Any, env_params: Any, config: dict[str, Any]) -> Callable[[Any], Any]:
    """The whole training as a function of a key; returns mean rewards of episodes by update."""
    updates = config["TOTAL_TIMESTEPS"] // config["NUM_STEPS"] // config["NUM_ENVS"]
    batch = config["NUM_STEPS"] * config["NUM_ENVS"]
    adam = optax.chain(
        optax.clip_by_global_norm(config["MAX_GRAD_NORM"]), optax.adam(config["LR"], eps=1e-5)
    )
    reset = jax.vmap(env.reset, in_axes=(0, None))
    step = jax.vmap(env.step, in_axes=(0, 0, 0, None))
    mask_of = jax.vmap(env.action_mask, in_axes=(0, None))

    def loss_of(weights: Any, part: tuple[Transition, Any, Any]) -> Any:
        seen, advantage, target = part
        log_probs, value = apply_network(weights, seen.obs, seen.mask)
        log_prob = jnp.take_along_axis(log_probs, seen.action[:, None], axis=1)[:, 0]
        ratio = jnp.exp(log_prob - seen.log_prob)
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        clipped = jnp.clip(ratio, 1 - config["CLIP_EPS"], 1 + config["CLIP_EPS"])
        gain = jnp.minimum(ratio * advantage, clipped * advantage).mean()
        entropy = -(jnp.exp(log_probs) * log_probs).sum(axis=1).mean()
        error = ((value - target) ** 2).mean()
        return config["VF_COEF"] * error - gain - config["ENT_COEF"] * entropy

    def train(key: Any) -> Any:
        key, key_net, key_reset = jax.random.split(key, 3)
        obs, env_state = reset(jax.random.split(key_reset, config["NUM_ENVS"]), env_params)
        weights = init_network(key_net, obs.shape[-1], env.num_actions, config["HIDDEN"])

        def env_step(runner: Any, _: Any) -> tuple[Any, Transition]:
            weights, env_state, obs, key = runner
            key, key_act, key_step = jax.random.split(key, 3)
            mask = mask_of(env_state, env_params)
            log_probs, value = apply_network(weights, obs, mask)
            action = jax.random.categorical(key_act, log_probs)
            log_prob = jnp.take_along_axis(log_probs, action[:, None], axis=1)[:, 0]
            keys = jax.random.split(key_step, config["NUM_ENVS"])
            after, env_state, reward, done, _info = step(keys, env_state, action, env_params)
            made = Transition(done, action, value, reward, log_prob, obs, mask)
            return (weights, env_state, after, key), made

        def advantages_of(steps: Transition, last: Any) -> Any:
            def back(carry: Any, each: Transition) -> tuple[Any, Any]:
                gae, later = carry
                going = 1.0 - each.done
                delta = each.reward + config["GAMMA"] * later * going - each.value
                gae = delta + config["GAMMA"] * config["GAE_LAMBDA"] * going * gae
                return (gae, each.value), gae

            return jax.lax.scan(back, (jnp.zeros_like(last), last), steps, reverse=True)[1]

        def update(carry: Any, _: Any) -> tuple[Any, Any]:
            weights, moments, env_state, obs, key = carry
            runner = (weights, env_state, obs, key)
            runner, steps = jax.lax.scan(env_step, runner, None, config["NUM_STEPS"])
            weights, env_state, obs, key = runner
            _, last = apply_network(weights, obs, mask_of(env_state, env_params))
            advantages = advantages_of(steps, last)
            whole = (steps, advantages, advantages + steps.value)
            flat = jax.tree.map(lambda part: part.reshape(batch, *part.shape[2:]), whole)

            def epoch(carry: Any, key: Any) -> tuple[Any, None]:
                order = jax.random.permutation(key, batch).reshape(config["NUM_MINIBATCHES"], -1)

                def minibatch(carry: Any, chosen: Any) -> tuple[Any, None]:
                    weights, moments = carry
                    slope = jax.grad(loss_of)(weights, jax.tree.map(lambda p: p[chosen], flat))
                    change, moments = adam.update(slope, moments)
                    return (optax.apply_updates(weights, change), moments), None

                return jax.lax.scan(minibatch, carry, order)[0], None

            key, key_epochs = jax.random.split(key)
            keys = jax.random.split(key_epochs, config["UPDATE_EPOCHS"])
            (weights, moments), _ = jax.lax.scan(epoch, (weights, moments), keys)
            mean = (steps.reward * steps.done).sum() / steps.done.sum()
            return (weights, moments, env_state, obs, key), mean

        start = (weights, adam.init(weights), env_state, obs, key)
        return jax.lax.scan(update, start, None, updates)[1]

    return train


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=4)
    seeds = parser.parse_args().seeds
    env, env_params = make("blox_env/Blox-v0", observation="onehot", one_done=True)
    train = jax.jit(jax.vmap(make_train(env, env_params, CONFIG)))
    means = np.asarray(train(jax.random.split(jax.random.key(0), seeds)))
    print(f"mean reward of the first and the last updates, {seeds} seeds side by side")
    for first, last in zip(means[:, :5].mean(axis=1), means[:, -5:].mean(axis=1), strict=True):
        print(f"{first:.4f} -> {last:.4f}")
