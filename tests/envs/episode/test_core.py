"""What an environment keeps of its episodes: copies, states, formulas that change."""

import copy
import pickle

import gymnasium as gym
import numpy as np
import pytest

from blox_env import BloxEditEnv, BloxEnv, Problem
from tests.envs.test_env import play, toy_env
from tests.toys import ToyBenchmark, ToyDevice


def test_a_formula_of_ones_own_may_change():
    class Formula:
        weight = 0.0

        def __call__(self, acc, latency, target):
            return acc - self.weight * latency

    formula = Formula()
    envs = [BloxEnv("digits", "x86-ort-1t", formula)]
    for weight in (0.0, 0.1):
        formula.weight = weight
        envs.append(BloxEnv("digits", "x86-ort-1t", formula))
        for env in envs:
            _, reward, _, _, info = play(env, [1, 2, 3])[-1]
            assert reward == pytest.approx(info["val_acc"] - weight * info["latency_ms"])


def test_rewards_that_are_no_numbers_are_refused():
    env = toy_env(reward=lambda acc, latency, target: np.log(acc - 2.0))
    refused = pytest.raises(ValueError, match=r"reward of architecture \[1, 2, 3\] is nan")
    with refused, np.errstate(all="ignore"):
        play(env, [1, 2, 3])


def test_copies_share_their_tables():
    env = gym.make("blox_env/Blox-v0")
    env.reset(seed=0)
    env.step(3)
    for again in (copy.deepcopy(env), pickle.loads(pickle.dumps(env.unwrapped))):
        a, b = ([e.step(1), e.step(2)] for e in (again, copy.deepcopy(env)))
        assert a[-1][1] == b[-1][1]
        assert a[-1][4]["arch"].tolist() == [3, 1, 2]
    assert len(pickle.dumps(env.unwrapped)) < 50_000
    assert copy.deepcopy(env).unwrapped.rules is env.unwrapped.rules


def test_a_copy_spends_a_budget_of_its_own():
    env = BloxEnv(problem=Problem(ToyBenchmark(), ToyDevice(), budget=5))
    env.reset()
    other = copy.deepcopy(env)
    play(other, [1, 2, 3])
    assert (env.problem.spent, other.problem.spent) == (0.0, 1.0)


@pytest.mark.parametrize("granularity", ["block", "operation"])
def test_states_are_gone_back_to(granularity):
    env = toy_env(goal="latency_target", granularity=granularity)
    env.reset(seed=0)
    env.step(1)
    state = env.get_state()

    def rest():
        steps = []
        while not steps or not steps[-1][2]:
            steps.append(env.step(int(np.flatnonzero(env.action_masks())[-1])))
        return [(*step[:4], step[4].get("latency_target_ms")) for step in steps]

    first = rest()
    with pytest.raises(RuntimeError, match="call reset"):
        env.step(0)
    for _ in range(2):
        env.set_state(state)
        for a, b in zip(rest(), first, strict=True):
            np.testing.assert_array_equal(a[0], b[0])
            assert a[1:] == b[1:]


@pytest.mark.parametrize("kind", [BloxEnv, BloxEditEnv])
@pytest.mark.parametrize("device", [None, ToyDevice()])
def test_numbers_of_an_end_are_there_without_an_evaluation(kind, device):
    numbers = {"val_acc", "train_time_s"} | ({"latency_ms"} if device is not None else set())
    masked = kind(ToyBenchmark(), device, granularity="operation")
    masked.reset(seed=0)
    *_, info = masked.step(6)
    assert info["invalid"]
    spent = kind(problem=Problem(ToyBenchmark(), device, budget=1))
    for start in ([0, 0, 0], [1, 1, 1]):
        spent.reset(options={"arch": start} if kind is BloxEditEnv else None)
        for action in (start[0], start[1] + 1, start[2]):
            *_, over, cut, last = spent.step(action)
            if over or cut:
                break
    assert last["budget_spent"]
    for ended in (info, last):
        assert all(np.isnan(ended[key]) for key in numbers)
        assert numbers == {"val_acc", "train_time_s", "latency_ms"} & ended.keys()
