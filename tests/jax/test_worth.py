"""Errors of evaluations are drawn from a key, and rewards follow from them."""

import numpy as np
import pytest

from blox_env.problem.reward import REWARDS
from tests.toys import ToyBenchmark, ToyDevice

jax = pytest.importorskip("jax")
import jax.numpy as jnp

from blox_env.jax import make

TOYS = {"benchmark": ToyBenchmark(), "device": ToyDevice()}


def test_a_key_decides_the_error_of_an_evaluation():
    env, params = make(deviation=0.01, granularity="whole", **TOYS)
    row = jnp.array([3, 7, 11])
    keys = jax.random.split(jax.random.key(0), 500)
    _, state = env.reset(keys[0], params)
    step = jax.jit(jax.vmap(env.step_env, (0, None, None, None)))
    _, _, reward, ended, info = step(keys, state, row, params)
    accuracy = np.asarray(info["val_acc"])
    exact = float(params.known.val_acc[0, env.moves.index(row)])
    assert np.asarray(ended).all()
    assert accuracy.std() == pytest.approx(0.01, rel=0.15)
    assert accuracy.mean() == pytest.approx(exact, abs=0.002)
    target = env.rules.problem.latency_target_ms
    expected = REWARDS["mnasnet"](accuracy, np.asarray(info["latency_ms"]), target)
    assert np.asarray(reward) == pytest.approx(expected, rel=1e-6)
    again = step(keys, state, row, params)[-1]["val_acc"]
    assert np.array_equal(accuracy, np.asarray(again))
