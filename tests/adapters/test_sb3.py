"""Stable-Baselines3 sees through the adapter what it sees over single environments."""

import importlib
import sys

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecCheckNan, VecNormalize

import blox_env  # noqa: F401 (registers the environments)
from blox_env import BloxEnv, Problem
from blox_env.adapters.sb3 import SB3VecEnv, make_sb3
from blox_env.envs.vector_env import BloxVectorEnv
from tests.toys import ToyBenchmark, ToyDevice

BLOX, EDIT = "blox_env/Blox-v0", "blox_env/BloxEdit-v0"
SMALL = {"n_steps": 6, "batch_size": 48, "n_epochs": 2, "seed": 0, "device": "cpu"}


def over_single(name, n, **arguments):
    return DummyVecEnv([lambda: gym.make(name, **arguments)] * n)


def vector(n=3, **arguments):
    return BloxVectorEnv(n, benchmark=ToyBenchmark(), device=ToyDevice(), **arguments)


def same(a, b, where=""):
    """Equal in structure and values, and in the types of what is no array."""
    if isinstance(a, dict):
        assert a.keys() == b.keys(), where
        for key in a:
            same(a[key], b[key], f"{where}/{key}")
    elif isinstance(a, list):
        assert len(a) == len(b), where
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            same(x, y, f"{where}[{i}]")
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype, where
        np.testing.assert_array_equal(a, b, where)
    else:
        assert type(a) is type(b), where
        assert a == b or (a != a and b != b), where


def random_actions(env, rng, invalid=0.1):
    """Mostly allowed actions, and now and then any."""
    if isinstance(env.action_space, gym.spaces.MultiDiscrete):
        return rng.integers(0, env.action_space.nvec, size=(env.num_envs, 3))
    masks = env.env_method("action_masks")
    anything = rng.integers(env.action_space.n, size=env.num_envs)
    allowed = [rng.choice(np.flatnonzero(mask)) for mask in masks]
    return np.where(rng.random(env.num_envs) < invalid, anything, allowed)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        (BLOX, {}),
        (BLOX, {"granularity": "operation", "observation": "dict"}),
        (BLOX, {"granularity": "whole", "observation": "graph", "latency_budget_ms": 4.0}),
        (BLOX, {"observation": "indices", "max_episode_steps": 2}),
        (BLOX, {"goal": "latency_target", "reward": "tunas", "observation": "graph"}),
        (EDIT, {"max_episode_steps": 4}),
        (EDIT, {"max_episode_steps": 3, "observation": "dict", "granularity": "operation"}),
    ],
)
@pytest.mark.parametrize("n", [1, 4])
def test_equals_dummy_vec_env(name, arguments, n):
    ours, theirs = make_sb3(name, n, monitor=False, **arguments), over_single(name, n, **arguments)
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    assert ours.seed(7) == theirs.seed(7)
    same(ours.reset(), dict_or_array(theirs.reset()), "reset")
    rng = np.random.default_rng(n)
    ended = 0
    for step in range(40):
        same(ours.reset_infos, theirs.reset_infos, f"reset_infos {step}")
        same(ours.env_method("action_masks"), theirs.env_method("action_masks"), f"masks {step}")
        actions = random_actions(ours, rng)
        a, b = ours.step(actions), theirs.step(actions)
        for part, x, y in zip(("obs", "rewards", "dones", "infos"), a, b, strict=True):
            same(x, dict_or_array(y), f"{part} {step}")
        ended += a[2].sum()
        if step == 20:  # in the middle of episodes
            ours.seed(3), theirs.seed(3)
            same(ours.reset(), dict_or_array(theirs.reset()), "second reset")
    assert ended > 4


def dict_or_array(value):
    return dict(value) if isinstance(value, dict) else value


def test_infos_when_the_budget_is_spent():
    def make():
        return Problem(ToyBenchmark(), ToyDevice(), budget=3)

    shared = make()
    theirs = DummyVecEnv([lambda: BloxEnv(problem=shared)] * 4)
    ours = SB3VecEnv(BloxVectorEnv(4, problem=make(), autoreset_mode="SameStep"))
    ours.reset(), theirs.reset()
    for action in (1, 2, 3):
        actions = np.arange(4) + action
        same(list(ours.step(actions)), list(theirs.step(actions)))
    infos = ours.step(np.zeros(4, int))[3]  # nothing of the ended episodes is left in these
    assert [set(info) for info in infos] == [{"action_mask", "TimeLimit.truncated"}] * 4


