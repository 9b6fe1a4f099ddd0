import importlib.util
import json
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from blox_env import BloxEnv, Problem, SearchSpace
from tests.toys import ToyBenchmark, ToyDevice

MATPLOTLIB = importlib.util.find_spec("matplotlib") is not None
OBSERVATIONS = ["ops", "onehot", "indices", "graph", "dict"]
GRANULARITIES = ["block", "operation", "whole"]


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
@pytest.mark.parametrize("granularity", GRANULARITIES)
@pytest.mark.parametrize("space", [None, SearchSpace((3, 3, 3, 3))])
def test_passes_gymnasiums_checker_without_warnings(observation, granularity, space):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gym.make(
            "blox_env/Blox-v0",
            benchmark=ToyBenchmark(space),
            device=ToyDevice(space),
            observation=observation,
            granularity=granularity,
            render_mode="ansi",
        )
        check_env(env.unwrapped, skip_render_check=True)


@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_embedded_environment_passes_the_checker(observation):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gym.make("blox_env/Blox-v0", observation=observation, render_mode="ansi")
        check_env(env.unwrapped, skip_render_check=not MATPLOTLIB)  # it makes all its modes


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
            if isinstance(obs, dict):
                obs = np.concatenate(
                    [part.ravel() for key, part in obs.items() if "mask" not in key]
                )
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
        ({"problem": Problem(ToyBenchmark(), None)}, "pass either problem or those"),
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
    env.reset()
    assert env.render().count("…") == 3
    env.step(3)
    env.step(3)  # masked
    assert env.render().count("…") == 2
    env = toy_env(render_mode="ansi", granularity="operation")
    env.reset()
    for action in (1, 2, 4):
        env.step(action)
    assert "bconv(mbconv(x))" in env.render()
    env.step(0)
    assert "conv, …" in env.render()
    for action in (2, 4, 0, 0, 2):
        env.step(action)
    assert "ms on toy-device" in env.render()
    assert "reward" in env.render()


def test_picture_shows_what_was_chosen():
    pytest.importorskip("matplotlib")
    env = toy_env(render_mode="rgb_array", granularity="operation")
    env.reset()
    pictures = [env.render()]
    for action in (1, 2, 4) * 3:
        env.step(action)
        pictures.append(env.render())
    assert {p.shape for p in pictures} == {(400, 960, 3)}
    assert {p.dtype for p in pictures} == {np.dtype(np.uint8)}
    assert len({p.tobytes() for p in pictures}) == 10


@pytest.mark.parametrize("granularity", GRANULARITIES)
def test_granularities_reach_the_same_architectures(granularity):
    env = toy_env(granularity=granularity)
    choices = {"block": [25, 9, 0], "operation": [2, 1, 3, 1, 0, 4, 0, 0, 2], "whole": [[25, 9, 0]]}
    space = env.problem.space
    wanted = [[[2], [1, 0, 1, 1]], [[1], [0, 1, 0, 0]], [[0], [0, 0, 1, 0]]]
    row = space.from_arch_vec(wanted)
    choices["block"] = row.tolist()
    choices["whole"] = [row]
    steps = play(env, choices[granularity])
    assert len(steps) == 1 + len(choices[granularity])
    assert steps[-1][4]["arch"].tolist() == row.tolist()
    assert steps[-1][1] == env.problem.peek(row).reward[0]
    assert steps[-1][2]


def test_operation_masks():
    env = toy_env(granularity="operation")
    assert env.action_space.n == 8
    _, info = env.reset()
    allowed = [np.flatnonzero(info["action_mask"]).tolist()]
    for action in (0, 1):
        info = env.step(action)[4]
        allowed.append(np.flatnonzero(info["action_mask"]).tolist())
    assert allowed == [[0, 1, 2], [0, 1, 2], [1, 2, 3, 4, 5, 6, 7]]
    assert env.step(0)[4]["invalid"]


