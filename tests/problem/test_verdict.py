"""What a history says of its best architecture and of targets."""

import numpy as np
import pytest

import blox_env
from blox_env import Problem, search
from blox_env.problem.history import History
from tests.toys import ToyBenchmark, ToyDevice


def test_best_has_what_a_user_wants():
    problem = Problem("digits", "x86-ort-1t", budget=20)
    history = search(problem, "random-search", seed=0)
    best = history.best
    row = int(np.argmax(history.reward))
    assert best.row == best() == row
    np.testing.assert_array_equal(best.architecture, history.x[row])
    np.testing.assert_array_equal(history.x[best], history.x[row])
    assert (best.reward, best.val_acc) == (history.reward[row], history.val_acc[row])
    assert best.latency_ms == history.latency_ms[row] > 0
    assert best.text == problem.space.describe(history.x[row])
    for text in (repr(history), history._repr_html_(), best._repr_html_()):
        assert f"{best.reward:.4f}" in text


@pytest.mark.extra
def test_best_builds_its_network():
    pytest.importorskip("torch")
    history = search(Problem("digits", "x86-ort-1t", budget=2), "random-search", seed=0)
    network = history.best.build(width=8)
    expected = blox_env.BloxSpace().params(history.x[history.best], width=8)[0]
    assert sum(p.numel() for p in network.parameters()) == expected


def test_a_target_that_nothing_meets_is_told():
    problem = Problem("digits", "x86-ort-1t", "constraint", latency_target_ms=2.0, budget=10)
    history = search(problem, "random-search", seed=0)
    (goal,) = history.goals
    fastest = problem.device.latency_ms(problem.space.all()).min()
    assert not history.met
    assert (goal.met, goal.possible, goal.least, goal.reached) == (False, False, fastest, 0)
    for text in (str(goal), repr(history), history._repr_html_()):
        assert f"the fastest takes {fastest:.4g} ms" in text


def test_a_target_that_could_be_met_is_told():
    problem = Problem("digits", "x86-ort-1t", "accuracy", constraints={"params": 2.0e6}, budget=3)
    problem.evaluate([[44, 44, 44]])
    (goal,) = problem.history.goals
    assert (goal.name, goal.met, goal.possible) == ("params", False, True)
    assert str(goal).startswith(
        "the limit of 2,000,000 on params was not met: the best architecture has 2,071"
    )
    problem = Problem(ToyBenchmark(), ToyDevice(), latency_target_ms=1e3, budget=1)
    problem.evaluate([[0, 0, 0]])
    assert problem.history.met
    assert "is met" in str(problem.history.goals[0])


def test_a_history_without_a_task_has_a_best_all_the_same():
    history, known = History(3), Problem(ToyBenchmark(), None, budget=2)
    trials = known.evaluate([[1, 2, 3]])
    history.append(trials, np.arange(1), 1, 0)
    assert history.best.architecture.tolist() == [1, 2, 3]
    assert history.goals == ()
    with pytest.raises(ValueError, match="does not know its space"):
        history.best.build()
    assert "none of them in full" in repr(History(3))
    with pytest.raises(ValueError, match="no full training"):
        assert History(3).best