def test_infos_are_fresh_dicts_of_their_own():
    env = SB3VecEnv(vector(autoreset_mode="SameStep"))
    env.reset()
    before = env.step(np.array([1, 2, 3]))[3]
    before[0]["mine"] = 1
    before[0]["action_mask"][:] = 0
    after = env.step(np.array([1, 2, 3]))[3]
    assert not any("mine" in info for info in (*before[1:], *after))
    assert before[1]["action_mask"].all()
    assert np.all(env.env_method("action_masks"))


@pytest.mark.parametrize("n", [1, 3])
def test_wraps_other_peoples_vector_environments(n):
    def cartpole():
        return gym.wrappers.TimeLimit(gym.make("CartPole-v1").unwrapped, 7)

    ours = SB3VecEnv(SyncVectorEnv([cartpole] * n, autoreset_mode=AutoresetMode.SAME_STEP))
    theirs = DummyVecEnv([cartpole] * n)
    ours.seed(5), theirs.seed(5)
    same(ours.reset(), theirs.reset())
    rng = np.random.default_rng(0)
    for step in range(20):
        actions = rng.integers(2, size=n)
        same(list(ours.step(actions)), list(theirs.step(actions)), f"step {step}")
    assert ours.env_is_wrapped(gym.wrappers.TimeLimit) == [True] * n
    assert not ours.has_attr("action_masks")
    native = gym.make_vec("CartPole-v1", 8, "vector_entry_point", max_episode_steps=5)
    with pytest.raises(ValueError, match="got autoreset_mode='NextStep'"):
        SB3VecEnv(native)


def test_masks_are_found():
    env = make_sb3(BLOX, 5, granularity="operation")  # through VecMonitor, too
    env.reset()
    assert is_masking_supported(env)
    masks = get_action_masks(env)
    assert masks.dtype == bool
    assert masks.sum(axis=1).tolist() == [3] * 5
    assert len(env.env_method("action_masks", indices=[1, 3])) == 2
    wrapped = SB3VecEnv(gym.wrappers.vector.ClipReward(vector(autoreset_mode="SameStep"), -1, 1))
    assert is_masking_supported(wrapped)


def test_answers_about_the_problem_are_the_same_for_all_whatever_their_number():
    toys = {"benchmark": ToyBenchmark(), "device": ToyDevice()}
    single = BloxEnv(**toys)
    points = len(single.pareto_front())
    for n in (points, points + 1):
        env = SB3VecEnv(BloxVectorEnv(n, **toys, autoreset_mode="SameStep"))
        for each in env.env_method("pareto_set"):
            np.testing.assert_array_equal(each, single.pareto_set())
        assert [len(each) for each in env.env_method("pareto_front")] == [points] * n


def test_attributes():
    env = SB3VecEnv(vector(render_mode="ansi", autoreset_mode="SameStep"))
    assert env.render_mode == "ansi"
    assert env.get_attr("problem") == [env.env.problem] * 3
    assert env.get_attr("action_space", 0) == [env.action_space]
    with pytest.raises(AttributeError, match="has no attribute 'colour'"):
        env.get_attr("colour")
    with pytest.raises(AttributeError, match="has no method 'paint'"):
        env.env_method("paint")
    with pytest.raises(ValueError, match="call the adapter's own"):
        env.env_method("reset")
    env.set_attr("max_episode_steps", 1)
    env.reset()
    assert env.step(np.zeros(3, int))[2].all()
    with pytest.raises(ValueError, match="name all 3 environments"):
        env.set_attr("max_episode_steps", 2, indices=[0])
    assert env.env_is_wrapped(Monitor) == [False] * 3
    assert len(env.env_method("render")) == 3
    env.close()


