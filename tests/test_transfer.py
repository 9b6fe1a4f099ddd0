"""Training on some devices, judged on another: splits, descriptions, stand-ins, scores."""

import numpy as np
import pytest

from blox_env import BloxEnv, BloxSpace, BloxVectorEnv, Problem, load_device
from blox_env.envs.episode.goals import described, probe_architectures
from blox_env.ground import registry
from blox_env.transfer import Split, judge, list_splits, load_split
from tests.toys import ToyBenchmark, ToyDevice

SPACE = BloxSpace()


class Costs(ToyDevice):
    """Made up: every operation has a cost, by its kind."""

    def __init__(self, name, costs):
        super().__init__(SPACE)
        self.name, self.costs = name, costs

    def latency_ms(self, x):
        return 1.0 + SPACE.features(x, "depth")[:, -3:] @ self.costs


A, B, C = Costs("a", (0.2, 1.0, 0.5)), Costs("b", (1.0, 0.3, 0.4)), Costs("c", (0.3, 0.2, 1.5))
SPLIT = Split("toys", (A, B), C, probes=6)


def a_device():
    return A


def c_device():
    return C


def test_named_splits_leave_one_out(monkeypatch):
    for name in "ac":
        target = f"tests.test_transfer:{name}_device"
        monkeypatch.setitem(registry._ENTRIES["device"], name, target)
    names = list_splits()
    assert {"leave-out-a", "leave-out-c"} <= set(names)
    assert len(names) == len(set(names)) > 2
    for name in names:
        split = load_split(name, probes=3)
        assert f"leave-out-{split.test}" == split.name == name
        assert split.test not in split.train
        assert split.probes == 3
        priors = {each: load_device(each).card.get("predictor", {}).get("priors", {}) for each in
                  (split.test, *split.train)}  # fmt: skip
        assert not set(priors[split.test]) & set(split.train)
        assert all(split.test not in priors[each] for each in split.train)
    assert "a" in load_split("leave-out-c").train
    # the GPU's latencies were completed with what some processors tell
    assert len(load_split("leave-out-h100-torch-graph").train) == len(names) - 1 - 3
    assert "h100-torch-graph" not in load_split("leave-out-x86-ort-1t").train
    with pytest.raises(ValueError, match="did you mean 'leave-out-c'"):
        load_split("leave-out-C")


def test_one_device_is_no_split(monkeypatch):
    monkeypatch.setitem(registry._ENTRIES, "device", {"a": "tests.test_transfer:a_device"})
    assert list_splits() == []


@pytest.mark.parametrize(
    ("train", "test", "probes", "message"),
    [((), C, 3, "at least one device"), ((A, C), C, 3, "other than test"), ((A,), C, 0, "probes")],
)
def test_splits_are_checked(train, test, probes, message):
    with pytest.raises(ValueError, match=message):
        Split("mine", train, test, probes)


def test_devices_are_shown_by_the_latencies_of_the_same_probes():
    env = SPLIT.environment(benchmark=ToyBenchmark())
    seen = set()
    rows = probe_architectures(SPACE, 6)
    np.testing.assert_array_equal(rows[:4], probe_architectures(SPACE, 4))
    for seed in range(12):
        observation, _ = env.reset(seed=seed)
        device = (A, B)[int(env.get_state()["core"]["goals"][0])]
        seen.add(device.name)
        latency = device.latency_ms(rows)
        expected = latency / (latency + device.median_ms())
        np.testing.assert_allclose(observation[-6:], expected, rtol=1e-6)
        assert observation in env.observation_space
    assert seen == {"a", "b"}
    unseen = SPLIT.unseen_environment(benchmark=ToyBenchmark())
    observation, _ = unseen.reset(seed=0)
    assert unseen.observation_space == env.observation_space
    np.testing.assert_allclose(observation[-6:], described(C, C.median_ms(), 6), rtol=1e-6)
    for action in (1, 2, 3):
        _, reward, _, _, info = unseen.step(action)
    problem = Problem(ToyBenchmark(), C)
    assert (info["device"], reward) == ("c", problem.peek([1, 2, 3]).reward[0])


def test_vector_environments_agree_with_single_ones():
    many = SPLIT.environment(3, benchmark=ToyBenchmark())
    observation, _ = many.reset(seed=5)
    for i in range(3):
        single = SPLIT.environment(benchmark=ToyBenchmark())
        np.testing.assert_array_equal(single.reset(seed=5 + i)[0], observation[i])


