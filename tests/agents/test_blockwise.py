"""What agents of signatures have in common."""

import numpy as np
import pytest

from blox_env import Problem, search
from blox_env.agents._blockwise import mean_training_s
from blox_env.problem.clock import Clock
from tests.toys import ToyBenchmark, ToyDevice, toy_blocks

pytestmark = pytest.mark.extra


class Additive(ToyBenchmark):
    """Accuracies that fall with the signatures of ``round0``."""

    def evaluate(self, x, **arguments):
        value = super().evaluate(x, **arguments)
        total = toy_blocks()[0].signatures.of(self.space.check(x)).sum(axis=1)
        value.val_acc[:] = 0.5 - total / 40
        return value


def best_of(benchmark):
    return benchmark.evaluate(benchmark.space.all()).val_acc.max()


@pytest.mark.parametrize("agent", ["hant", "donna"])
def test_finds_the_best_where_signatures_tell_it(agent):
    benchmark = Additive()
    history = search(Problem(benchmark, None, budget=40), agent, seed=0)
    assert history.val_acc.max() == best_of(benchmark)
    blind = search(Problem(benchmark, None, budget=40), "random-search", seed=0)
    assert blind.val_acc.max() < best_of(benchmark)


def test_the_graph_network_learns_where_signatures_tell_it():
    benchmark = Additive()
    history = search(Problem(benchmark, None, budget=40), "blockwise-gcn", seed=0)
    assert history.val_acc[20:].mean() > history.val_acc[:20].max() - 0.02


@pytest.mark.parametrize("agent", ["hant", "donna", "iterative-blockwise"])
def test_blocks_are_paid_for_before_the_first_trial(agent):
    problem = Problem(ToyBenchmark(), ToyDevice(), budget=20, clock=Clock(5))
    assert mean_training_s(problem) == 60
    history = search(problem, agent, seed=0)
    assert history.column("cost")[0] == 4  # 135 s are 2.25 trainings, so 3, and its own
    assert history.train_time_s[0] == 135 + 60
    assert problem.clock.schedule().start_s.min() == 27  # five workers shared them
    assert problem.spent == 20


def test_a_budget_that_does_not_pay_for_the_blocks():
    with pytest.raises(ValueError, match="budget of 3 full trainings"):
        search(Problem(ToyBenchmark(), None, budget=3), "donna", seed=0)


def test_an_unknown_teacher_has_a_near_one():
    problem = Problem(ToyBenchmark(), None, budget=30)
    with pytest.raises(ValueError, match="did you mean 'mediocre'"):
        search(problem, "hant", seed=0, options={"teacher": "mediocr"})


def test_latency_counts_in_what_is_ranked():
    device = ToyDevice()
    fast, any_ = (
        search(
            Problem(Additive(), device, "tunas", budget=30, latency_target_ms=target),
            "hant",
            seed=0,
        )
        for target in (2.5, 5.0)
    )
    assert np.median(fast.latency_ms[10:]) < np.median(any_.latency_ms[10:])
