"""What is asked: it does not change, and its rows are checked once."""

import dataclasses
import pickle

import numpy as np
import pytest

from blox_env import BloxEnv, BloxSpace, BloxVectorEnv, Problem, SearchSpace
from blox_env.experiment.plan import make_plan
from blox_env.experiment.settings import ExperimentSettings
from blox_env.ground import defaults
from blox_env.problem.task import Task
from tests.toys import ToyBenchmark, ToyDevice


def test_a_task_is_frozen():
    task = Task.of(ToyBenchmark(), ToyDevice(), "tunas")
    with pytest.raises(dataclasses.FrozenInstanceError):
        task.reward_name = "mnasnet"
    assert task.provides == {"blocks", "curves", "table", "latency"}


def test_rows_are_checked_and_numbered_once(monkeypatch):
    looked = []
    strides = BloxSpace._strides
    monkeypatch.setattr(
        BloxSpace, "_strides", lambda self: looked.append("number") or strides(self)
    )
    problem = Problem("digits", "x86-ort-1t", budget=5)
    looked.clear()
    problem.evaluate([[1, 2, 3], [4, 5, 6]])
    assert looked == ["number"]


class Moody:
    """A formula whose weight changes, as a Lagrange multiplier does."""

    weight = 0.0

    def __call__(self, acc, latency, target):
        return acc - self.weight * latency


def test_a_formula_of_ones_own_is_asked_every_time():
    formula = Moody()
    problem = Problem("digits", "x86-ort-1t", formula, keep=False)
    first = problem.optimum()
    formula.weight = 0.1
    value = problem.benchmark.evaluate([[1, 2, 3]]).val_acc
    expected = value - 0.1 * problem.device.latency_ms([[1, 2, 3]])
    np.testing.assert_array_equal(problem.peek([[1, 2, 3]]).reward, expected)
    assert problem.optimum()[1] < first[1]
    assert problem.optimum()[1] == problem.peek(problem.optimum()[0]).reward[0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_rewards_that_are_no_numbers_are_refused(bad):
    def formula(acc, latency, target):
        return np.where(latency > 3.0, bad, acc)

    problem = Problem(ToyBenchmark(), ToyDevice(), formula, budget=5)
    problem.evaluate([[0, 0, 0]])
    with pytest.raises(ValueError, match=r"reward of architecture \[44, 44, 44\] is -?(nan|inf)"):
        problem.evaluate([[0, 0, 1], [44, 44, 44]])
    assert problem.spent == 1  # nothing of the batch was paid for
    if np.isnan(bad):  # the exact answers rank it last
        row, reward = problem.optimum()
        assert np.isfinite(reward)
        assert problem.device.latency_ms(row)[0] <= 3.0


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (lambda acc, latency, target: acc if latency < 4 else 0, r"write numpy.where"),
        (lambda acc, latency: acc, "failed with TypeError"),
        (lambda acc, latency, target: np.ones(3), r"one number an architecture.* got shape \(3,\)"),
    ],
)
def test_formulas_are_tried_when_a_problem_is_made(formula, message):
    with pytest.raises(ValueError, match=message):
        Problem(ToyBenchmark(), ToyDevice(), formula)


def test_accuracies_that_are_not_known_are_refused():
    class Gap(ToyBenchmark):
        def evaluate(self, x, **arguments):
            value = super().evaluate(x, **arguments)
            return dataclasses.replace(
                value, val_acc=np.where(np.asarray(x)[:, 0] == 7, np.nan, value.val_acc)
            )

    problem = Problem(Gap(), budget=5)
    with pytest.raises(ValueError, match=r"'toy' has no accuracy of architecture \[7, 1, 2\]"):
        problem.evaluate([[0, 1, 2], [7, 1, 2]])
    assert len(problem.history) == 0


def test_problems_environments_and_plans_have_the_same_device(tmp_path):
    ours, theirs = BloxSpace(), SearchSpace((2, 3), "other")
    for space, name in ((ours, defaults.DEVICE), (theirs, None)):
        benchmark = ToyBenchmark(space)
        kinds = [
            Problem(benchmark),
            BloxEnv(benchmark).problem,
            BloxVectorEnv(2, benchmark=benchmark).problem,
        ]
        for each in kinds:
            assert (each.device and each.device.name) == name
            assert each.reward_name == ("mnasnet" if name else "accuracy")
            again = pickle.loads(pickle.dumps(each.task))
            assert (again.device and again.device.name) == name
    with pytest.raises(ValueError, match="got device=None, and none of the package is for"):
        Problem(ToyBenchmark(theirs), reward="mnasnet")
    settings = ExperimentSettings(agents=("random-search",), seeds=1, budget=1)
    assert [each.device for each in make_plan(settings, tmp_path)] == [defaults.DEVICE]