def test_probes_need_a_device_to_describe():
    with pytest.raises(ValueError, match="goal_probes needs goal='device'"):
        BloxEnv(ToyBenchmark(), ToyDevice(), goal_probes=3)
    with pytest.raises(ValueError, match="at least two different devices"):
        BloxVectorEnv(2, benchmark=ToyBenchmark(), goal="device", goals=[A])


def test_measurements_are_drawn_and_repeat():
    rows, latency = SPLIT.measurements(30, seed=1)
    np.testing.assert_array_equal(latency, C.latency_ms(rows))
    np.testing.assert_array_equal(rows, SPLIT.measurements(30, seed=1)[0])
    assert not np.array_equal(rows, SPLIT.measurements(30, seed=2)[0])


def test_stand_in_without_measurements_knows_nothing_of_the_unseen_device():
    x = SPACE.sample(np.random.default_rng(0), 50)
    device = SPLIT.stand_in()
    mean = np.sqrt(A.latency_ms(x) * B.latency_ms(x))
    np.testing.assert_allclose(device.latency_ms(x), mean)
    assert not device.measured(x).any()
    other = Split("other", (A, B), Costs("d", (9, 9, 9))).stand_in()
    np.testing.assert_array_equal(other.latency_ms(x), device.latency_ms(x))


@pytest.mark.extra
def test_stand_in_learns_from_measurements():
    x = SPACE.sample(np.random.default_rng(0), 300)
    truth = C.latency_ms(x)

    def correlation(device):
        return np.corrcoef(device.latency_ms(x), truth)[0, 1]

    without, few = (correlation(SPLIT.stand_in(n, seed=3)) for n in (0, 40))
    assert without < 0.5
    assert few > 0.9


def test_a_policy_is_judged_by_what_it_builds():
    rows = np.array([[0, 0, 0], [44, 1, 2], [3, 4, 5]])
    step = iter(range(3))

    def policy(observations, masks):
        assert observations.shape == (3, 30 + 6)
        assert masks.shape == (3, 45)
        assert masks.dtype == bool
        return rows[:, next(step)]

    scores = judge(policy, SPLIT, benchmark=ToyBenchmark(), answers=3)
    np.testing.assert_array_equal(scores.x, rows)
    problem = Problem(ToyBenchmark(), C)
    best = problem.optimum()[1]
    expected = best - problem.peek(rows).reward
    np.testing.assert_allclose(scores.regret, expected)
    assert (scores.best, scores.mean) == (scores.regret.min(), scores.regret.mean())
    assert scores.split == "toys"


def test_an_optimal_policy_has_no_regret():
    best = Problem(ToyBenchmark(), C).optimum()[0]
    step = iter(range(3))
    scores = judge(
        lambda observations, masks: np.full(4, best[next(step)]),
        SPLIT,
        benchmark=ToyBenchmark(),
        answers=4,
    )
    assert scores.best == scores.mean == 0


def test_an_agent_searches_with_the_stand_in():
    judged = judge("random-search", SPLIT, benchmark=ToyBenchmark(), budget=40, answers=5, seed=2)
    problem = Problem(ToyBenchmark(), SPLIT.stand_in(), budget=40)
    from blox_env import search

    history = search(problem, "random-search", seed=2)
    order = np.argsort(-history.reward, kind="stable")[:5]
    np.testing.assert_array_equal(judged.x, history.x[order])
    truth = Problem(ToyBenchmark(), C)
    np.testing.assert_array_equal(judged.regret, truth.regret(judged.x))


@pytest.mark.extra
def test_scores_have_a_front():
    scores = judge("random-search", SPLIT, benchmark=ToyBenchmark(), budget=30)
    front = scores.front()
    problem = Problem(ToyBenchmark(), C, objectives=("val_acc", "latency_ms"))
    assert front == problem.front_regret(x=scores.x)
    assert 0 < front.relative < 1


def test_the_embedded_devices_work(monkeypatch):
    split = Split("real", (load_device("x86-ort-1t"), A), C)
    assert judge("random-search", split, budget=20, answers=1).regret.shape == (1,)


@pytest.mark.parametrize(
    ("method", "arguments", "message"),
    [
        ("random-search", {"observation": "onehot"}, "leave out observation"),
        (lambda observations, masks: 0, {"measurements": 3}, "for agents"),
        ("random-serch", {}, "did you mean 'random-search'"),
        ("random-search", {"answers": 0}, "answers must be at least 1"),
        (
            lambda observations, masks: np.full(20, 7),
            {"granularity": "operation"},
            "mask forbids, in answer 0",
        ),
    ],
)
def test_bad_arguments(method, arguments, message):
    with pytest.raises(ValueError, match=message):
        judge(method, SPLIT, benchmark=ToyBenchmark(), **arguments)
