"""The native vector environment equals Gymnasium's own over single environments, step by step."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st

from blox_env import BloxEnv, Problem, SearchSpace
from blox_env.envs.edit_env import BloxEditVectorEnv
from blox_env.envs.vector_env import BloxVectorEnv
from tests.toys import BoundedDevice, ToyBenchmark, ToyDevice, huge_space

SMALL = SearchSpace((4, 2, 3))
BENCHMARKS = {None: ToyBenchmark(), SMALL: ToyBenchmark(SMALL)}
DEVICES = {None: ToyDevice(), SMALL: ToyDevice(SMALL)}
OTHER = {None: ToyDevice(), SMALL: ToyDevice(SMALL)}
for device in OTHER.values():
    device.name = "other"
    device.factor = 1.7
MODES = list(AutoresetMode)


def same(a, b, where=""):
    """Equal in structure, types and values."""
    if isinstance(a, dict):
        assert isinstance(b, dict), where
        assert a.keys() == b.keys(), where
        for key in a:
            same(a[key], b[key], f"{where}/{key}")
    elif isinstance(a, tuple):
        assert len(a) == len(b), where
        for x, y in zip(a, b, strict=True):
            same(x, y, where)
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype, where
        assert a.shape == b.shape, where
        if a.dtype == object:
            for x, y in zip(a, b, strict=True):
                same(x, y, where)
        else:
            np.testing.assert_array_equal(a, b, where)
    else:
        assert type(a) is type(b), where
        assert a == b, where


CONFIGURATIONS = st.fixed_dictionaries(
    {
        "space": st.sampled_from([None, SMALL]),
        "granularity": st.sampled_from(["block", "operation", "whole"]),
        "observation": st.sampled_from(["ops", "onehot", "indices", "graph", "dict"]),
        "goal": st.sampled_from([None, None, "latency_target", "device"]),
        "budget": st.sampled_from([None, 2.0, 2.1, 2.5]),
        "shared": st.sampled_from([None, 3, 8]),
        "reward": st.sampled_from([None, "tunas", "constraint"]),
        "limit": st.sampled_from([None, 2]),
    }
)


def arguments(c):
    """Arguments of an environment; None for configurations that are refused."""
    space = c["space"]
    if c["observation"] == "indices" and c["goal"]:
        return None
    both = {"granularity": c["granularity"], "observation": c["observation"]}
    if c["shared"] and not c["goal"]:
        problem = Problem(BENCHMARKS[space], DEVICES[space], c["reward"], budget=c["shared"])
        return {**both, "problem": problem, "latency_budget_ms": c["budget"]}
    both |= {"benchmark": BENCHMARKS[space], "device": DEVICES[space], "reward": c["reward"]}
    if c["goal"] == "device":
        return {**both, "goal": "device", "goals": [DEVICES[space], OTHER[space]]}
    if c["goal"]:
        both |= {"goal": c["goal"], "goals": (2.0, 3.0)}
    return {**both, "latency_budget_ms": c["budget"]}


def limited(env, steps):
    return env if steps is None else gym.wrappers.TimeLimit(env, steps)


@settings(max_examples=150)
@given(c=CONFIGURATIONS, mode=st.sampled_from(MODES), n=st.integers(1, 5), data=st.data())
def test_equals_sync_vector_env(c, mode, n, data):
    if arguments(c) is None:
        return
    plain = arguments(c)  # a problem of its own for each side
    sync = SyncVectorEnv([lambda: limited(BloxEnv(**plain), c["limit"])] * n, autoreset_mode=mode)
    native = BloxVectorEnv(n, autoreset_mode=mode, max_episode_steps=c["limit"], **arguments(c))
    assert native.single_observation_space == sync.single_observation_space
    assert native.observation_space == sync.observation_space
    assert native.action_space == sync.action_space
    compare(sync, native, mode, data, goal=c["goal"])


def compare(sync, native, mode, data, goal=None, options=None, steps=14):
    """Reset, then random steps with masked actions and resets in the middle among them."""
    n = native.num_envs
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    seed = int(rng.integers(1000))
    options = dict(options or {})
    if goal == "latency_target" and rng.random() < 0.5:
        options["latency_target_ms"] = 2.25
    if goal == "device" and rng.random() < 0.5:
        options["device"] = "other"
    first = dict(options) if rng.random() < 0.5 else None
    seeds = [int(s) for s in rng.integers(1000, size=n)] if rng.random() < 0.3 else seed
    same(native.reset(seed=seeds, options=first), sync.reset(seed=seeds, options=first), "reset")
    over = np.zeros(n, bool)
    for step in range(steps):
        again = over if mode == AutoresetMode.DISABLED else rng.random(n) < 0.15
        if again.any() and (mode == AutoresetMode.DISABLED or rng.random() < 0.3):
            reset = {"reset_mask": again.copy(), **(options if rng.random() < 0.5 else {})}
            new = int(rng.integers(1000)) if rng.random() < 0.3 else None
            same(
                native.reset(seed=new, options=dict(reset)),
                sync.reset(seed=new, options=dict(reset)),
                f"reset {step}",
            )
        actions = random_actions(native, rng)
        ours, theirs = native.step(actions), sync.step(actions)
        for name, a, b in zip(
            ("obs", "reward", "term", "trunc", "info"), ours, theirs, strict=True
        ):
            same(a, b, f"{name} {step}")
        np.testing.assert_array_equal(native.action_masks(), np.stack(sync.call("action_masks")))
        over = ours[2] | ours[3]


def random_actions(native, rng):
    """Mostly allowed actions, and now and then any."""
    space, masks = native.single_action_space, native.action_masks()
    if isinstance(space, gym.spaces.MultiDiscrete):
        return rng.integers(0, space.nvec, size=(native.num_envs, len(space.nvec)))
    allowed = [
        rng.choice(np.flatnonzero(mask)) if rng.random() < 0.9 else rng.integers(space.n)
        for mask in masks
    ]
    return np.array(allowed)


@settings(max_examples=20)
@given(mode=st.sampled_from(MODES), data=st.data())
def test_equals_sync_vector_env_where_nothing_can_be_listed(mode, data):
    space = huge_space()

    def make():
        return {
            "benchmark": ToyBenchmark(space),
            "device": BoundedDevice(space),
            "latency_budget_ms": 5.0,
        }

    plain = make()
    sync = SyncVectorEnv([lambda: BloxEnv(**plain)] * 3, autoreset_mode=mode)
    compare(sync, BloxVectorEnv(3, autoreset_mode=mode, **make()), mode, data, steps=30)


@pytest.mark.parametrize("mode", [mode.value for mode in MODES])
def test_made_by_gymnasium(mode):
    env = gym.make_vec(
        "blox_env/Blox-v0",
        num_envs=6,
        vectorization_mode="vector_entry_point",
        autoreset_mode=mode,
        observation="indices",
    )
    assert env.metadata["autoreset_mode"] == AutoresetMode(mode)
    observations, infos = env.reset(seed=0)
    assert observations in env.observation_space
    assert infos["action_mask"].shape == (6, 45)
    env.action_space.seed(0)
    for _ in range(3):
        observations, rewards, terminated, truncated, infos = env.step(env.action_space.sample())
    assert observations in env.observation_space
    assert terminated.all()
    assert not truncated.any()
    assert (rewards > 0).all()
    end = infos["final_info"] if mode == "SameStep" else infos
    assert end["val_acc"].shape == (6,)
    assert set(end["source"]) <= {"trained", "surrogate"}


def test_one_batch_a_step():
    problem = Problem(ToyBenchmark(), ToyDevice(), budget=1000)
    env = BloxVectorEnv(64, problem=problem)
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    for _ in range(3):
        env.step(rng.integers(45, size=64))
    assert problem.benchmark.batches == 1


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ([0, 1], "shape"),
        ([0.0, 1.0, 2.0], "integer array"),
        ([0, 45, 1], "environment 1 must be in 0 … 44, got 45"),
        ([-1, 0, 1], "environment 0"),
        ("abc", "integer array"),
    ],
)
def test_bad_actions_change_nothing(actions, message):
    env = BloxVectorEnv(3, benchmark=ToyBenchmark(), device=ToyDevice())
    env.reset(seed=0)
    with pytest.raises(ValueError, match=message):
        env.step(actions)
    after, *_ = env.step([1, 2, 3])
    again = BloxVectorEnv(3, benchmark=ToyBenchmark(), device=ToyDevice())
    again.reset(seed=0)
    np.testing.assert_array_equal(after, again.step([1, 2, 3])[0])


def test_steps_out_of_order():
    env = BloxVectorEnv(2, benchmark=ToyBenchmark(), device=None, autoreset_mode="Disabled")
    with pytest.raises(RuntimeError, match="call reset"):
        env.step([0, 0])
    with pytest.raises(RuntimeError, match="first reset"):
        env.reset(options={"reset_mask": np.array([True, False])})
    env.reset()
    for _ in range(3):
        env.step([0, 0])
    with pytest.raises(RuntimeError, match="environment 0 is over"):
        env.step([0, 0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reset_mask": [True, False]}, "bool array"),
        ({"reset_mask": np.array([True])}, "shape"),
        ({"reset_mask": np.zeros(2, bool)}, "got none"),
        ({"latency_target": 3.0}, "options of reset may have"),
    ],
)
def test_bad_reset_options(options, message):
    env = BloxVectorEnv(2, benchmark=ToyBenchmark(), device=ToyDevice())
    env.reset()
    with pytest.raises(ValueError, match=message):
        env.reset(options=options)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_envs": 0}, "num_envs must be at least 1"),
        ({"autoreset_mode": "Same"}, "did you mean 'SameStep'"),
        ({"max_episode_steps": 0}, "max_episode_steps must be"),
        ({"render_mode": "human"}, "unknown render_mode"),
        ({"observation": "op"}, "did you mean 'ops'"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        BloxVectorEnv(**{"num_envs": 2, **arguments})


def test_one_goal_each():
    env = BloxVectorEnv(
        3, benchmark=ToyBenchmark(), device=ToyDevice(), goal="latency_target", goals=(2.0, 4.0)
    )
    targets = np.array([2.0, 3.0, 4.0])
    observations, _ = env.reset(options={"latency_target_ms": targets})
    np.testing.assert_allclose(observations[:, -1], [0, 0.5, 1])
    for _ in range(3):
        _, rewards, _, _, infos = env.step([1, 1, 1])
    np.testing.assert_array_equal(infos["latency_target_ms"], targets)
    expected = env.problem.rewards(infos["val_acc"], infos["latency_ms"], targets)
    np.testing.assert_array_equal(rewards, expected)


@pytest.mark.parametrize("granularity", ["block", "operation", "whole"])
@pytest.mark.parametrize("limit", [None, 2])
def test_shows_what_the_single_environment_shows(granularity, limit):
    both = {
        "benchmark": ToyBenchmark(),
        "device": None,
        "granularity": granularity,
        "render_mode": "ansi",
    }
    single = limited(BloxEnv(**both), limit)
    many = BloxVectorEnv(2, max_episode_steps=limit, **both)

    def stages(text):
        return [line for line in text.splitlines() if "stage" in line]

    assert stages(many.render()[1]) == stages(single.unwrapped.render())
    rng = np.random.default_rng(0)
    many.reset(seed=0)
    single.reset(seed=0)
    over = False
    for _ in range(25):
        actions = random_actions(many, rng)
        many.step(actions)
        if over:
            single.reset()
            over = False
        else:
            _, _, terminated, truncated, _ = single.step(actions[1])
            over = terminated or truncated
        assert stages(many.render()[1]) == stages(single.unwrapped.render())


@pytest.mark.parametrize("seed", [1.5, -1, [1, 2.5], [1], "a"])
def test_bad_seeds(seed):
    env = BloxVectorEnv(2, benchmark=ToyBenchmark(), device=None)
    with pytest.raises((TypeError, ValueError), match="seed"):
        env.reset(seed=seed)


class Broken(ToyBenchmark):
    provides = frozenset()
    working = True

    def evaluate(self, x, **arguments):
        if not self.working:
            raise OSError("disk gone")
        return super().evaluate(x, **arguments)


@pytest.mark.parametrize("make", [BloxVectorEnv, BloxEditVectorEnv])
def test_a_failed_evaluation_asks_for_a_reset(make):
    benchmark = Broken()
    env = make(2, benchmark=benchmark, device=None)
    env.reset(seed=0)
    benchmark.working = False
    if make is BloxVectorEnv:  # it evaluates in the third step
        env.step([1, 2])
        env.step([1, 2])
    with pytest.raises(OSError, match="disk gone"):
        env.step([1, 2])
    benchmark.working = True
    with pytest.raises(RuntimeError, match="call reset"):
        env.step([1, 2])
    env.reset()
    for _ in range(3):
        _, rewards, *_ = env.step([1, 2])
    assert np.isfinite(rewards).all()


def test_infos_are_no_views_of_the_actions():
    env = BloxVectorEnv(2, benchmark=ToyBenchmark(), device=None, granularity="whole")
    env.reset()
    actions = np.array([[1, 2, 3], [4, 5, 6]])
    infos = env.step(actions)[4]
    infos["arch"][:] = 0
    assert actions.tolist() == [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize("make", [BloxVectorEnv, BloxEditVectorEnv])
def test_states_are_gone_back_to(make):
    env = make(3, benchmark=ToyBenchmark(), device=ToyDevice(), max_episode_steps=5)
    env.reset(seed=0)
    env.step([1, 2, 3])
    state = env.get_state()
    runs = []
    for _ in range(2):
        env.set_state(state)
        runs.append([env.step([i, i + 1, i + 2]) for i in range(8)])
    for a, b in zip(*runs, strict=True):
        same(a, b)


@pytest.mark.filterwarnings("ignore::UserWarning")  # it says which worker ended, and why
def test_another_process_does_not_get_the_budget():
    problem = Problem("digits", "x86-ort-1t", budget=5)

    def steps():
        env = gym.make_vec(
            "blox_env/Blox-v0", num_envs=2, vectorization_mode="async", problem=problem
        )
        env.reset(seed=0)
        for _ in range(3):
            env.step([0, 1])

    with pytest.raises((TypeError, RuntimeError), match="cannot be used in another process"):
        steps()
    assert problem.spent == 0
