"""Predictions of an ensemble, mutants of the best."""

import numpy as np
import pytest

pytest.importorskip("scipy")

from blox_env import Problem, SearchSpace
from blox_env.agents.bananas import BANANAS
from tests.toys import ToyBenchmark

SPACE = SearchSpace((5,) * 5)


def trained(n=60, **options):
    agent, problem = BANANAS(**options), Problem(ToyBenchmark(SPACE), budget=400)
    agent.start(problem, np.random.default_rng(0))
    x = agent._random(n)
    agent.tell(x, problem.evaluate(x))
    agent._train()
    return agent, problem


def test_mutants_are_near_the_best_and_new():
    agent, _ = trained(parents=3, slots=2)
    best = agent._seen()[np.argsort(-agent._values[:, 0])[:3]]
    mutants = agent._mutants(best, 100, 2)
    distance = (mutants[:, None] != best[None]).sum(axis=2).min(axis=1)
    assert set(distance.tolist()) <= {1, 2}
    known = set(map(tuple, agent._seen().tolist()))
    assert not known & set(map(tuple, mutants.tolist()))


def test_predictions_follow_the_truth():
    agent, problem = trained(200)
    from blox_env.agents._model_based import model_features

    rows = agent._random(200)
    predicted = agent._nets(model_features(SPACE, rows)).mean(axis=0)
    assert np.corrcoef(predicted, problem.peek(rows).reward)[0, 1] > 0.6
