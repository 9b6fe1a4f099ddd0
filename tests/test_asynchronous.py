"""Ask/tell agents on simulated workers."""

from dataclasses import replace

import numpy as np
import pytest

from blox_env import AskTellAgent, Problem, SearchSpace, search
from blox_env.problem.clock import Clock
from tests.agents.test_contract import AGENTS, BLOCKWISE, SPACES
from tests.toys import ToyBenchmark, ToyDevice

SPACE = SearchSpace((10, 3))


class Timed(ToyBenchmark):
    """A training takes as many seconds as the first slot says, and one more."""

    epochs = 1

    def evaluate(self, x, **arguments):
        value = super().evaluate(x, **arguments)
        return replace(value, train_time_s=1.0 + self.space.check(x)[:, 0])


class Diary(AskTellAgent):
    """Proposes what it is given and writes down what it is asked for and told of."""

    def __init__(self, proposals, batch=1):
        self.proposals, self.batch = list(proposals), batch

    def start(self, problem, rng):
        self.diary, self.clock = [], problem.clock

    def ask(self, n):
        given, self.proposals = self.proposals[:n], self.proposals[n:]
        self.diary.append((self.clock.free_s, "ask", n))
        return np.array(given, dtype=np.int64).reshape(-1, 2)

    def tell(self, x, trials):
        assert trials.x.tolist() == x.tolist()
        self.diary += [(self.clock.free_s, "tell", *row) for row in x.tolist()]


def problem(workers, budget=5, hours=None, **arguments):
    return Problem(Timed(SPACE), budget=budget, clock=Clock(workers, hours), **arguments)


def test_told_in_order_of_completion_and_asked_when_a_worker_is_free():
    agent, p = Diary([[4, 0], [1, 0], [0, 0], [3, 0], [2, 0]]), problem(2)
    history = search(p, agent, seed=0)
    when = p.clock.schedule()
    # 0-5 on 0; 0-2, 2-3, 3-7 on 1; then 5-8 on 0
    assert when.start_s.tolist() == [0, 0, 2, 3, 5]
    assert when.end_s.tolist() == [5, 2, 3, 7, 8]
    assert when.worker.tolist() == [0, 1, 1, 1, 0]
    assert history.x[:, 0].tolist() == [4, 1, 0, 3, 2]
    assert agent.diary == [
        (0, "ask", 1),
        (0, "ask", 1),
        (2, "tell", 1, 0),
        (2, "ask", 1),
        (3, "tell", 0, 0),
        (3, "ask", 1),
        (5, "tell", 4, 0),
        (5, "ask", 1),
    ]


def test_all_that_end_at_once_are_told_before_the_next_question():
    agent, p = Diary([[2, 0], [2, 1], [0, 0], [0, 1]]), problem(2, budget=4)
    search(p, agent, seed=0)
    assert [entry[1] for entry in agent.diary] == ["ask", "ask", "tell", "tell", "ask", "ask"]


def test_a_batch_is_handed_out_one_by_one():
    agent, p = Diary([[4, 0], [1, 0], [0, 0], [3, 0]], batch=2), problem(2, budget=4)
    search(p, agent, seed=0)
    assert [entry[:2] for entry in agent.diary] == [
        (0, "ask"),
        (2, "tell"),
        (2, "ask"),
        (3, "tell"),
    ]


def test_known_architectures_take_no_time_and_pending_ones_are_waited_for():
    agent = Diary([[4, 0], [1, 0], [1, 0], [4, 0], [2, 0]])
    p = problem(2, budget=3)
    history = search(p, agent, seed=0)
    # at 2 worker 1 is told of (1, 0) again at once, then waits for worker 0's (4, 0) until 5
    assert agent.diary[2:] == [
        (2, "tell", 1, 0),
        (2, "ask", 1),
        (2, "tell", 1, 0),
        (2, "ask", 1),
        (5, "tell", 4, 0),
        (5, "tell", 4, 0),
        (5, "ask", 1),
    ]
    assert p.clock.schedule().start_s.tolist() == [0, 0, 5]
    assert len(history) == 3
    assert p.queries == 5


def test_who_proposes_nothing_waits_for_what_is_pending():
    class Shy(Diary):
        def ask(self, n):
            pending = len(self.diary) - 2 * sum(entry[1] == "tell" for entry in self.diary)
            return super().ask(n) if not pending else np.empty((0, 2), np.int64)

    p = problem(3, budget=3)
    search(p, Shy([[4, 0], [1, 0], [0, 0]]), seed=0)
    assert p.clock.schedule().start_s.tolist() == [0, 5, 7]
    with pytest.raises(RuntimeError, match="Diary proposes nothing, and nothing is pending"):
        search(problem(3), Diary([[4, 0]]), seed=0)