def test_options_are_used_once():
    env = SB3VecEnv(vector(goal="latency_target", goals=(2.0, 4.0), autoreset_mode="SameStep"))
    env.set_options({"latency_target_ms": 3.0})
    np.testing.assert_allclose(env.reset()[:, -1], 0.5)
    assert len(set(env.reset()[:, -1])) == 3
    env.set_options([{"latency_target_ms": t} for t in (2.0, 3.0, 4.0)])
    np.testing.assert_allclose(env.reset()[:, -1], [0, 0.5, 1])
    env.set_options([{"latency_target_ms": 2.0}, {}, {}])
    with pytest.raises(ValueError, match="with the same keys"):
        env.reset()


def test_pictures():
    pytest.importorskip("matplotlib")
    env = make_sb3(BLOX, 4, render_mode="rgb_array")
    env.reset()
    one = env.get_images()[0]
    assert env.render().shape == (2 * one.shape[0], 2 * one.shape[1], 3)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (vector, ValueError, "got autoreset_mode='NextStep': make it with"),
        (lambda: vector(autoreset_mode="Disabled"), ValueError, "'Disabled'"),
        (lambda: gym.make(BLOX), TypeError, "must be a gymnasium.vector.VectorEnv"),
        (
            lambda: gym.make_vec(
                "blox_env/MOBlox-v0", 2, "vector_entry_point", autoreset_mode="SameStep"
            ),
            ValueError,
            "must have one number as reward",
        ),
    ],
)
def test_what_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        SB3VecEnv(make())


def test_their_wrappers():
    env = VecCheckNan(VecNormalize(make_sb3(BLOX, 8, seed=0, observation="dict"), norm_obs=True))
    env.reset()
    rng = np.random.default_rng(0)
    for _ in range(3):
        observations, _, dones, infos = env.step(rng.integers(45, size=8))
    assert np.abs(observations["observations"]).max() <= 10
    assert dones.all()
    assert [info["episode"]["l"] for info in infos] == [3] * 8
    assert all(info["episode"]["r"] == pytest.approx(info["val_acc"], rel=0.2) for info in infos)


class Infos(BaseCallback):
    """Keeps the names in all infos."""

    def __init__(self):
        super().__init__()
        self.names = set()

    def _on_step(self):
        self.names.update(*self.locals["infos"])
        return True


def test_ppo_trains_and_is_saved_and_loaded(tmp_path):
    env = make_sb3(BLOX, 16, observation="onehot")
    model = PPO("MlpPolicy", env, **SMALL).learn(600)
    assert len(model.ep_info_buffer) == 100
    model.save(tmp_path / "model")
    loaded = PPO.load(tmp_path / "model", env=make_sb3(BLOX, 4, observation="onehot"))
    observations = env.reset()
    a, b = (m.predict(observations, deterministic=True)[0] for m in (model, loaded))
    np.testing.assert_array_equal(a, b)
    loaded.learn(24)
    mean, _ = evaluate_policy(loaded, loaded.get_env(), n_eval_episodes=4)
    assert mean > 0


@pytest.mark.parametrize("observation", ["ops", "dict"])
def test_maskable_ppo_takes_no_masked_action(observation):
    env = make_sb3(
        BLOX, 16, granularity="operation", observation=observation, latency_budget_ms=2.8
    )
    policy = "MultiInputPolicy" if observation == "dict" else "MlpPolicy"
    seen = Infos()
    MaskablePPO(policy, env, **{**SMALL, "n_steps": 9}).learn(600, callback=seen)
    assert "episode" in seen.names
    assert "arch" in seen.names
    assert "invalid" not in seen.names


def test_ppo_trains_on_edits():
    env = make_sb3(EDIT, 8, max_episode_steps=5)  # truncated: the value of the end is asked for
    seen = Infos()
    PPO("MlpPolicy", env, **SMALL).learn(200, callback=seen)
    assert "terminal_observation" in seen.names


def test_without_the_extra_the_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "stable_baselines3.common.env_util", None)
    monkeypatch.delitem(sys.modules, "blox_env.adapters.sb3")
    with pytest.raises(ImportError, match=r"needs 'stable_baselines3.*blox-env\[sb3\]"):
        importlib.import_module("blox_env.adapters.sb3")
