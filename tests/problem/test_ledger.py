"""The account of a search, beside what test_problem.py reads plainly."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from blox_env import Problem, SearchSpace
from blox_env.problem.candidates import Candidates
from blox_env.problem.clock import Clock
from blox_env.problem.ledger import Ledger
from tests.toys import ToyBenchmark, ToyDevice

SPACE = SearchSpace((30, 30))


def shared(**arguments):
    return Problem(ToyBenchmark(SPACE), ToyDevice(SPACE), **arguments)


def test_threads_share_one_account():
    problem = shared(budget=400, max_queries=10**6)
    rows = SPACE.all()

    def work(seed):
        order = np.random.default_rng(seed).permutation(len(rows))
        return sum(int(problem.evaluate(rows[i : i + 1]).new.sum()) for i in order)

    with ThreadPoolExecutor(4) as pool:
        paid = sum(pool.map(work, range(4)))
    assert paid == problem.spent == len(problem.history) == 400
    assert len(np.unique(problem.history.x, axis=0)) == 400


def test_a_training_that_is_continued_or_asked_for_shorter_is_recorded_once():
    problem = shared(budget=5)
    for epochs in (3, 3, 10, 3, 5, 5, 10, 7):
        problem.evaluate([[1, 2]], epochs=epochs)
    assert problem.history.epochs.tolist() == [3, 10, 5, 7]
    assert problem.spent == pytest.approx(1.0)


def test_a_copy_has_an_account_of_its_own():
    problem = shared(budget=5)
    problem.evaluate([[0, 0]])
    other = copy.deepcopy(problem)
    other.evaluate([[1, 1]])
    assert (problem.spent, other.spent) == (1.0, 2.0)
    assert other.task is problem.task


def test_other_processes_get_no_copy_of_an_account():
    with pytest.raises(TypeError, match="cannot be used in another process"):
        pickle.dumps(shared(budget=5))
    sent = pickle.loads(pickle.dumps(Problem("digits", "x86-ort-1t", "tunas", keep=False)))
    here = Problem("digits", "x86-ort-1t", "tunas", keep=False)
    assert sent.peek([[1, 2, 3]]).reward.tolist() == here.peek([[1, 2, 3]]).reward.tolist()
    assert len(pickle.dumps(here)) < 5000


def test_nothing_is_spent_by_a_request():
    ledger = Ledger(Candidates(SearchSpace((30, 30))), 10, budget=1)
    asked = ledger.request([7, 8, 7], 10)
    assert asked.evaluated.tolist() == [True, False, True]
    assert asked.cost.tolist() == [1.0, 0.0, 0.0]
    assert (ledger.spent, ledger.queries, len(ledger.history)) == (0.0, 0, 0)


def test_a_fork_cannot_spend_the_budget_once_more(monkeypatch):
    problem = shared(budget=5)
    problem.evaluate([[0, 0]])
    monkeypatch.setattr("blox_env.problem.ledger.os.getpid", lambda: -1)
    with pytest.raises(RuntimeError, match="cannot be used in another process"):
        problem.evaluate([[1, 1]])
    assert problem.spent == 1.0


def test_what_is_charged_is_spent_at_once_and_shown_with_the_next_trial():
    problem = shared(budget=12, clock=Clock(4))
    problem.evaluate([[0, 0]])
    problem.charge(3, 120.0)
    problem.charge(2, 40.0)
    assert problem.spent == 6
    assert len(problem.history) == 1
    problem.evaluate([[0, 0]])  # known and free
    assert problem.evaluate([[1, 1], [2, 2]]).cost.tolist() == [1, 1]  # what they cost themselves
    assert problem.history.train_time_s.tolist() == [60, 220, 60]
    assert problem.history.column("cost").tolist() == [1, 6, 1]
    assert problem.spent == problem.history.column("cost").sum() == 8
    when = problem.clock.schedule()
    assert when.start_s.tolist() == [0, 100, 100]  # four workers shared the 160 seconds
    assert when.end_s.tolist() == [60, 160, 160]


def test_a_budget_that_does_not_pay_for_a_charge():
    problem = shared(budget=5)
    problem.charge(0, 0.0)
    problem.charge(4, 1.0)
    with pytest.raises(ValueError, match="budget of 5 full trainings, 4 of them spent, does not"):
        problem.charge(1, 1.0)
    assert problem.spent == 4
    problem.evaluate([[1, 1]])
    assert problem.done
    Problem(ToyBenchmark(SPACE), ToyDevice(SPACE), keep=False).charge(3, 1.0)  # keeps no account
