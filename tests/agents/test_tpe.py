"""Random startup, then draws from the density of the good."""

import numpy as np
import pytest

pytest.importorskip("optuna")

from blox_env import Problem, SearchSpace
from blox_env.agents.tpe import TPE
from tests.toys import ToyBenchmark


def test_proposals_after_the_startup_are_better_than_random_ones():
    space = SearchSpace((6,) * 4)
    problem = Problem(ToyBenchmark(space), budget=60)
    agent = TPE(startup=20)
    agent.start(problem, np.random.default_rng(0))
    while not problem.done:
        x = agent.ask(1)
        agent.tell(x, problem.evaluate(x))
    reward = problem.history.reward
    assert reward[20:].mean() > reward[:20].mean()


def test_a_trial_that_it_did_not_propose_is_learned_too():
    problem = Problem(ToyBenchmark(), None, budget=20)
    agent = TPE()
    agent.start(problem, np.random.default_rng(0))
    x = np.array([[3, 1, 2], [4, 4, 4]])
    agent.tell(x, problem.evaluate(x))
    assert [t.values for t in agent._study.trials] == [[v] for v in problem.history.reward]
