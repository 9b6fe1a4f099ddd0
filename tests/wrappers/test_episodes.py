import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv

from blox_env import BloxEnv, BloxVectorEnv
from blox_env.wrappers._episodes import EpisodeDraws, Step
from tests.wrappers.building import TOYS


def test_draws_of_many_are_those_of_each_alone():
    env = BloxVectorEnv(3, **TOYS)
    env.reset(seed=5)
    every = np.ones(3, dtype=bool)
    many = EpisodeDraws(3, "name")
    many.begin(every, 5, env)
    many.begin(np.array([False, True, False]), None, env)  # its second episode
    numbers = many.uniform(4)
    for i, episodes in enumerate((1, 2, 1)):
        alone = EpisodeDraws(1, "name")
        for k in range(episodes):
            alone.begin(np.ones(1, dtype=bool), 5 + i if k == 0 else None, env)
        np.testing.assert_array_equal(alone.uniform(4)[0], numbers[i])


def test_each_environment_has_its_own_seed_where_none_is_given():
    envs = SyncVectorEnv([lambda: BloxEnv(**TOYS)] * 2)
    envs.reset(seed=[5, 9])
    many = EpisodeDraws(2, "name")
    many.begin(np.ones(2, dtype=bool), None, envs)
    for number, seed in enumerate((5, 9)):
        alone = EpisodeDraws(1, "name")
        alone.begin(np.ones(1, dtype=bool), seed, envs)
        np.testing.assert_array_equal(alone.uniform(3)[0], many.uniform(3)[number])


def test_wrappers_of_different_names_draw_apart():
    env = BloxVectorEnv(2000, **TOYS)
    env.reset(seed=0)
    one, two = EpisodeDraws(2000, "one"), EpisodeDraws(2000, "two")
    for draws in (one, two):
        draws.begin(np.ones(2000, dtype=bool), 0, env)
    correlation = np.corrcoef(one.uniform(1)[:, 0], two.uniform(1)[:, 0])[0, 1]
    assert abs(correlation) < 0.1


@pytest.fixture
def step():
    infos = {
        "val_acc": np.array([0.5, 0.0]), "_val_acc": np.array([True, False]),
        "final_info": {"val_acc": np.array([0.0, 0.7]), "_val_acc": np.array([False, True])},
    }  # fmt: skip
    zeros = np.zeros(2, dtype=bool)
    return Step(np.zeros(2), zeros, zeros, infos, np.array([False, True]))


def test_values_are_found_where_the_step_left_them(step):
    values, has = step.get("val_acc")
    assert values.tolist() == [0.5, 0.7]
    assert has.all()
    assert step.get("latency_ms")[0] is None


def test_values_are_put_where_the_step_is(step):
    step.put("cost", np.array([1.0, 2.0]), np.array([True, True]))
    assert step.infos["cost"][0] == 1.0
    assert step.infos["final_info"]["cost"][1] == 2.0


def test_only_some_keys_are_kept(step):
    step.put("cost", np.array([1.0, 2.0]), np.array([True, True]))
    step.keep(["cost"], np.array([True, True]))
    assert step.get("val_acc")[0] is None
    assert step.get("cost")[1].all()
