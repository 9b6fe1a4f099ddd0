from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from blox_env.analysis.fronts import Points
from blox_env.analysis.scores import (
    ANYTIME,
    HYPERVOLUME,
    REGRET,
    TEST_REGRET,
    best_runs,
    inference_reward,
    on_one,
    pool,
    score,
    yardstick,
)
from tests.experiment.made_up import make_run


def test_regret_is_to_the_best_of_the_table_where_that_is_known():
    runs = [make_run([0.5, 0.75]), make_run([0.25], agent="b", budget=2)]
    to = yardstick(runs)
    assert (to.best, to.best_known) == (1.0, True)
    assert_allclose(score(runs, REGRET, to), [0.25, 0.75])
    assert_allclose(score(runs, ANYTIME, to), [0.375, 0.75])
    assert to.start == pytest.approx(0.625)
    runs = [replace(run, facts=replace(run.facts, optimum=None)) for run in runs]
    to = yardstick(runs)
    assert (to.best, to.best_known) == (0.75, False)


def test_inference_regret_is_in_test_reward_of_the_architecture_that_validation_chose():
    first = make_run([0.9], latency=[5.0], test_acc=0.6)  # latency = target: reward is accuracy
    second = make_run([0.5], latency=[5.0], test_acc=0.8, agent="b")
    assert inference_reward(first) == pytest.approx(0.6)
    to = yardstick([first, second])
    assert (to.test_best, to.test_known) == (0.8, False)
    assert_allclose(score([first, second], TEST_REGRET, to), [0.2, 0.0])
    slow = make_run([0.9], latency=[10.0], test_acc=0.6)
    assert inference_reward(slow) == pytest.approx(0.6 * 2**-0.07)


def test_inference_regret_is_to_the_whole_table_where_it_is_here():
    run = make_run([0.9], latency=[5.0], test_acc=0.6)
    whole = Points(np.array([5.0, 10.0]), np.array([0.9, 0.95]))
    to = yardstick([run], whole=whole, whole_test=np.array([0.7, 0.71]))
    assert to.test_known
    assert to.test_best == pytest.approx(0.7)  # the other one is slower
    alone = make_run([0.9], device=None, reward="accuracy", latency_target_ms=None, test_acc=0.6)
    to = yardstick([alone], whole_test=np.array([0.7, 0.71]))
    assert to.test_best == 0.71


def test_a_formula_of_ones_own_has_no_inference_regret():
    runs = [make_run([0.5], reward="my.module:formula")]
    to = yardstick(runs)
    assert np.isnan(to.test_best)
    assert np.isnan(score(runs, TEST_REGRET, to)).all()
    assert on_one(runs, TEST_REGRET, to).agents() == []


def test_hypervolume_is_a_share_of_the_true_front_where_that_is_known():
    runs = [make_run([0.5, 0.9], latency=[1.0, 2.0]), make_run([0.5], latency=[1.0], agent="b")]
    whole = Points(np.array([1.0, 2.0, 2.0]), np.array([0.5, 0.9, 0.1]))
    to = yardstick(runs, whole=whole)
    assert_allclose(to.corner, [0.02, 2.1])
    found = score(runs, HYPERVOLUME, to)
    assert found[0] == pytest.approx(1.0)
    assert found[1] == pytest.approx(0.48 * 1.1 / (0.48 * 1.1 + 0.4 * 0.1))
    alone = yardstick(runs)
    assert not alone.volume_known
    assert_allclose(alone.corner, [0.46, 2.1])


def test_without_a_device_there_is_no_hypervolume():
    run = make_run([0.5], device=None, reward="accuracy", latency_target_ms=None)
    to = yardstick([run])
    assert to.corner is None
    assert np.isnan(score([run], HYPERVOLUME, to)).all()


def test_agents_are_compared_by_pairs_of_runs():
    runs = [make_run([0.5 + 0.01 * s], latency=[1], seed=s) for s in range(6)]
    runs += [make_run([0.1 + 0.01 * s], latency=[1], agent="b", seed=s) for s in range(6)]
    pooled = on_one(runs, REGRET, yardstick(runs))
    assert pooled.agents() == ["a", "b"]
    assert pooled.better("a", "b").value == 1
    assert pooled.middle("a").value == pytest.approx(0.475)
    up = on_one(runs, HYPERVOLUME, yardstick(runs))
    assert up.better("a", "b").value == 1


def test_problems_are_put_together_in_units_of_one_evaluation():
    one = [make_run([0.5, 0.75], agent=agent) for agent in ("a", "b")]
    two = [make_run([0.0, 0.5], agent=agent, device="phone") for agent in ("a", "c")]
    pooled = pool([(one, yardstick(one)), (two, yardstick(two))])
    assert list(pooled.values) == ["a"]  # the only one on both
    assert [v.tolist() for v in pooled.values["a"]] == [[0.5], [0.5]]
    solved = [make_run([1.0], device="solved")]
    assert len(pool([(one, yardstick(one)), (solved, yardstick(solved))]).values["a"]) == 1


def test_the_best_run_of_each_agent():
    runs = [make_run([0.5], seed=0), make_run([0.75], seed=1), make_run([0.25], agent="b")]
    assert {a: run.facts.repeat for a, run in best_runs(runs).items()} == {"a": 1, "b": 0}
