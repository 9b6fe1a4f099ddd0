import warnings

import gymnasium as gym
import numpy as np
import pytest

from blox_env import Problem, SearchSpace
from blox_env.envs.mo_env import MOBloxEnv, MOBloxVectorEnv
from tests.toys import ToyBenchmark, ToyDevice, huge_space

ALL = ("val_acc", "latency_ms", "params", "macs", "peak_activation_bytes")


def toy(**arguments):
    return MOBloxEnv(benchmark=ToyBenchmark(), device=ToyDevice(), **arguments)


def test_rewards_are_the_objectives_of_what_was_built():
    env = toy(objectives=ALL)
    env.reset(seed=0)
    rewards = [env.step(a)[1] for a in (5, 17)]
    assert all(r.tolist() == [0] * 5 for r in rewards)
    _, reward, terminated, _, info = env.step(44)
    assert terminated
    row, space = np.array([[5, 17, 44]]), env.problem.space
    sizes = [-getattr(space, name)(row)[0] for name in ALL[2:]]
    expected = [info["val_acc"], -info["latency_ms"], *sizes]
    assert reward.dtype == np.float32
    np.testing.assert_array_equal(reward, np.array(expected, np.float32))
    assert env.reward_dim == 5


def test_reward_space_holds_all_rewards():
    env = toy(objectives=ALL)
    space = env.problem.space
    trials = env.problem.peek(space.all())
    values = env.vector_reward.of(trials.x, trials)
    assert (values >= env.reward_space.low).all()
    assert (values <= env.reward_space.high).all()
    assert (values.min(axis=0)[1:] <= env.reward_space.low[1:] * 0.999).all()
    assert env.vector_reward.nothing(1)[0] in env.reward_space


def test_reward_space_holds_those_of_every_device():
    slow = ToyDevice()
    slow.name, slow.factor = "slow", 2.0
    env = MOBloxEnv(benchmark=ToyBenchmark(), goal="device", goals=[ToyDevice(), slow])
    env.reset(options={"device": "slow"})
    for _ in range(3):
        _, reward, *_ = env.step(44)
    assert reward in env.reward_space


def test_front_is_true_and_discounted():
    space = SearchSpace((4, 3, 2))
    env = MOBloxEnv(benchmark=ToyBenchmark(space), device=ToyDevice(space))
    front = np.array(env.pareto_front(1.0))
    problem = Problem(ToyBenchmark(space), ToyDevice(space), objectives=("val_acc", "latency_ms"))
    rows, values = problem.pareto_front()
    np.testing.assert_array_equal((values * (1, -1)).astype(np.float32), front)
    np.testing.assert_array_equal(problem.values(problem.peek(rows)), values * (1, -1))
    trials = env.problem.peek(space.all())
    points = np.column_stack([trials.val_acc, -trials.latency_ms]).astype(np.float32)
    better = (points[None] >= points[:, None]).all(2) & (points[None] > points[:, None]).any(2)
    expected = np.unique(points[~better.any(axis=1)], axis=0)[::-1]
    np.testing.assert_array_equal(front, expected)
    np.testing.assert_allclose(env.pareto_front(0.9), front * 0.9**2, rtol=1e-6)
    whole = MOBloxEnv(benchmark=ToyBenchmark(space), device=ToyDevice(space), granularity="whole")
    np.testing.assert_array_equal(whole.pareto_front(0.9), front)


def test_made_without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gym.make("blox_env/MOBlox-v0")
        env.reset(seed=0)
        for _ in range(3):
            _, reward, *_ = env.step(env.action_space.sample())
    assert reward in env.unwrapped.reward_space


def test_vector_rewards_equal_single_ones():
    single = toy(objectives=("latency_ms", "val_acc"))
    many = MOBloxVectorEnv(
        4,
        benchmark=ToyBenchmark(),
        device=ToyDevice(),
        objectives=("latency_ms", "val_acc"),
        autoreset_mode="SameStep",
    )
    many.reset(seed=0)
    assert many.reward_space == single.reward_space
    rng = np.random.default_rng(0)
    for _ in range(5):
        actions = rng.integers(45, size=(3, 4))
        for step in range(3):
            _, rewards, terminated, _, _ = many.step(actions[step])
        assert rewards.shape == (4, 2)
        assert terminated.all()
        for i in range(4):
            single.reset()
            for step in range(3):
                _, reward, *_ = single.step(actions[step, i])
            np.testing.assert_array_equal(rewards[i], reward)


def test_spent_budget_gives_zeros():
    env = MOBloxEnv(problem=Problem(ToyBenchmark(), ToyDevice(), budget=1))
    for row in ([0, 0, 0], [0, 0, 1]):
        env.reset()
        for action in row:
            _, reward, terminated, truncated, info = env.step(action)
    assert (terminated, truncated, info["budget_spent"]) == (False, True, True)
    assert reward.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"objectives": ("acc",)}, "unknown objective 'acc'"),
        ({"objectives": ()}, "different names"),
        ({"objectives": ("val_acc", "val_acc")}, "different names"),
        ({"goal": "latency_target"}, "scalar reward"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        toy(**arguments)


def test_objectives_need_what_they_are_of():
    with pytest.raises(ValueError, match="needs a device"):
        MOBloxEnv(benchmark=ToyBenchmark(), device=None)
    space = huge_space()
    env = MOBloxEnv(benchmark=ToyBenchmark(space), device=ToyDevice(space))
    with pytest.raises(ValueError, match="too large"):
        env.pareto_front(1.0)
    with pytest.raises(ValueError, match="tells it"):
        MOBloxEnv(benchmark=ToyBenchmark(space), device=None, objectives=("val_acc", "params"))
