"""Brackets: how long is trained, how many go on, and that their cost is paid."""

import numpy as np
import pytest

from blox_env import Problem
from blox_env.agents.successive_halving import Trainings, check_eta, epoch_levels
from tests.toys import ToyBenchmark


@pytest.mark.parametrize(
    ("full", "eta", "shortest", "levels"),
    [(27, 3, 1, [1, 3, 9, 27]), (10, 3, 1, [1, 3, 10]), (10, 2, 4, [5, 10]), (5, 3, 9, [5])],
)
def test_levels(full, eta, shortest, levels):
    assert epoch_levels(full, eta, shortest) == levels


def test_the_best_third_of_each_level_goes_on():
    problem = Problem(ToyBenchmark(), None, budget=100)
    trainings = Trainings(problem, np.random.default_rng(0))
    trainings.halve(trainings.fresh, 9, [1, 3, 10], 3.0)
    counts = {level: len(values) for level, values in trainings.values.items()}
    assert counts == {1: 9, 3: 3, 10: 1}
    best = sorted(trainings.values[1], key=trainings.values[1].__getitem__, reverse=True)
    assert set(trainings.values[3]) == set(best[:3])
    assert problem.spent == pytest.approx((9 * 1 + 3 * 2 + 1 * 7) / 10)


@pytest.mark.parametrize("eta", [1, 0.5, float("inf"), float("nan")])
def test_eta_has_to_halve(eta):
    with pytest.raises(ValueError, match="eta must be above 1"):
        check_eta(eta)
