"""Aging and mutation of tournament winners."""

import numpy as np

from blox_env import Problem, SearchSpace
from blox_env.agents.regularized_evolution import RegularizedEvolution
from tests.toys import ToyBenchmark

SPACE = SearchSpace((5,) * 6)


def started(**options):
    agent, problem = RegularizedEvolution(**options), Problem(ToyBenchmark(SPACE), budget=500)
    agent.start(problem, np.random.default_rng(0))
    return agent, problem


def test_children_differ_from_a_member_in_one_slot():
    agent, problem = started(population=6, sample=6)
    first = agent.ask(6)
    agent.tell(first, problem.evaluate(first))
    best = first[np.argmax(problem.peek(first).reward)]
    children = agent.ask(20)
    assert ((children != best).sum(axis=1) == 1).all()  # the tournament holds all members


def test_the_oldest_is_forgotten_however_good():
    agent, problem = started(population=4, sample=4)
    rows = SPACE.from_index(np.arange(9))
    best = rows[np.argmax(problem.peek(rows).reward)]
    order = np.concatenate([best[None], rows[(rows != best).any(axis=1)]])
    for row in order:
        agent.tell(row[None], problem.evaluate(row[None]))
    assert tuple(best.tolist()) not in {member for member, _ in agent._members}
    assert len(agent._members) == 4
