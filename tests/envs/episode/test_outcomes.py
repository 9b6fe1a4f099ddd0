import numpy as np

from blox_env import Problem
from blox_env.envs.episode.outcomes import Outcomes
from tests.toys import ToyBenchmark, ToyDevice

FIELDS = ("reward", "val_acc", "latency_ms", "train_time_s", "source")


def problems():
    slow = ToyDevice()
    slow.name, slow.factor = "slow", 2.0
    benchmark = ToyBenchmark()
    return [Problem(benchmark, device, "tunas", keep=False) for device in (ToyDevice(), slow)]


def test_a_table_answers_as_the_problem_does():
    problem = problems()[0]
    rows = problem.space.sample(np.random.default_rng(0), 200)
    found, trials = Outcomes([problem]).of(rows), problem.evaluate(rows)
    assert problem.benchmark.batches == 2  # all of the space at once, then these
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(found, name), getattr(trials, name))


def test_targets_take_the_place_of_the_problems():
    problem = problems()[0]
    rows, targets = problem.space.all()[:5], np.linspace(1.0, 3.0, 5)
    found = Outcomes([problem]).of(rows, targets)
    expected = problem.rewards(found.val_acc, found.latency_ms, targets)
    np.testing.assert_array_equal(found.reward, expected)


def test_each_architecture_on_its_own_device():
    both = problems()
    rows, which = both[0].space.all()[:6], np.array([0, 1, 1, 0, 1, 0])
    found = Outcomes(both).of(rows, which=which)
    for number, problem in enumerate(both):
        trials = problem.evaluate(rows)
        own = which == number
        for name in FIELDS:
            np.testing.assert_array_equal(getattr(found, name)[own], getattr(trials, name)[own])
    assert found.evaluated.all()
