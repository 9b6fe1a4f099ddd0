"""Selection of a front, offspring that are new."""

import numpy as np
import pytest

pytest.importorskip("pymoo")

from blox_env import Problem, SearchSpace, search
from blox_env.agents.nsga2 import NSGA2
from tests.toys import ToyBenchmark, ToyDevice


def test_the_front_survives_and_offspring_are_new():
    problem = Problem(ToyBenchmark(), ToyDevice(), budget=200, objectives=("val_acc", "latency_ms"))
    agent = NSGA2(population=10)
    agent.start(problem, np.random.default_rng(0))
    made = set()
    for _ in range(8):
        x = agent.ask(10)
        rows = set(map(tuple, x.tolist()))
        assert len(rows) == 10
        assert not rows & made
        made |= rows
        agent.tell(x, problem.evaluate(x))
    values = problem.values(problem.peek(np.array(sorted(made))))
    survivors = {tuple(row) for row in agent._algorithm.pop.get("X").tolist()}
    for row, value in zip(sorted(made), values, strict=True):
        dominated = ((values >= value).all(axis=1) & (values > value).any(axis=1)).any()
        assert dominated or row in survivors


def test_a_space_is_searched_to_its_end():
    space = SearchSpace((4, 4, 4))
    problem = Problem(ToyBenchmark(space), ToyDevice(space), budget=10**6)
    search(problem, NSGA2(population=10), seed=0)
    assert problem.spent == space.size
