"""gymnax and rejax on the compiled environments."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.clients
gymnax = pytest.importorskip("gymnax")
import jax
import jax.numpy as jnp

import blox_env
from blox_env.jax import make


def test_the_form_is_that_of_gymnax():
    theirs, their_params = gymnax.make("CartPole-v1")
    ours, params = make("blox_env/Blox-v0", observation="onehot")
    key = jax.random.key(0)
    for env, given in ((theirs, their_params), (ours, params)):
        seen, state = env.reset(key, given)
        step = env.step(key, state, 0, given)
        assert len(step) == 6
        assert env.observation_space(given).contains(jnp.asarray(seen))
        assert isinstance(env.action_space(given), gymnax.environments.spaces.Discrete)
        assert {"terminated", "truncated", "final_observation"} <= set(step[-1])
        assert len(env.step_env(key, state, 0, given)) == 5
    assert ours.action_space(params).n == ours.num_actions == 45
    assert ours.observation_space(params).shape == (135,)
    parts = make("blox_env/Blox-v0", observation="graph")[0].observation_space().spaces
    assert parts["adjacency"].shape == (11, 11)
    assert make("blox_env/Blox-v0", granularity="whole")[0].action_space().shape == (3,)


def test_rejax_trains_unchanged():
    rejax = pytest.importorskip("rejax")
    env, params = make("blox_env/Blox-v0", observation="onehot", one_done=True)
    algorithm = rejax.PPO.create(
        env=env,
        env_params=params,
        total_timesteps=24_576,
        eval_freq=12_288,
        num_envs=64,
        num_steps=6,
        num_minibatches=4,
        learning_rate=2e-3,
        gamma=1.0,
        gae_lambda=1.0,
    )
    _, (lengths, returns) = jax.jit(algorithm.train)(jax.random.key(0))
    assert (np.asarray(lengths) == 3).all()
    means = np.asarray(returns).mean(axis=1)
    assert means[-1] > means[0] + 0.005


def test_the_loop_of_the_example_trains_an_environment_of_gymnax_too():
    """So it is code for gymnax, and nothing in it was made for ours."""
    path = Path(__file__).parents[2] / "examples" / "purejaxrl_style.py"
    spec = importlib.util.spec_from_file_location("purejaxrl_style", path)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    from gymnax.wrappers.compat import LegacyStepAPIWrapper

    theirs, params = gymnax.make("CartPole-v1")

    class Older(LegacyStepAPIWrapper):  # before 1.0 steps had one done
        def action_mask(self, state, params):
            return jnp.ones(self.num_actions)

    config = {**example.CONFIG, "NUM_STEPS": 32, "TOTAL_TIMESTEPS": 65_536, "GAMMA": 0.99}
    rewards = jax.jit(example.make_train(Older(theirs), params, config))(jax.random.key(0))
    assert np.isfinite(rewards).all()  # each step of theirs earns 1
    ours, params = make("blox_env/Blox-v0", observation="onehot", one_done=True)
    means = np.asarray(jax.jit(example.make_train(ours, params, example.CONFIG))(jax.random.key(0)))
    assert means[-5:].mean() > means[:5].mean() + 0.005


def test_a_strategy_of_evosax_searches():
    pytest.importorskip("evosax")
    problem = blox_env.Problem(budget=64, constraints={"latency_ms": 4.0})
    history = blox_env.search(problem, "snes-jax", seed=0)
    assert len(history) == 64
    assert problem.candidates.contains(history.x).all()
    assert history.reward[-20:].mean() > history.reward[:20].mean() + 0.005
