import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st

from blox_env import BloxSpace, Problem, SearchSpace
from blox_env.envs.edit_env import BloxEditEnv, BloxEditVectorEnv
from blox_env.spaces.blox import BLOCKS
from tests.envs.test_vector_env import BENCHMARKS, DEVICES, OTHER, SMALL, compare, limited
from tests.toys import BoundedDevice, ToyBenchmark, ToyDevice, huge_space

SPACE = BloxSpace()


def toy(**arguments):
    return BloxEditEnv(ToyBenchmark(), ToyDevice(), **arguments)


@pytest.mark.parametrize("granularity", ["block", "operation"])
@pytest.mark.parametrize("observation", ["ops", "onehot", "indices", "graph", "dict"])
def test_passes_gymnasiums_checker(granularity, observation):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gym.make("blox_env/BloxEdit-v0", granularity=granularity, observation=observation)
        check_env(env.unwrapped, skip_render_check=True)


def test_rewards_add_up_to_what_was_gained():
    env = toy()
    start = np.array([5, 17, 44])
    _, info = env.reset(seed=0, options={"arch": start})
    assert info["arch"].tolist() == start.tolist()
    rng = np.random.default_rng(0)
    gained = 0.0
    for _ in range(30):
        _, reward, terminated, truncated, info = env.step(rng.integers(135))
        assert not terminated
        assert not truncated
        gained += reward
    rewards = env.problem.peek(np.stack([start, info["arch"]])).reward
    assert gained == pytest.approx(rewards[1] - rewards[0])


def test_block_edits_set_one_stage():
    env = toy()
    env.reset(options={"arch": [5, 17, 44]})
    for action, after in ((3, [3, 17, 44]), (45 + 8, [3, 8, 44]), (90, [3, 8, 0])):
        assert env.step(action)[4]["arch"].tolist() == after


@given(row=st.tuples(*[st.integers(0, 44)] * 3))
def test_operation_edits_change_one_thing_of_the_canonical_form(row):
    env = toy(granularity="operation")
    env.reset(options={"arch": row})
    assert env.action_space.n == 42
    masks = env.action_masks()
    for action in range(42):
        stage, b = divmod(action, 14)
        op1, op2, *bits = BLOCKS[row[stage]]
        if b < 3:
            op1 = b
        elif b < 6:
            op2 = b - 3
        else:
            bits = [b - 6 >> 2 & 1, b - 6 >> 1 & 1, b - 6 & 1]
        nested = SPACE.to_arch_vec(row)
        nested[stage] = [[op1], [op2, *bits]]
        if not any(bits):
            assert not masks[action]
            continue
        assert masks[action]
        changed = env.edits.apply(np.array([row]), np.array([action]))[0]
        assert changed.tolist() == SPACE.from_arch_vec(nested).tolist()


def test_starts_are_drawn_evenly_and_again_by_the_same_seed():
    env = toy()
    starts = [env.reset(seed=7)[1]["arch"]] + [env.reset()[1]["arch"] for _ in range(2000)]
    again = [env.reset(seed=7)[1]["arch"]] + [env.reset()[1]["arch"] for _ in range(5)]
    np.testing.assert_array_equal(again, starts[:6])
    counts = np.bincount(np.ravel(starts), minlength=45)
    assert counts.min() > 80  # 133 expected
    assert counts.max() < 200


def test_latency_budget_holds_from_start_to_end():
    budget = 3.0
    env = toy(latency_budget_ms=budget)
    rng = np.random.default_rng(0)
    _, info = env.reset(seed=0)
    for _ in range(200):
        assert info["latency_ms"] <= budget
        assert info["action_mask"].any()
        if rng.random() < 0.1:
            _, info = env.reset()
        else:
            *_, info = env.step(rng.choice(np.flatnonzero(info["action_mask"])))
            assert "invalid" not in info
    fast = np.array([[0, 0, 44]])
    blocked = ~env.edits.allowed(fast)[0].astype(bool)
    over = env.problem.device.latency_ms(SPACE.neighbors(fast)[0]) > budget
    assert blocked.sum() == over.sum() > 0


def test_drawn_starts_meet_the_budget_where_only_bounds_are_known():
    space = huge_space()
    env = BloxEditEnv(ToyBenchmark(space), BoundedDevice(space), latency_budget_ms=3.0)
    starts = [env.reset(seed=seed)[1] for seed in range(100)]
    assert max(info["latency_ms"] for info in starts) <= 3.0
    assert len({tuple(info["arch"]) for info in starts}) > 90


