import pytest

from blox_env import Problem, search
from tests.toys import ToyBenchmark

pytestmark = pytest.mark.extra


def test_the_first_are_random_and_options_count():
    problem = Problem(ToyBenchmark(), None, budget=20)
    first = search(problem, "donna", seed=3, options={"initial": 8}).x[:8].tolist()
    other = Problem(ToyBenchmark(), None, budget=20)
    assert search(other, "donna", seed=3, options={"initial": 9}).x[:8].tolist() == first
