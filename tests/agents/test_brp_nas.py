"""A ranking learned from pairs."""

import numpy as np
import pytest

pytest.importorskip("scipy")

from blox_env import Problem, SearchSpace
from blox_env.agents._model_based import model_features
from blox_env.agents.brp_nas import BRPNAS
from tests.toys import ToyBenchmark

SPACE = SearchSpace((5,) * 4)


def trained(**options):
    agent, problem = BRPNAS(**options), Problem(ToyBenchmark(SPACE), budget=400)
    agent.start(problem, np.random.default_rng(0))
    x = agent._random(120)
    agent.tell(x, problem.evaluate(x))
    return agent, problem


def test_the_ranking_is_that_of_the_truth_mostly():
    agent, problem = trained()
    agent._train()
    rows = agent._random(150)
    score = agent._net(model_features(SPACE, rows))[0]
    truth = problem.peek(rows).reward
    agree = np.sign(score[:, None] - score) == np.sign(truth[:, None] - truth)
    assert agree.mean() > 0.7


def test_after_the_training_it_goes_down_its_ranking():
    agent, problem = trained(training=60)
    proposals = agent.ask(20)
    rest = agent._random(200)
    assert problem.peek(proposals).reward.mean() > problem.peek(rest).reward.mean()
