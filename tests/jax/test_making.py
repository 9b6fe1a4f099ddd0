"""Names and arguments of Gymnasium, what is refused, and what differs from the numpy form."""

import numpy as np
import pytest

from tests.toys import ToyBenchmark, ToyDevice, huge_space

jax = pytest.importorskip("jax")
import jax.numpy as jnp

from blox_env.jax import make

TOYS = {"benchmark": ToyBenchmark(), "device": ToyDevice()}


def test_what_has_no_table_is_refused():
    huge = huge_space()
    with pytest.raises(ValueError, match="a model that is carried over, got 'toy'"):
        make(benchmark=ToyBenchmark(huge), device=None)
    unknown = ToyBenchmark()
    unknown.provides = frozenset()
    with pytest.raises(ValueError, match="needs a benchmark that is a table, got 'toy'"):
        make(benchmark=unknown, device=None)
    with pytest.raises(ValueError, match="built, got one to be edited"):
        make("blox_env/BloxEdit-v0", deviation=0.1, **TOYS)


def test_edits_are_truncated_and_begin_anew():
    env, params = make("blox_env/BloxEdit-v0", max_episode_steps=2, **TOYS)
    _, state = env.reset(jax.random.key(0), params)
    stays = jnp.asarray(int(params.option[state.cells][0]))
    _, state, reward, *ended, info = env.step(jax.random.key(1), state, stays, params)
    assert (float(reward), *map(bool, ended)) == (0.0, False, False)
    _, state, reward, *ended, info = env.step(jax.random.key(1), state, stays, params)
    assert list(map(bool, ended)) == [False, True]
    assert int(state.time) == 0
    assert not np.array_equal(params.option[state.cells], info["arch"])
