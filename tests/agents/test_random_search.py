"""Uniform draws, whatever the batch."""

import numpy as np

from blox_env import Problem, SearchSpace, search
from tests.toys import ToyBenchmark


def test_results_do_not_depend_on_the_batch():
    histories = [
        search(
            Problem(ToyBenchmark(), None, budget=30), "random-search", seed=1, options={"batch": n}
        )
        for n in (1, 7)
    ]
    np.testing.assert_array_equal(histories[0].x, histories[1].x)


def test_every_architecture_of_a_small_space_is_found():
    space = SearchSpace((3, 2, 2))
    history = search(Problem(ToyBenchmark(space), budget=12), "random-search", seed=0)
    assert len(np.unique(history.x, axis=0)) == space.size