def test_whole_refuses_what_is_no_architecture():
    env = toy_env(granularity="whole")
    env.reset()
    for action in ([0, 0], [0, 0, 45], [0.5, 0, 0], 3, []):
        with pytest.raises(ValueError, match="action: "):
            env.step(action)


def test_goal_conditioning():
    env = toy_env(goal="latency_target", goals=(2.0, 4.0))
    assert env.observation_space.shape == (31,)
    targets = []
    observation, _ = env.reset(seed=3)
    for _ in range(50):
        for action in (1, 2, 3):
            last, reward, *_, info = env.step(action)
        targets.append(info["latency_target_ms"])
        assert observation[-1] == last[-1] == np.float32((targets[-1] - 2) / 2)
        expected = env.problem.rewards(
            np.array([info["val_acc"]]), np.array([info["latency_ms"]]), targets[-1]
        )
        assert reward == expected[0]
        observation, _ = env.reset()
    assert len(set(targets)) == 50
    assert all(2 <= t <= 4 for t in targets)
    env.reset(seed=3)
    assert play(env, [1, 2, 3])  # seed 0 in between
    env.reset(seed=3)
    again = [env.step(a) for a in (1, 2, 3)][-1][4]["latency_target_ms"]
    assert again == targets[0]
    observation, _ = env.reset(options={"latency_target_ms": 3.0})
    assert observation[-1] == 0.5


def test_default_range_of_targets_is_the_devices():
    env = toy_env(goal="latency_target")
    low, high = env.problem.device.quantiles_ms((0.05, 0.95))
    assert (env.rules.goals.low, env.rules.goals.high) == (low, high)


def test_goal_device():
    slow = ToyDevice()
    slow.name, slow.factor = "slow", 2.0
    env = toy_env(goal="device", goals=[ToyDevice(), slow])
    latencies = {}
    env.reset(seed=0)
    for _ in range(20):
        for action in (1, 2, 3):
            observation, *_, info = env.step(action)
        latencies[info["device"]] = info["latency_ms"]
        assert observation[-2:].tolist() == [info["device"] != "slow", info["device"] == "slow"]
        env.reset()
    assert latencies["slow"] == 2 * latencies["toy-device"]
    assert env.reset(options={"device": "slow"})[0][-1] == 1
    for action in (1, 2, 3):
        _, reward, *_ = env.step(action)
    env.render_mode = "ansi"
    slow_target = slow.median_ms()
    assert f"target {slow_target:.4g} ms" in env.render()
    assert f"reward {reward:.4f}" in env.render()


def test_devices_of_a_goal_by_any_of_their_names():
    slow = ToyDevice()
    slow.name = "slow"
    env = toy_env_of(goals=["tests.toys:ToyDevice", slow])
    for name in ("tests.toys:ToyDevice", "toy-device"):
        assert env.reset(options={"device": name})[0][-2] == 1
    with pytest.raises(ValueError, match="different devices, got toy-device, toy-device"):
        toy_env_of(goals=["tests.toys:ToyDevice", ToyDevice()])


def toy_env_of(**arguments):
    return BloxEnv(ToyBenchmark(), goal="device", **arguments)


def test_failed_evaluation_ends_the_episode():
    class Broken(ToyBenchmark):
        provides = frozenset()

        def evaluate(self, x, **arguments):
            raise OSError("disk gone")

    env = BloxEnv(Broken(), None)
    env.reset()
    env.step(0)
    env.step(0)
    for error in (OSError, RuntimeError):
        with pytest.raises(error, match=r"disk gone|call reset"):
            env.step(0)


