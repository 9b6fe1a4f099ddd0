"""What every wrapper keeps to, in its single and in its vector form.

The vector form around the native vector environment has to equal Gymnasium's ``SyncVectorEnv`` over
single environments in the single form: observations, rewards, flags and infos, step by step, in
all modes, with masked actions and resets in the middle.
"""

import json
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st

from blox_env import (
    BloxEditEnv,
    BloxEditVectorEnv,
    BloxEnv,
    BloxVectorEnv,
    MOBloxEnv,
    MOBloxVectorEnv,
    SearchSpace,
    wrappers,
)
from tests.envs.test_vector_env import compare
from tests.toys import ToyBenchmark, ToyDevice

SMALL = SearchSpace((4, 2, 3))
BENCHMARK, DEVICE, OTHER = ToyBenchmark(SMALL), ToyDevice(SMALL), ToyDevice(SMALL)
OTHER.name, OTHER.factor = "other", 1.7
ENVS: dict[str, Any] = {
    "scalar": (BloxEnv, BloxVectorEnv),
    "vector": (MOBloxEnv, MOBloxVectorEnv),
    "edit": (BloxEditEnv, BloxEditVectorEnv),
}
BOUNDS = {"low": [0.4, -4.0], "high": [0.9, -2.0]}

# wrapper, its arguments, and the kinds of environments that it is for
CASES: list[Any] = [
    ("ScalarReward", {"weights": [1.0, 0.1]}, ["vector"]),
    ("ScalarReward", {"weights": [0.3, 0.7], "how": "chebyshev", **BOUNDS}, ["vector"]),
    ("RandomWeights", {}, ["vector"]),
    ("RandomWeights", {"how": "chebyshev", **BOUNDS}, ["vector"]),
    ("LatencyCost", {"latency_budget_ms": 2.05}, ["scalar", "vector", "edit"]),
    ("EvaluationLimit", {"budget": 5}, ["scalar", "vector"]),
    ("NoisyEvaluation", {"deviation": 0.1}, ["scalar", "vector"]),
    ("NondominatedArchive", {}, ["scalar", "vector", "edit"]),
]
EVERY = [
    pytest.param(name, arguments, kind, id=f"{name}-{kind}-{arguments.get('how', '')}")
    for name, arguments, kinds in CASES
    for kind in kinds
]


def shared(name, arguments):
    """Single environments have a budget and an archive each; here they share one."""
    if name == "EvaluationLimit":
        return {**arguments, "budget": wrappers.Evaluations(arguments["budget"])}
    if name == "NondominatedArchive":
        return {**arguments, "archive": wrappers.Archive()}
    return arguments


def single(name, arguments, kind, **env):
    return getattr(wrappers, name)(ENVS[kind][0](**toys(env)), **arguments)


def vector(name, arguments, kind, n, mode, **env):
    native = ENVS[kind][1](n, autoreset_mode=mode, **toys(env))
    return getattr(wrappers, f"{name}Vector")(native, **arguments)


def toys(env):
    return {"benchmark": BENCHMARK, "device": DEVICE, **env}


def synchronous(make, n, mode):
    """Gymnasium's own, with room for vector rewards (as MO-Gymnasium makes it)."""
    env = SyncVectorEnv([make] * n, autoreset_mode=mode)
    one = env.envs[0]
    if hasattr(one.unwrapped, "reward_dim") and not hasattr(one, "reward_space"):
        env._rewards = np.zeros((n, one.unwrapped.reward_dim), dtype=np.float32)
    return env


class Masked(gym.vector.VectorWrapper):
    """What ``compare`` asks the environment for."""

    def action_masks(self):
        return self.env.unwrapped.action_masks()

    def reset(self, *, seed=None, options=None):
        return self.env.reset(seed=seed, options=options)


@pytest.mark.parametrize(("name", "arguments", "kind"), EVERY)
@settings(max_examples=15)
@given(
    granularity=st.sampled_from(["block", "whole"]),
    observation=st.sampled_from(["ops", "onehot", "graph", "dict"]),
    goal=st.sampled_from([None, "latency_target", "device"]),
    reward=st.sampled_from([None, "constraint"]),
    limit=st.sampled_from([None, 2]),
    mode=st.sampled_from(list(AutoresetMode)),
    n=st.integers(1, 5),
    data=st.data(),
)
def test_vector_form_equals_single_form(
    name, arguments, kind, granularity, observation, goal, reward, limit, mode, n, data
):
    env = {"observation": observation, "reward": reward}
    env["granularity"] = "block" if kind == "edit" else granularity
    if (kind == "vector" and goal == "latency_target") or (
        name == "NondominatedArchive" and goal == "device"
    ):
        goal = None
    if name == "LatencyCost":
        env["reward"] = "tunas"
    if goal:
        env |= {"goal": goal, "goals": [DEVICE, OTHER] if goal == "device" else (2.0, 3.0)}
    ours, theirs = shared(name, arguments), shared(name, arguments)
    native = vector(name, ours, kind, n, mode, max_episode_steps=limit, **env)

    def make():
        inner = ENVS[kind][0](**toys(env))
        inner = inner if limit is None else gym.wrappers.TimeLimit(inner, limit)
        return getattr(wrappers, name)(inner, **theirs)

    sync = synchronous(make, n, mode)
    assert native.single_observation_space == sync.single_observation_space
    assert native.observation_space == sync.observation_space
    compare(sync, Masked(native), mode, data, goal=goal, options={}, steps=16)
    if name == "EvaluationLimit":
        assert ours["budget"].spent == theirs["budget"].spent > 0 or limit
    if name == "NondominatedArchive":
        np.testing.assert_array_equal(ours["archive"].x, theirs["archive"].x)
        np.testing.assert_array_equal(ours["archive"].values, theirs["archive"].values)
        assert len(ours["archive"]) > 0 or limit or granularity == "block"


