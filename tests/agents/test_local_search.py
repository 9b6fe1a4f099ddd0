"""Hill climbing: neighbours of one place, and a restart at the top."""

import numpy as np
import pytest

from blox_env import Problem, SearchSpace, search
from blox_env.agents.local_search import LocalSearch
from tests.toys import ToyBenchmark

SPACE = SearchSpace((4,) * 5)


@pytest.mark.parametrize("neighbors", ["first", "all"])
def test_proposals_are_neighbours_of_a_place_that_only_improves(neighbors):
    agent, problem = LocalSearch(neighbors), Problem(ToyBenchmark(SPACE), budget=200)
    agent.start(problem, np.random.default_rng(3))
    row = agent.ask(1)
    agent.tell(row, problem.evaluate(row))
    heights = []
    while agent._here is not None and len(heights) < 60:
        here = np.array(agent._here)
        heights.append(problem.peek(here).reward[0])
        row = agent.ask(1)
        if agent._here is not None:
            assert (row[0] != here).sum() == 1
        agent.tell(row, problem.evaluate(row))
    assert np.all(np.diff(heights) >= 0)
    assert len(set(heights)) > 1


def test_it_begins_anew_at_a_local_optimum():
    history = search(Problem(ToyBenchmark(SPACE), budget=300), "local-search", seed=0)
    jumps = (history.x[1:] != history.x[:-1]).sum(axis=1)
    assert (jumps > 2).any()  # neighbours of one place differ in two slots at most
