"""The form before gymnax 1.0."""

import pytest

from tests.toys import ToyBenchmark, ToyDevice

jax = pytest.importorskip("jax")
import jax.numpy as jnp

from blox_env.jax import make

TOYS = {"benchmark": ToyBenchmark(), "device": ToyDevice()}


def test_done_is_one_word_in_the_older_form():
    env, params = make(one_done=True, granularity="whole", **TOYS)
    _, state = env.reset(jax.random.key(0), params)
    step = env.step(jax.random.key(0), state, jnp.array([0, 0, 0]), params)
    assert len(step) == 5
    assert bool(step[3])