def test_the_limit_of_time_cuts_off_what_would_end_later():
    agent, p = Diary([[4, 0], [1, 0], [5, 0], [0, 0], [2, 0]]), problem(2, hours=6 / 3600)
    history = search(p, agent, seed=0)
    # (5, 0) from 2 to 8 is cut off at 6, (0, 0) from 5 to 6 is not; then nobody has time left
    assert history.x[:, 0].tolist() == [4, 1, 0]
    assert p.done
    assert p.spent == 3
    assert p.clock.schedule().end_s.tolist() == [5, 2, 6]


def test_batches_of_others_are_calls():
    p = problem(2, budget=6)
    p.evaluate([[4, 0], [1, 0], [1, 0], [0, 0]])
    p.evaluate([[2, 0], [4, 0], [3, 0]])
    when = p.clock.schedule()
    assert when.start_s.tolist() == [0, 0, 2, 5, 5]
    assert when.end_s.tolist() == [5, 2, 3, 8, 9]
    assert len(p.clock.recorded) == len(p.history) == 5


def test_going_on_with_a_training_takes_the_rest_of_its_time():
    p = Problem(ToyBenchmark(), None, budget=5, clock=Clock(2))
    p.evaluate([[0, 0, 0], [1, 1, 1]], epochs=3)
    p.evaluate([[0, 0, 0]], epochs=10)
    p.evaluate([[0, 0, 0]], epochs=5)  # known from the longer one
    assert p.clock.schedule().start_s.tolist() == [0, 0, 18, 60]
    assert p.clock.schedule().end_s.tolist() == [18, 18, 60, 60]


def test_the_limit_cuts_off_calls_too():
    p = problem(2, budget=9, hours=6 / 3600)
    trials = p.evaluate([[3, 0], [1, 0], [4, 0], [1, 0], [4, 0], [0, 0]])
    # 0-4 and 0-2; (4, 0) would be 2-7; (0, 0) 4-5
    assert trials.evaluated.tolist() == [True, True, False, True, False, True]
    assert np.isnan(trials.reward[2])
    assert p.spent == 3
    assert p.done


def uneven(space, workers, **arguments):
    class Uneven(ToyBenchmark):
        def evaluate(self, x, **more):
            value = super().evaluate(x, **more)
            return replace(value, train_time_s=value.train_time_s * (1 + value.val_acc))

    clock = None if workers is None else Clock(workers)
    return Problem(Uneven(space), ToyDevice(space), budget=40, clock=clock, **arguments)


@pytest.mark.parametrize("agent", AGENTS)
@pytest.mark.parametrize("space", ["blox", "small"])
def test_every_agent_copes_with_pending_proposals(agent, space):
    if agent in BLOCKWISE and space != "blox":
        pytest.skip("no blocks were distilled for it")
    for workers in (3, 16):
        p = uneven(SPACES[space], workers)
        history = search(p, agent, seed=0)
        assert p.done
        full = history.epochs == p.benchmark.epochs
        assert 0 < full.sum() <= p.spent + 1e-9
        if p.queries < p.max_queries and full.sum() == len(history):
            blocks = p.spent - full.sum()  # what learning of blocks cost, in trainings
            assert 0 < blocks <= 6 if agent in BLOCKWISE else blocks == 0
            assert p.spent == min(40, p.space.size)
        when = p.clock.schedule()
        assert len(when.end_s) == len(history)
        took, charged = when.end_s - when.start_s, history.train_time_s
        if agent in BLOCKWISE:  # what blocks took is charged to a trial, but shared by all workers
            assert (took <= charged + 1e-6).all()
            assert 0 < (~np.isclose(took, charged)).sum() <= 2
        else:
            assert np.allclose(took, charged)
        again = uneven(SPACES[space], workers)
        assert search(again, agent, seed=0).x.tolist() == history.x.tolist()


@pytest.mark.parametrize("agent", AGENTS)
def test_one_worker_changes_nothing(agent):
    p = uneven(None, 1)
    history = search(p, agent, seed=0)
    assert history.x.tolist() == search(uneven(None, None), agent, seed=0).x.tolist()
    assert np.array_equal(p.clock.schedule().end_s, np.cumsum(history.train_time_s))


@pytest.mark.extra
@pytest.mark.parametrize("agent", ["gp-bo", "bananas", "brp-nas", "tpe", "nsga2", "local-search"])
def test_what_is_pending_is_not_proposed_again(agent):
    p = uneven(None, 16)
    search(p, agent, seed=0)
    assert p.queries == 40
    when = p.clock.schedule()
    busy = (when.end_s - when.start_s).sum() / (16 * when.end_s.max())
    assert busy > 0.6  # 40 trainings of about equal length: three rounds, the last half empty


def test_trainings_in_part_start_side_by_side():
    p = uneven(None, 9)
    search(p, "successive-halving", seed=0)
    when = p.clock.schedule()
    assert (when.start_s == 0).sum() == 9
