"""Names and arguments of Gymnasium, what is refused, and what differs from the numpy form."""

import numpy as np
import pytest

from blox_env.problem.reward import REWARDS
from tests.toys import ToyBenchmark, ToyDevice, huge_space

jax = pytest.importorskip("jax")
import jax.numpy as jnp

from blox_env.jax import make

TOYS = {"benchmark": ToyBenchmark(), "device": ToyDevice()}


def test_what_has_no_table_is_refused():
    huge = huge_space()
    with pytest.raises(ValueError, match="needs a space that can be listed"):
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


def test_done_is_one_word_in_the_older_form():
    env, params = make(one_done=True, granularity="whole", **TOYS)
    _, state = env.reset(jax.random.key(0), params)
    step = env.step(jax.random.key(0), state, jnp.array([0, 0, 0]), params)
    assert len(step) == 5
    assert bool(step[3])
