"""Tables are the numpy environment's answers, and say what is not known."""

import numpy as np
import pytest

from blox_env import Problem, SearchSpace
from tests.toys import PartBenchmark, ToyDevice

pytest.importorskip("jax")

from blox_env.jax.environment import of_problem


def test_what_is_not_known_is_nan_and_not_feasible():
    space = SearchSpace((4, 3, 5))
    some = space.from_index(np.arange(0, 60, 7))
    problem = Problem(PartBenchmark(space, some), ToyDevice(space), budget=9)
    params = of_problem(problem).default_params
    known = np.isin(np.arange(60), space.index(some))
    assert np.array_equal(np.asarray(params.feasible), known)
    for column in (params.known.reward, params.known.val_acc, params.known.latency_ms):
        assert np.array_equal(~np.isnan(column[0]), known)
    exact = problem.peek(some)
    assert np.asarray(params.known.reward)[0, known] == pytest.approx(exact.reward, rel=1e-6)
    assert problem.spent == problem.queries == 0
