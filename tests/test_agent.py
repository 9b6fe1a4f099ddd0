"""What search() and make_agent() check, and the loop of agents that ask and tell."""

import numpy as np
import pytest

from blox_env import AskTellAgent, Problem, search
from blox_env.agent import make_agent
from tests.toys import ToyBenchmark


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
    agent, problem = Counted(batch=4), Problem(ToyBenchmark(), budget=10)
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
