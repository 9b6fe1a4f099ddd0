"""Tournaments, mutants, and the network that chooses among them."""

import numpy as np
import pytest

pytest.importorskip("scipy")

from blox_env import Problem, SearchSpace
from blox_env.agents.npenas import NPENAS
from tests.toys import ToyBenchmark

SPACE = SearchSpace((5,) * 5)


def told(n, **options):
    agent, problem = NPENAS(**options), Problem(ToyBenchmark(SPACE), budget=400)
    agent.start(problem, np.random.default_rng(0))
    x = agent._random(n)
    agent.tell(x, problem.evaluate(x))
    return agent, problem


def test_what_is_asked_for_is_near_known_ones_and_new():
    agent, _ = told(60, slots=1, tournament=60, mutants=30)
    found = agent.ask(5)
    best = agent._seen()[np.argmax(agent._values[:, 0])]  # who wins every tournament of all
    assert ((found != best).sum(axis=1) == 1).all()
    assert len({tuple(row) for row in found.tolist()}) == 5


def test_what_is_asked_for_is_better_than_chance():
    agent, problem = told(200)
    asked = problem.peek(agent.ask(20)).reward.mean()
    assert asked > problem.peek(agent._random(200)).reward.mean()


def test_random_architectures_first():
    agent, _ = told(3, initial=10)
    assert len(agent.ask(20)) == 7