@pytest.mark.parametrize("observation", ["ops", "onehot", "graph", "dict"])
@pytest.mark.parametrize(("name", "arguments", "kind"), EVERY)
def test_passes_gymnasiums_checker(name, arguments, kind, observation):
    env = single(name, arguments, kind, observation=observation, render_mode="ansi")
    if kind == "vector" and not hasattr(env, "reward_space"):
        env = wrappers.ScalarReward(env, [1.0, 0.1])  # the checker wants numbers
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # it is for what gymnasium.make gives
        warnings.filterwarnings("ignore", message=".*The environment .* is different from the unwr")
        check_env(env, skip_render_check=True)


@pytest.mark.parametrize(("name", "arguments", "kind"), EVERY)
def test_equal_seeds_are_equal_episodes(name, arguments, kind):
    """And an episode depends on its seed and number alone, not on what was done before."""

    def played(start):
        env = single(name, arguments, kind)
        env.reset(seed=start)
        env.reset(seed=3)
        found = []
        for episode in range(4):
            observation, info = env.reset() if episode else (None, {})
            for _ in range(3):
                observation, reward, over, cut, info = env.step(int(observation is None))
                found.append((np.asarray(observation), reward, info.get("val_acc")))
                if over or cut:
                    break
        return found

    for a, b in zip(played(0), played(1), strict=True):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])
        assert a[2] == b[2]


@pytest.mark.parametrize(("name", "arguments", "kind"), EVERY)
def test_masks_and_the_rest_of_the_info_stay(name, arguments, kind):
    wrapped, plain = single(name, arguments, kind), ENVS[kind][0](**toys({}))
    keys = {"val_acc"} if name == "NoisyEvaluation" else set()
    pairs = [(wrapped.reset(seed=1)[1], plain.reset(seed=1)[1])]
    pairs += [(wrapped.step(action)[4], plain.step(action)[4]) for action in (0, 1, 2)]
    for ours, theirs in pairs:
        assert theirs.keys() <= ours.keys()
        for key in theirs.keys() - keys:
            np.testing.assert_array_equal(ours[key], theirs[key])
        assert ours["action_mask"].dtype == np.int8
    np.testing.assert_array_equal(wrapped.get_wrapper_attr("action_masks")(), plain.action_masks())


@pytest.mark.parametrize(("name", "arguments", "kind"), EVERY)
def test_spec_is_json_and_makes_it_again(name, arguments, kind):
    ids = {"scalar": "Blox-v0", "vector": "MOBlox-v0", "edit": "BloxEdit-v0"}
    env = getattr(wrappers, name)(gym.make(f"blox_env:blox_env/{ids[kind]}"), **arguments)
    text = env.spec.to_json()
    assert json.loads(text)["additional_wrappers"][-1]["name"] == name
    again = gym.make(EnvSpec.from_json(text))
    assert type(again) is type(env)
    for env_ in (env, again):
        env_.reset(seed=5)
    for action in (22, 21, 16):
        a, b = env.step(action), again.step(action)
        np.testing.assert_array_equal(a[1], b[1])
        assert a[4].keys() == b[4].keys()


@pytest.mark.parametrize("name", sorted({name for name, _, _ in CASES}))
def test_vector_form_refuses_single_environments(name):
    arguments = next(case[1] for case in CASES if case[0] == name)
    with pytest.raises(TypeError, match=f"{name} wraps single environments"):
        getattr(wrappers, f"{name}Vector")(MOBloxEnv(**toys({})), **arguments)


def test_all_names_are_documented():
    classes = [name for name in wrappers.__all__ if f"{name}Vector" in wrappers.__all__]
    assert {name for name, _, _ in CASES} == set(classes)
    for name in classes:
        assert f"`{name}`" in wrappers.__doc__


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_all_of_them_one_in_the_other(mode):
    """Inside out in the order that the docstring gives."""

    def stack(env, form, archive, budget):
        env = getattr(wrappers, f"NoisyEvaluation{form}")(env, 0.05)
        env = getattr(wrappers, f"EvaluationLimit{form}")(env, budget)
        env = getattr(wrappers, f"NondominatedArchive{form}")(env, archive=archive)
        env = getattr(wrappers, f"LatencyCost{form}")(env, 2.05)
        return getattr(wrappers, f"RandomWeights{form}")(env)

    budgets, archives = (
        [wrappers.Evaluations(6) for _ in range(2)],
        [wrappers.Archive(), wrappers.Archive()],
    )
    native = stack(
        MOBloxVectorEnv(4, autoreset_mode=mode, **toys({})), "Vector", archives[0], budgets[0]
    )
    sync = SyncVectorEnv(
        [lambda: stack(MOBloxEnv(**toys({})), "", archives[1], budgets[1])] * 4, autoreset_mode=mode
    )

    class Draw:
        def draw(self, _):
            return 7

    compare(sync, Masked(native), mode, Draw(), steps=40)
    assert budgets[0].spent == budgets[1].spent == 6
    np.testing.assert_array_equal(archives[0].values, archives[1].values)
