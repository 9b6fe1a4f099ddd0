"""The density ratio of BOHB."""

import numpy as np
import pytest

from blox_env import Problem, SearchSpace
from blox_env.agents.bohb import BOHB
from blox_env.agents.successive_halving import Trainings
from tests.toys import ToyBenchmark

SPACE = SearchSpace((4, 3, 5))
OPTIONS = np.array(SPACE.options)


def test_densities_sum_to_one_over_the_space():
    agent = BOHB()
    centres = SPACE.sample(np.random.default_rng(0), 7)
    density = agent._density(SPACE.all(), centres, OPTIONS)
    assert density.sum() == pytest.approx(1.0)
    assert density.min() > 0


def test_proposals_resemble_the_good_ones():
    agent = BOHB(random_fraction=0.0)
    trainings = Trainings(Problem(ToyBenchmark(SPACE), budget=50), np.random.default_rng(0))
    good = [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0)]
    bad = [(3, 2, 4), (3, 2, 3), (3, 1, 4), (2, 2, 4), (2, 2, 3), (2, 1, 4)]
    trainings.values[10] = dict.fromkeys(good, 1.0) | dict.fromkeys(bad, 0.0)
    proposals = np.array([agent.propose(trainings) for _ in range(20)])
    distance = [np.abs(proposals - np.array(rows).mean(axis=0)).sum(axis=1) for rows in (good, bad)]
    assert (distance[0] < distance[1]).all()


def test_too_few_trainings_are_no_model():
    agent = BOHB(random_fraction=0.0)
    trainings = Trainings(Problem(ToyBenchmark(SPACE), budget=50), np.random.default_rng(0))
    trainings.values[10] = {(0, 0, 0): 1.0}
    assert len({agent.propose(trainings) for _ in range(30)}) > 10  # random ones
