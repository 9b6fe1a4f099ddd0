"""What is known is kept once; pools hold what is not."""

import numpy as np
import pytest

from blox_env import BloxSpace, Problem, SearchSpace
from blox_env.agents._model_based import ModelBased, clip_level, model_features
from tests.toys import ToyBenchmark, huge_space


class Random(ModelBased):
    name = "random"

    def _propose(self, n):
        return self._random(n)


def started(space):
    agent, problem = Random(), Problem(ToyBenchmark(space), budget=100)
    agent.start(problem, np.random.default_rng(0))
    return agent, problem


@pytest.mark.parametrize("space", [SearchSpace((4, 4, 4)), huge_space()])
def test_nothing_is_proposed_twice(space):
    agent, problem = started(space)
    asked = agent.ask(10)
    agent.tell(asked[:5], problem.evaluate(asked[:5]))
    more = agent.ask(20)
    rows = np.concatenate([asked, more])
    assert len(np.unique(rows, axis=0)) == 30
    pool = {tuple(row) for row in agent._pool(200).tolist()}
    assert pool
    assert not pool & set(map(tuple, rows.tolist()))


def test_values_stay_beside_their_rows():
    agent, problem = started(SearchSpace((4, 4, 4)))
    x = agent.ask(6)
    agent.tell(x, problem.evaluate(x))
    agent.tell(x[::-1], problem.evaluate(x[::-1]))  # known already
    np.testing.assert_array_equal(agent._seen(), x)
    np.testing.assert_array_equal(agent._values[:, 0], problem.peek(x).reward)


def test_clip_level_by_hand():
    assert clip_level(np.array([0.0, 1.0, 2.0])) == pytest.approx(-1.0)


def test_features_are_those_of_operations_where_there_are_any():
    x = np.array([[1, 2, 3]])
    blox, plain = BloxSpace(), SearchSpace((4, 4, 4))
    np.testing.assert_array_equal(model_features(blox, x), blox.features(x, "ops"))
    np.testing.assert_array_equal(model_features(plain, x), plain.features(x, "onehot"))
