"""Architectures and their numbers."""

import numpy as np
import pytest

from blox_env import Problem, SearchSpace
from tests.toys import ToyBenchmark

jax = pytest.importorskip("jax")

from blox_env.jax.environment import of_problem


def test_numbers_are_those_of_the_space():
    space = SearchSpace((4, 1, 3, 5))
    env = of_problem(Problem(ToyBenchmark(space), None))
    rows, moves = space.all(), env.moves
    assert np.array_equal(jax.vmap(moves.index)(rows), space.index(rows))
    assert np.array_equal(jax.vmap(moves.row)(space.index(rows)), rows)
    cells = moves.cells(rows[7], env.default_params)
    assert np.array_equal(env.default_params.option[cells], rows[7])
