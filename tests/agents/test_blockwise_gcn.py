import pytest

from blox_env import Problem, search
from tests.toys import ToyBenchmark

pytestmark = pytest.mark.extra


def test_what_the_network_chooses_is_better_than_what_was_drawn():
    problem = Problem(ToyBenchmark(), None, budget=53)
    history = search(problem, "blockwise-gcn", seed=0, options={"steps": 100})
    assert history.val_acc[20:].mean() > history.val_acc[:20].mean()
