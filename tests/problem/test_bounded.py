import numpy as np
import pytest

from blox_env import Problem, search
from blox_env.problem.bounded import BoundedCandidates
from blox_env.spaces import BloxXLSpace, DartsSpace
from tests.toys import ToyBenchmark

LIMITS = [{"params": 1e6}, {"params": 6e5, "macs": 1.0e8}]  # 7 in 10, and 2 in 1000


def candidates(limits, space=None):
    found = Problem(ToyBenchmark(space or DartsSpace()), None, constraints=limits).candidates
    assert isinstance(found, BoundedCandidates)
    return found


@pytest.mark.parametrize("limits", LIMITS)
def test_what_is_drawn_is_within(limits):
    found = candidates(limits)
    rows = found.sample(np.random.default_rng(0), 500)
    assert found.contains(rows).all()
    assert len(np.unique(rows, axis=0)) > 450
    np.testing.assert_array_equal(rows, found.sample(np.random.default_rng(0), 500))


def test_where_many_are_within_all_are_as_likely_as_in_the_space():
    found, space = candidates(LIMITS[0]), DartsSpace()
    every = space.sample(np.random.default_rng(1), 20_000)
    wanted = space.size_of("params", every[found.contains(every)]).mean()
    drawn = space.size_of("params", found.sample(np.random.default_rng(2), 20_000)).mean()
    assert abs(drawn - wanted) < 0.005 * wanted


def test_what_is_outside_is_moved_and_nothing_else():
    found = candidates(LIMITS[1])
    inside = found.sample(np.random.default_rng(0), 20)
    outside = DartsSpace().sample(np.random.default_rng(0), 20)
    both = np.concatenate([inside, outside])
    moved = found.nearest(both, np.random.default_rng(0))
    np.testing.assert_array_equal(moved[:20], inside)
    assert found.contains(moved).all()
    assert (moved[20:] == outside).any(axis=1).mean() > 0.5  # something of most is kept
    around = found.neighbors(inside[0])
    assert len(around) > 0
    assert found.contains(around).all()


@pytest.mark.parametrize(
    "agent", ["random-search", "regularized-evolution", "local-search", "simulated-annealing"]
)
def test_searches_keep_to_constraints_that_drawing_hardly_ever_meets(agent):
    limits = {"params": 4.2e6, "macs": 4.0e8, "memory_mb": 18.0}
    space = BloxXLSpace()
    problem = Problem(ToyBenchmark(space), None, constraints=limits, budget=20)
    assert not problem.constraints.within(space.sample(np.random.default_rng(0), 2000)).any()
    history = search(problem, agent, seed=0)
    assert len(history) == 20
    assert history.feasible.all()
    assert history.met


def test_what_nothing_keeps_to_is_an_error():
    with pytest.raises(ValueError, match="params must be at least the 392,426"):
        candidates({"params": 1e5})
