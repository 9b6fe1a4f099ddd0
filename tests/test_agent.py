"""What search() and make_agent() check, and the loop of agents that ask and tell."""

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from blox_env import Agent, AskTellAgent, Problem, SearchSpace, search
from blox_env.agent import make_agent
from blox_env.problem.clock import Clock
from tests.toys import ToyBenchmark


def test_a_callback_is_told_and_may_end_the_search():
    told = []
    problem = Problem(ToyBenchmark(), None, budget=9)
    history = search(problem, "random-search", seed=0, callback=lambda p: told.append(p.spent))
    assert told == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert "benchmark toy; reward accuracy; 9 of 9 evaluations spent" in repr(problem)
    assert problem.watcher is None
    again = Problem(ToyBenchmark(), None, budget=9)
    ended = search(again, "random-search", seed=0, callback=lambda p: p.spent >= 4)
    np.testing.assert_array_equal(ended.x, history.x[:4])


class Counted(AskTellAgent):
    """Proposes architectures in order and notes what it is told."""

    def __init__(self, batch=2):
        self.batch, self.asked, self.told = batch, [], []

    def start(self, problem, rng):
        self.space, self.next = problem.space, 0

    def ask(self, n):
        self.asked.append(n)
        self.next += n
        return self.space.from_index(np.arange(self.next - n, self.next))

    def tell(self, x, trials):
        assert trials.evaluated.all()
        self.told.append(len(x))


def test_the_loop_asks_for_batches_and_tells_of_those_that_were_paid():
    agent, problem = Counted(batch=4), Problem(ToyBenchmark(), None, budget=10)
    history = search(problem, agent, seed=0)
    assert len(history) == 10
    assert agent.told == [4, 4]  # the last batch is cut by the budget, and the search over
    assert max(agent.asked) <= 4


def test_options_go_with_a_name():
    assert make_agent("random-search", {"batch": 3}).batch == 3
    agent = Counted()
    assert make_agent(agent) is agent
    with pytest.raises(ValueError, match="options go with an agent's name"):
        make_agent(agent, {"batch": 3})
    with pytest.raises(TypeError, match="must give an Agent"):
        make_agent("tests.toys:ToyBenchmark")


class Stuck(AskTellAgent):
    """Proposes the first architecture for ever, or sleeps when it is asked a second time."""

    def __init__(self, sleeps=False, trusting=True):
        self.sleeps, self.trusting, self.asked = sleeps, trusting, 0

    def start(self, problem, rng):
        self.problem = problem

    def ask(self, n):
        self.asked += 1
        if self.sleeps and self.asked > 3:
            time.sleep(60)
        if not self.trusting:
            while self.asked > 3:  # never looks at problem.done
                self.problem.evaluate(np.full((1, 3), self.asked % 45))
                self.asked += 1
        return np.full((1, self.problem.space.slots), self.asked - 1 if self.sleeps else 0)

    def tell(self, x, trials):
        pass


def test_a_search_ends_when_what_it_finds_no_more_is_all_that_is_left():
    problem = Problem(ToyBenchmark(SearchSpace((4, 4, 4))), budget=10**6)
    assert problem.max_queries == 20 * 64
    history = search(problem, Stuck(), seed=0)
    assert (len(history), problem.queries) == (1, 20 * 64)
    assert history.ended == "max_queries is reached"
    problem = Problem(ToyBenchmark(SearchSpace((4, 4, 4))), budget=10**6)
    history = search(problem, "random-search", seed=0)
    assert (len(history), history.ended) == (64, "every architecture is known")


@pytest.mark.parametrize("options", [{"sleeps": True}, {"trusting": False}, {}])
def test_a_search_ends_in_time_with_what_it_has(options):
    problem = Problem(ToyBenchmark(), budget=10**6, max_queries=10**9)
    began = time.monotonic()
    history = search(problem, Stuck(**options), seed=0, time_limit_s=0.8)
    assert 0.8 <= time.monotonic() - began < 10
    assert history.ended == "the time limit is over"
    assert len(history) >= 1
    assert problem.spent == len(history)
    assert problem.done
    assert not problem.evaluate([[9, 9, 9]]).evaluated.any()


def test_an_alarm_after_the_search_ends_nothing(monkeypatch):
    class Alarmed(threading.Event):
        def set(self):
            super().set()
            signal.raise_signal(signal.SIGALRM)  # between the end of the search and the context's

    problem = Problem(ToyBenchmark(), budget=5)
    monkeypatch.setattr("blox_env.agent.threading.Event", Alarmed)
    history = search(problem, "random-search", seed=0, time_limit_s=60)
    assert len(history) == 5
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_the_time_limit_waits_for_an_evaluation_that_is_under_way(monkeypatch):
    class Slow(ToyBenchmark):
        def evaluate(self, x, **arguments):
            time.sleep(1.2 if self.calls else 0)
            return super().evaluate(x, **arguments)

    problem = Problem(Slow(), budget=10**6)
    history = search(problem, Counted(batch=1), seed=0, time_limit_s=0.6)
    assert (len(history), problem.spent, problem.queries) == (2, 2.0, 2)


def test_other_threads_end_in_time_where_the_agent_looks():
    problem = Problem(ToyBenchmark(), budget=10**6, max_queries=10**9)
    with ThreadPoolExecutor(1) as pool:
        history = pool.submit(search, problem, Stuck(), seed=0, time_limit_s=0.6).result()
    assert history.ended == "the time limit is over"


def test_why_a_search_ended():
    assert search(Problem(ToyBenchmark(), budget=3), Counted(), seed=0).ended == (
        "the budget is spent"
    )
    timed = Problem(ToyBenchmark(), budget=300, clock=Clock(hours=0.1))
    assert search(timed, Counted(), seed=0).ended == "the simulated time is over"

    class Leaver(Agent):
        def search(self, problem, *, seed):
            problem.evaluate([[1, 2, 3]])

    assert search(Problem(ToyBenchmark(), budget=3), Leaver(), seed=0).ended == "the agent stopped"


@pytest.mark.parametrize("limit", [0, -1.0, float("nan"), float("inf")])
def test_time_limits_that_are_none(limit):
    with pytest.raises(ValueError, match="time_limit_s must be above 0 and finite"):
        search(Problem(ToyBenchmark(), budget=3), Counted(), seed=0, time_limit_s=limit)


def test_an_error_of_the_agent_is_not_taken_for_the_end_of_its_time():
    class Failing(Agent):
        def search(self, problem, *, seed):
            raise TimeoutError("nobody answers")

    with pytest.raises(TimeoutError, match="nobody answers"):
        search(Problem(ToyBenchmark(), budget=3), Failing(), seed=0, time_limit_s=5)
