"""Descents through the tree, and what they go by."""

import numpy as np
import pytest

from blox_env import Problem, SearchSpace, search
from blox_env.agents.mcts import MCTS, _means
from tests.toys import ToyBenchmark

SPACE = SearchSpace((6,) * 5)


def asked(values, **options):
    """An agent that knows the values of these architectures, explores nothing."""
    agent = MCTS(**{"explore": 0.0, "initial": 1, **options})
    agent.start(Problem(ToyBenchmark(SPACE), budget=100), np.random.default_rng(0))
    agent._known = dict(values)
    return agent


def test_means_of_options():
    visits, means = _means(np.array([2, 0, 2]), np.array([1.0, 5.0, 3.0]), 4)
    assert visits.tolist() == [1, 0, 2, 0]
    assert means.tolist() == [5.0, 0.0, 2.0, 0.0]


def test_a_descent_puts_the_best_options_of_all_architectures_together():
    rng = np.random.default_rng(0)
    rows = SPACE.sample(rng, 300)
    worth = rng.normal(size=(5, 6))
    values = {tuple(r): float(worth[np.arange(5), r].sum()) for r in rows.tolist()}
    best = worth.argmax(axis=1)
    values.pop(tuple(best.tolist()), None)
    found = asked(values, reference=300).ask(1)[0]
    assert (found == best).sum() >= 4


def test_statistics_of_the_closest_ancestor_decide_what_goes_with_what():
    values, rng = {}, np.random.default_rng(0)
    for row in SPACE.sample(
        rng, 400
    ).tolist():  # 1 is good after an even option, 2 after an odd one
        values[tuple(row)] = float(row[1] == 1 + row[0] % 2) + 0.5 * (row[0] == 3)
    near = asked(values, reference=20).ask(1)[0]
    assert near[:2].tolist() == [3, 2]
    values = {row: value - 2 * (row[0] == 3) for row, value in values.items()}
    near = asked(values, reference=20).ask(1)[0]
    assert near[1] == 1 + near[0] % 2


def test_it_asks_for_nothing_twice_and_for_all_of_a_small_space():
    space = SearchSpace((3, 3, 3))
    history = search(Problem(ToyBenchmark(space), budget=27), "mcts", seed=0)
    assert len({tuple(row) for row in history.x.tolist()}) == 27
    agent = asked({(0, 0, 0, 0, 0): 1.0, (1, 1, 1, 1, 1): 0.0})
    batch = agent.ask(8)
    assert len({tuple(row) for row in batch.tolist()}) == 8


@pytest.mark.parametrize("name", ["explore", "bias"])
def test_impossible_options(name):
    with pytest.raises(ValueError, match=name):
        MCTS(**{name: -1.0})
