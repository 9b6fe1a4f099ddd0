import json
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from blox_env import BloxEnv, Problem, SearchSpace
from tests.toys import ToyBenchmark, ToyDevice

OBSERVATIONS = ["ops", "onehot", "indices"]


def toy_env(space=None, **arguments):
    return BloxEnv(ToyBenchmark(space), ToyDevice(space), **arguments)


def play(env, actions):
    """All steps of one episode."""
    steps = [env.reset(seed=0)]
    for action in actions:
        steps.append(env.step(action))
        if steps[-1][2] or steps[-1][3]:
            break
    return steps


@pytest.mark.parametrize("observation", OBSERVATIONS)
@pytest.mark.parametrize("space", [None, SearchSpace((3, 3, 3, 3))])
def test_passes_gymnasiums_checker_without_warnings(observation, space):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gym.make(
            "blox_env/Blox-v0",
            benchmark=ToyBenchmark(space),
            device=ToyDevice(space),
            observation=observation,
            render_mode="ansi",
        )
        check_env(env.unwrapped)


@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_embedded_environment_passes_the_checker(observation):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gym.make("blox_env/Blox-v0", observation=observation, render_mode="ansi")
        check_env(env.unwrapped)


def test_reward_comes_from_validation_accuracy_and_latency():
    env = toy_env()
    steps = play(env, [5, 17, 44])
    assert [s[1] for s in steps[1:]] == [
        0.0,
        0.0,
        pytest.approx(env.problem.peek([5, 17, 44]).reward[0]),
    ]
    assert [s[2] for s in steps[1:]] == [False, False, True]
    info = steps[-1][4]
    value = env.problem.benchmark.evaluate([[5, 17, 44]])
    assert info["arch"].tolist() == [5, 17, 44]
    assert info["val_acc"] == value.val_acc[0] != value.test_acc[0]
    assert info["latency_ms"] == env.problem.device.latency_ms([[5, 17, 44]])[0]
    assert (info["device"], info["source"]) == ("toy-device", "trained")
    expected = env.problem.rewards(value.val_acc, np.array([info["latency_ms"]]))
    assert steps[-1][1] == expected[0]


@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_observations_tell_all_partial_architectures_apart(observation):
    env = toy_env(observation=observation)
    seen = set()
    for choice in range(45):
        env.reset()
        for _ in range(3):
            obs = env.step(choice)[0]
            assert obs in env.observation_space
            seen.add(obs.tobytes())
    assert len(seen) == 3 * 45


def test_masks_of_slots_with_fewer_options():
    env = toy_env(SearchSpace((4, 2)))
    _, info = env.reset()
    assert info["action_mask"].tolist() == [1, 1, 1, 1]
    assert info["action_mask"].dtype == np.int8
    info = env.step(3)[4]
    assert info["action_mask"].tolist() == [1, 1, 0, 0]
    assert env.action_masks().tolist() == [True, True, False, False]
    _, reward, terminated, truncated, info = env.step(2)
    assert (reward, terminated, truncated, info["invalid"]) == (0.0, True, False, True)


def test_spent_budget_truncates():
    p = Problem(ToyBenchmark(), ToyDevice(), budget=1)
    env = BloxEnv(problem=p)
    assert play(env, [0, 0, 0])[-1][2]
    _, reward, terminated, truncated, info = play(env, [0, 0, 1])[-1]
    assert (reward, terminated, truncated, info["budget_spent"]) == (0.0, False, True, True)
    assert play(env, [0, 0, 0])[-1][2]  # what is known stays free
    assert len(p.history) == 1


def test_steps_outside_an_episode_are_errors():
    env = toy_env()
    with pytest.raises(RuntimeError, match="call reset"):
        env.step(0)
    play(env, [0, 0, 0])
    with pytest.raises(RuntimeError, match="call reset"):
        env.step(0)


@pytest.mark.parametrize("action", [45, -1, 1.5, "a", None, True])
def test_actions_outside_the_space_are_errors(action):
    env = toy_env()
    env.reset()
    with pytest.raises(ValueError, match=r"action must be .* 0 … 44, got"):
        env.step(action)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"observation": "op"}, "did you mean 'ops'"),
        ({"render_mode": "human"}, "unknown render_mode 'human'"),
        ({"reward": "mnas"}, "unknown reward 'mnas'"),
        ({"problem": Problem(ToyBenchmark())}, "pass either problem or those"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        toy_env(**arguments)


def test_unknown_names_through_make():
    with pytest.raises(ValueError, match="did you mean 'digits'"):
        gym.make("blox_env/Blox-v0", benchmark="digts")
    with pytest.raises(ValueError, match="did you mean 'x86-ort-1t'"):
        gym.make("blox_env/Blox-v0", device="x86-ort-1")


def test_spec_is_json():
    env = gym.make("blox_env:blox_env/Blox-v0", benchmark="digits", reward="tunas")
    again = gym.make(gym.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    assert again.unwrapped.problem.reward_name == "tunas"
    assert json.loads(env.spec.to_json())["kwargs"]["benchmark"] == "digits"


def test_ansi_rendering():
    env = toy_env(SearchSpace((4, 2, 4)), render_mode="ansi")
    assert env.render() == "(empty) … 3 to choose"
    play(env, [3, 1, 3])
    play(env, [1, 3])
    assert env.render() == "1 … 2 to choose"  # the second was invalid
    env = toy_env(render_mode="ansi")
    env.reset()
    assert env.render() == "(empty) … 3 to choose"
    env.step(1)
    assert env.render() == "1 … 2 to choose"
    env.step(2)
    env.step(3)
    assert "ms on toy-device" in env.render()


def test_picture_shows_what_was_chosen():
    env = toy_env(render_mode="rgb_array")
    env.reset()
    pictures = [env.render()]
    for action in (1, 2, 3):
        env.step(action)
        pictures.append(env.render())
    assert {p.shape for p in pictures} == {(72, 240, 3)}
    assert {p.dtype for p in pictures} == {np.dtype(np.uint8)}
    assert len({p.tobytes() for p in pictures}) == 4


def test_stable_baselines3_checker():
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for observation in OBSERVATIONS:
            checker.check_env(toy_env(observation=observation))