def test_masked_edit_ends_the_episode():
    env = toy(granularity="operation")
    env.reset(seed=0)
    _, reward, terminated, truncated, info = env.step(6)  # connection 0
    assert (reward, terminated, truncated, info["invalid"]) == (0.0, True, False, True)
    with pytest.raises(RuntimeError, match="call reset"):
        env.step(0)


def test_budget_pays_for_starts_and_changes():
    problem = Problem(ToyBenchmark(), ToyDevice(), budget=2)
    env = BloxEditEnv(problem=problem)
    env.reset(options={"arch": [0, 0, 0]})
    assert not env.step(1)[3]
    _, reward, terminated, truncated, info = env.step(2)
    assert (reward, terminated, truncated, info["budget_spent"]) == (0.0, False, True, True)
    assert env.reset(options={"arch": [9, 9, 9]})[1]["budget_spent"]
    assert env.step(0)[3]
    assert env.reset(options={"arch": [0, 0, 0]})[1]["val_acc"] > 0  # what is known is free
    assert not env.step(1)[3]


def test_time_limit_truncates():
    env = gym.make("blox_env/BloxEdit-v0", benchmark=ToyBenchmark(), device=None)
    env.reset(seed=0)
    flags = [env.step(0)[2:4] for _ in range(20)]
    assert flags == [(False, False)] * 19 + [(False, True)]
    vector = gym.make_vec(
        "blox_env/BloxEdit-v0", num_envs=3, vectorization_mode="vector_entry_point"
    )
    assert vector.max_episode_steps == 20


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ({"granularity": "whole"}, {}, "changes everything"),
        ({}, {"arch": [0, 0]}, r"options\['arch'\]: expected"),
        ({}, {"arch": [0, 0, 45]}, "slot 2"),
        ({}, {"arch": [0.5, 0, 4]}, "integer"),
        ({}, {"start": [0, 0, 0]}, "may have arch, got 'start'"),
        ({"latency_budget_ms": 2.5}, {"arch": [44, 44, 44]}, "exceeds latency_budget_ms"),
    ],
)
def test_bad_arguments(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        toy(**arguments).reset(options=options)


@settings(max_examples=80)
@given(
    space=st.sampled_from([None, SMALL]),
    granularity=st.sampled_from(["block", "operation"]),
    observation=st.sampled_from(["ops", "indices", "graph", "dict"]),
    goal=st.sampled_from([None, "latency_target", "device"]),
    budget=st.sampled_from([None, 2.1, 2.5]),
    limit=st.sampled_from([None, 3]),
    reward=st.sampled_from([None, "constraint"]),
    mode=st.sampled_from(list(AutoresetMode)),
    n=st.integers(1, 4),
    data=st.data(),
)
def test_equals_sync_vector_env(
    space, granularity, observation, goal, budget, limit, reward, mode, n, data
):
    arguments = {
        "benchmark": BENCHMARKS[space],
        "device": DEVICES[space],
        "reward": reward,
        "granularity": granularity,
        "observation": observation,
        "latency_budget_ms": None if goal == "device" else budget,
    }
    if observation == "indices":
        goal = None
    if goal:
        devices = [DEVICES[space], OTHER[space]]
        arguments |= {"goal": goal, "goals": devices if goal == "device" else (2.0, 3.0)}
    sync = SyncVectorEnv(
        [lambda: limited(BloxEditEnv(**arguments), limit)] * n, autoreset_mode=mode
    )
    native = BloxEditVectorEnv(n, autoreset_mode=mode, max_episode_steps=limit, **arguments)
    assert native.observation_space == sync.observation_space
    assert native.action_space == sync.action_space
    compare(sync, native, mode, data, goal=goal, options={"arch": [1, 0, 1]})


def test_one_start_each():
    env = BloxEditVectorEnv(2, benchmark=ToyBenchmark(SMALL), device=None)
    _, infos = env.reset(options={"arch": [[0, 1, 2], [3, 1, 0]]})
    assert infos["arch"].tolist() == [[0, 1, 2], [3, 1, 0]]


def test_shared_budget_of_many():
    space = SearchSpace((4, 2, 3))
    problem = Problem(ToyBenchmark(space), ToyDevice(space), budget=6)
    env = BloxEditVectorEnv(4, problem=problem, autoreset_mode="SameStep")
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    for _ in range(30):
        _, rewards, terminated, _, _ = env.step(rng.integers(9, size=4))
        assert np.isfinite(rewards).all()
        assert not terminated.any()
    assert problem.spent == 6
    assert len(problem.history) == 6
