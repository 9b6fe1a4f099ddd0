"""What each wrapper is for."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from blox_env import (
    BloxEditEnv,
    BloxEnv,
    BloxVectorEnv,
    MOBloxEnv,
    MOBloxVectorEnv,
    Problem,
    wrappers,
)
from blox_env.problem.pareto import front
from tests.toys import ToyBenchmark, ToyDevice

TOYS: Any = {"benchmark": ToyBenchmark(), "device": ToyDevice()}
LOW, HIGH = [0.4, -5.0], [0.9, -2.0]


def build(env, row=(5, 17, 44), **reset):
    """The last step of an episode."""
    env.reset(**reset)
    for action in row:
        step = env.step(action)
    return step


# -- ScalarReward and RandomWeights


def test_weighted_sum_keeps_the_vector():
    env = wrappers.ScalarReward(MOBloxEnv(**TOYS), [1.0, 0.1])
    _, reward, _, _, info = build(env)
    np.testing.assert_array_equal(info["vector_reward"], build(MOBloxEnv(**TOYS))[1])
    assert reward == pytest.approx(info["val_acc"] - 0.1 * info["latency_ms"])
    assert info["reward_weights"].tolist() == [1.0, 0.1]
    assert env.reward_space is None


def test_scales_from_low_to_high():
    linear = wrappers.ScalarReward(MOBloxEnv(**TOYS), [0.25, 0.75], low=LOW, high=HIGH)
    _, reward, _, _, info = build(linear)
    accuracy, latency = (info["val_acc"] - 0.4) / 0.5, (5 - info["latency_ms"]) / 3
    assert reward == pytest.approx(0.25 * accuracy + 0.75 * latency)
    weights = [0.5, 0.5]
    worst = wrappers.ScalarReward(MOBloxEnv(**TOYS), weights, "chebyshev", LOW, HIGH)
    assert build(worst)[1] == pytest.approx(1 - 0.5 * max(1 - accuracy, 1 - latency))


@pytest.mark.parametrize("how", ["linear", "chebyshev"])
def test_what_earns_nothing_is_zero_on_every_scale(how):
    env = wrappers.ScalarReward(
        MOBloxEnv(**TOYS, granularity="operation"), [0.5, 0.5], how, LOW, HIGH
    )
    env.reset()
    rewards = [env.step(action)[1] for action in (0, 1, 0)]  # the last one is masked
    assert rewards == [0.0, 0.0, 0.0]


def test_weights_are_drawn_evenly_and_shown():
    env = wrappers.RandomWeightsVector(
        MOBloxVectorEnv(4000, **TOYS, objectives=("val_acc", "latency_ms", "params"))
    )
    observations, infos = env.reset(seed=0)
    weights = infos["reward_weights"]
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    np.testing.assert_allclose(observations[:, -3:], weights, rtol=1e-6)
    # even over the triangle: each weight is below x with probability 1 - (1 - x)^2
    for x in (0.1, 0.3, 0.6):
        np.testing.assert_allclose((weights < x).mean(axis=0), 1 - (1 - x) ** 2, atol=0.03)


def test_weights_of_ones_own():
    env = wrappers.RandomWeights(MOBloxEnv(**TOYS), low=LOW, high=HIGH)
    for accuracy in (0.0, 0.25, 1.0):
        given_ = [accuracy, 1 - accuracy]
        _, reward, _, _, info = build(env, options={"weights": given_})
        assert info["reward_weights"].tolist() == given_
        share = (info["val_acc"] - 0.4) / 0.5, (5 - info["latency_ms"]) / 3
        assert reward == pytest.approx(np.dot(given_, share))
    assert build(env)[4]["reward_weights"].tolist() != given_  # of that episode alone
    many = wrappers.RandomWeightsVector(MOBloxVectorEnv(3, **TOYS))
    asked = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    observations, _ = many.reset(options={"weights": asked})
    np.testing.assert_allclose(observations[:, -2:], asked)


def test_weights_and_goals_are_drawn_apart():
    other = ToyDevice()
    other.name = "other"
    env = wrappers.RandomWeightsVector(
        MOBloxVectorEnv(3000, benchmark=ToyBenchmark(), goal="device", goals=[ToyDevice(), other])
    )
    observations, infos = env.reset(seed=0)
    device = observations[:, -4] > 0
    assert abs(np.corrcoef(device, infos["reward_weights"][:, 0])[0, 1]) < 0.06


# -- LatencyCost


def test_cost_equals_that_of_the_constraint():
    budget = 2.5
    own = BloxEnv(**TOYS, reward="constraint", latency_target_ms=budget)
    wrapped = wrappers.LatencyCost(BloxEnv(**TOYS, reward="accuracy"), budget)
    for row in ([44, 44, 44], [0, 0, 1]):
        costs = []
        for env in (own, wrapped):
            env.reset()
            costs.append([env.step(action)[4]["cost"] for action in row])
        assert costs[0] == costs[1]
        _, reward, _, _, info = build(wrapped, row)
        assert reward == info["val_acc"]
    edit = BloxEditEnv(**TOYS, reward="constraint", latency_target_ms=budget)
    edits = wrappers.LatencyCost(BloxEditEnv(**TOYS), budget)
    start = {"options": {"arch": [44, 44, 43]}}
    assert edit.reset(**start)[1]["cost"] == edits.reset(**start)[1]["cost"] > 0
    assert edit.step(3)[4]["cost"] == edits.step(3)[4]["cost"]


# -- EvaluationLimit


def test_limit_equals_the_budget_of_a_problem():
    rng = np.random.default_rng(0)
    problem = Problem(**TOYS, budget=30)
    plain = BloxVectorEnv(8, problem=problem, autoreset_mode="SameStep")
    env = wrappers.EvaluationLimitVector(BloxVectorEnv(8, **TOYS, autoreset_mode="SameStep"), 30)
    for one in (plain, env):
        one.reset(seed=0)
    for _ in range(30):
        actions = rng.integers(3, size=8)
        ours, theirs = env.step(actions), plain.step(actions)
        for a, b in zip(ours[1:4], theirs[1:4], strict=True):
            np.testing.assert_array_equal(a, b)
        final, expected = (s[4].get("final_info", {}) for s in (ours, theirs))
        assert final.keys() == expected.keys()
        for key in final.keys() - {"train_time_s"}:  # a problem knows that repeats take none
            np.testing.assert_array_equal(final[key], expected[key])
    assert env.evaluations.spent == problem.spent > 20
    for _ in range(60):
        env.step(rng.integers(45, size=8))
    assert env.evaluations.spent == 30
    assert env.evaluations.done


def test_limit_tells_nothing_of_what_is_not_paid():
    env = wrappers.EvaluationLimit(MOBloxEnv(**TOYS, reward="constraint"), 1)
    assert build(env, (1, 2, 3))[2:4] == (True, False)
    _, reward, terminated, truncated, info = build(env, (1, 2, 44))
    assert reward.tolist() == [0, 0]
    assert reward.dtype == np.float32
    assert (terminated, truncated) == (False, True)
    assert info.keys() == {"action_mask", "cost", "budget_spent"}
    assert info["cost"] == 0
    assert build(env, (1, 2, 3))[4]["val_acc"] > 0  # free


@given(rows=arrays(np.int64, (30, 2), elements=st.integers(0, 4)), budget=st.integers(1, 12))
def test_a_batch_is_paid_as_its_rows_one_by_one(rows, budget):
    whole, single = wrappers.Evaluations(budget), wrappers.Evaluations(budget)
    parts = np.concatenate([whole.pay(rows[:7]), whole.pay(rows[7:])])
    alone = [bool(single.pay(row[None])[0]) for row in rows]
    assert parts.tolist() == alone
    distinct = len(np.unique(rows, axis=0))
    assert whole.spent == single.spent == min(budget, distinct)


# -- NoisyEvaluation


def test_noise_has_its_deviation_and_is_new_every_time():
    n = 4000
    env = wrappers.NoisyEvaluationVector(BloxVectorEnv(n, **TOYS, granularity="whole"), 0.02)
    env.reset(seed=0)
    row = np.tile([5, 17, 44], (n, 1))
    infos = env.step(row)[4]
    truth = ToyBenchmark().evaluate([[5, 17, 44]]).val_acc[0]
    error = infos["val_acc"] - truth
    assert error.std() == pytest.approx(0.02, rel=0.05)
    assert abs(error.mean()) < 0.001
    assert len(np.unique(error)) == n
    env.step(row)
    again = env.step(row)[4]["val_acc"] - truth
    assert abs(np.corrcoef(error, again)[0, 1]) < 0.05


def test_rewards_follow_the_noisy_accuracy():
    env = wrappers.NoisyEvaluation(BloxEnv(**TOYS, goal="latency_target", goals=(2.0, 4.0)), 0.05)
    _, reward, _, _, info = build(env)
    expected = env.unwrapped.problem.rewards(
        np.array([info["val_acc"]]), np.array([info["latency_ms"]]), info["latency_target_ms"]
    )
    assert reward == expected[0]
    assert info["val_acc"] != ToyBenchmark().evaluate(info["arch"]).val_acc[0]
    vector = wrappers.NoisyEvaluation(MOBloxEnv(**TOYS, objectives=("latency_ms", "val_acc")), 0.05)
    _, reward, _, _, info = build(vector)
    np.testing.assert_array_equal(reward, np.float32([-info["latency_ms"], info["val_acc"]]))


def test_no_noise_changes_nothing():
    env, plain = wrappers.NoisyEvaluation(BloxEnv(**TOYS), 0.0), BloxEnv(**TOYS)
    assert build(env)[1] == build(plain)[1]


# -- NondominatedArchive


@pytest.mark.parametrize("batch", [1, 7, 50])
def test_archive_is_the_front_of_all_that_was_built(batch):
    env = wrappers.NondominatedArchiveVector(
        BloxVectorEnv(batch, **TOYS, granularity="whole", autoreset_mode="SameStep")
    )
    env.reset(seed=0)
    rng = np.random.default_rng(batch)
    rows = rng.integers(45, size=(350, 3))
    for part in rows.reshape(-1, batch, 3):
        env.step(part)
    trials = env.unwrapped.problem.peek(np.unique(rows, axis=0))
    values = np.column_stack([trials.val_acc, -trials.latency_ms])
    best = front(values, maximise=True)
    order = np.argsort(-values[best][:, 0], kind="stable")
    np.testing.assert_array_equal(env.archive.values, values[best][order])
    assert {*map(tuple, env.archive.x)} == {*map(tuple, trials.x[best])}
    reference = [0.5, -5.0]
    pytest.importorskip("moocore")
    assert env.archive.hypervolume(reference) > 0
    assert wrappers.Archive().hypervolume(reference) == 0


def test_archive_takes_the_objectives_of_the_environment():
    env = wrappers.NondominatedArchive(MOBloxEnv(**TOYS, objectives=("params", "val_acc")))
    _, reward, *_ = build(env)
    np.testing.assert_allclose(env.archive.values[0], reward, rtol=1e-6)
    other = wrappers.NondominatedArchive(BloxEnv(**TOYS), ["val_acc", "macs"], env.archive)
    assert other.archive is env.archive


def test_the_whole_table_gives_the_front_of_the_environment():
    mo = MOBloxEnv(**TOYS)
    env = wrappers.NondominatedArchiveVector(MOBloxVectorEnv(45**2, **TOYS, granularity="whole"))
    every = mo.problem.space.all()
    for part in np.array_split(every, 45):
        env.reset()
        env.step(part)
    np.testing.assert_allclose(
        np.unique(env.archive.values, axis=0)[::-1], mo.pareto_front(1.0), rtol=1e-6
    )


# -- errors help


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: wrappers.ScalarReward(BloxEnv(**TOYS), [1, 1]), "must have vector rewards"),
        (lambda: wrappers.ScalarReward(MOBloxEnv(**TOYS), [1]), "weights must be 2 numbers"),
        (lambda: wrappers.ScalarReward(MOBloxEnv(**TOYS), [1, 2, 3]), "weights must be 2 numbers"),
        (lambda: wrappers.ScalarReward(MOBloxEnv(**TOYS), [0, 0]), "one of them above"),
        (lambda: wrappers.ScalarReward(MOBloxEnv(**TOYS), [1, -1]), "at least 0"),
        (lambda: wrappers.ScalarReward(MOBloxEnv(**TOYS), [1, 1], "sum"), "unknown how 'sum'"),
        (lambda: wrappers.ScalarReward(MOBloxEnv(**TOYS), [1, 1], "chebyshev"), "needs low and"),
        (lambda: wrappers.ScalarReward(MOBloxEnv(**TOYS), [1, 1], low=LOW), "pass both or none"),
        (
            lambda: wrappers.ScalarReward(MOBloxEnv(**TOYS), [1, 1], low=HIGH, high=LOW),
            "below high",
        ),
        (lambda: wrappers.RandomWeights(MOBloxEnv(**TOYS), low=[0], high=[1]), "low must be 2"),
        (
            lambda: wrappers.RandomWeights(MOBloxEnv(**TOYS, observation="indices")),
            "to show weights in",
        ),
        (
            lambda: wrappers.RandomWeights(MOBloxEnv(**TOYS)).reset(options={"weights": [1, 1]}),
            "must sum up to 1",
        ),
        (
            lambda: wrappers.RandomWeights(MOBloxEnv(**TOYS)).reset(options={"weights": [1]}),
            "must be 2 numbers",
        ),
        (lambda: wrappers.LatencyCost(BloxEnv(**TOYS), 0), "must be above 0, got 0"),
        (lambda: wrappers.LatencyCost(BloxEnv(ToyBenchmark(), None), 1), "with a device"),
        (lambda: wrappers.LatencyCost(BloxEnv(**TOYS, reward="constraint"), 1), "a cost already"),
        (lambda: wrappers.EvaluationLimit(BloxEnv(**TOYS), 0), "budget must be at least 1"),
        (
            lambda: wrappers.EvaluationLimit(BloxEditEnv(**TOYS), 3).reset(),
            "when an episode starts",
        ),
        (lambda: wrappers.NoisyEvaluation(BloxEnv(**TOYS), -1), "at least 0, got -1"),
        (lambda: wrappers.NoisyEvaluation(BloxEditEnv(**TOYS), 0.1), "works out the rewards"),
        (
            lambda: wrappers.NoisyEvaluation(wrappers.RandomWeights(MOBloxEnv(**TOYS)), 0.1),
            "goes inside of what changes the reward",
        ),
        (
            lambda: wrappers.NondominatedArchive(BloxEnv(**TOYS), ["val_acc", "reward"]),
            "must not be the reward",
        ),
        (lambda: wrappers.NondominatedArchive(BloxEnv(ToyBenchmark(), None)), "needs a device"),
        (
            lambda: wrappers.NondominatedArchiveVector(SyncVectorEnv([lambda: BloxEnv(**TOYS)])),
            "wrap the single environments",
        ),
    ],
)
def test_errors_say_what_was_expected(make, message):
    with pytest.raises(ValueError, match=message):
        make()


class Plain(gym.Env):
    """An environment of other people: two objectives, and none of this package's infos."""

    observation_space = gym.spaces.Box(-1, 1, (2,), np.float32)
    action_space = gym.spaces.Discrete(2)
    reward_space = gym.spaces.Box(-1, 1, (2,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}

    def step(self, action):
        reward = np.array([action, -0.5], np.float32)
        return np.zeros(2, np.float32), reward, bool(action), False, {"mine": action}


def test_environments_of_others():
    env = wrappers.RandomWeights(wrappers.EvaluationLimit(wrappers.LatencyCost(Plain(), 1.0), 3))
    observation, info = env.reset(seed=0)
    assert observation in env.observation_space
    _, reward, terminated, _, info = env.step(1)
    assert terminated
    assert (info["cost"], info["mine"]) == (0.0, 1)
    assert reward == pytest.approx(np.dot(info["reward_weights"], [1, -0.5]))