def test_devices_that_hardly_differ_have_no_range_of_targets():
    class Constant(ToyDevice):
        def latency_ms(self, x):
            return np.full(len(self.space.check(x)), 3.0)

    with pytest.raises(ValueError, match="hardly differ"):
        BloxEnv(ToyBenchmark(), Constant(), goal="latency_target")


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ({"goal": "target"}, None, "unknown goal 'target'.*did you mean 'latency_target'"),
        ({"goals": (1, 2)}, None, "goals needs goal="),
        ({"goal": "latency_target", "goals": (3, 2)}, None, "goals must be a range"),
        ({"goal": "latency_target", "goals": 3}, None, "goals must be a range"),
        ({"goal": "device"}, None, "at least two different devices"),
        ({"goal": "device", "goals": "abc"}, None, "at least two different devices, got 'abc'"),
        ({"goal": "device", "goals": [None, ToyDevice()]}, None, "at least two different"),
        ({"goal": "latency_target", "goals": "23"}, None, "goals must be a range"),
        ({"goal": "latency_target", "latency_target_ms": 3.0}, None, "draws the target"),
        ({"goal": "latency_target", "observation": "indices"}, None, "cannot show a goal"),
        ({"goal": "latency_target"}, {"latency_target_ms": 99}, "must be in .* got 99"),
        ({"goal": "latency_target"}, {"latency_target_ms": "a"}, "must be one number"),
        ({"goal": "latency_target"}, {"latency_target": 3}, "may have latency_target_ms, got"),
        ({}, {"latency_target_ms": 3}, "may have nothing here, got 'latency_target_ms'"),
        ({"granularity": "blocks"}, None, "did you mean 'block'"),
        ({"latency_budget_ms": 0.1}, None, "at least the 2 ms of the fastest"),
        ({"latency_budget_ms": -1}, None, "must be above 0"),
        ({"problem": Problem(ToyBenchmark(), None), "goal": "latency_target"}, None, "pass either"),
    ],
)
def test_bad_goals_budgets_and_granularities(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        toy_env(**arguments).reset(options=options)


def test_a_budget_needs_a_device():
    with pytest.raises(ValueError, match="needs a device, got device=None"):
        BloxEnv(ToyBenchmark(), None, latency_budget_ms=3.0)


@pytest.mark.parametrize("granularity", GRANULARITIES)
def test_latency_budget_is_never_exceeded_by_allowed_actions(granularity):
    env = toy_env(granularity=granularity, latency_budget_ms=2.6)
    rng = np.random.default_rng(0)
    slowest, invalid = 0.0, 0
    for _ in range(300):
        env.reset()
        over = False
        while not over:
            mask = env.action_masks()
            if granularity == "whole":
                action = [rng.choice(np.flatnonzero(part)) for part in mask.reshape(3, 45)]
            else:
                action = rng.choice(np.flatnonzero(mask))
            *_, over, _, info = env.step(action)
        invalid += "invalid" in info
        slowest = max(slowest, info.get("latency_ms", 0))
    assert 2.4 < slowest <= 2.6
    assert (invalid > 0) == (
        granularity == "whole"
    )  # single masks cannot say what exceeds together


def test_graph_observation_of_a_finished_network():
    env = toy_env(observation="graph", granularity="operation")
    graph, _ = env.reset()
    assert graph["nodes"].tolist() == [1] + [0] * 9 + [2]
    assert not graph["adjacency"].any()
    graph = env.step(2)[0]
    assert graph["nodes"].tolist() == [1, 5] + [0] * 8 + [2]
    for action in (1, 5, 0, 0, 2, 1, 0, 3):
        graph = env.step(action)[0]
    assert graph["nodes"].tolist() == [1, 5, 4, 6, 0, 3, 6, 4, 3, 6, 2]
    edges = np.argwhere(graph["adjacency"]).tolist()
    first = [[0, 1], [1, 2], [1, 3], [2, 3]]
    assert edges == [*first, [3, 5], [5, 6], [6, 7], [6, 8], [7, 9], [8, 9], [9, 10]]


def test_stable_baselines3_checker():
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for observation in ["ops", "onehot", "indices", "dict"]:  # it warns of matrices
            checker.check_env(toy_env(observation=observation))
