"""Cards of benchmarks: what they say beyond the figures they are given."""

import numpy as np
import pytest

from blox_env.benchmarks.card import of_means


@pytest.mark.parametrize("trainings", [1, 2, 3])
def test_means_of_several_trainings_agree_as_said(trainings):
    rng = np.random.default_rng(0)
    between = rng.normal(size=(20_000, 1))
    one, two = (between + 1.5 * rng.normal(size=(20_000, trainings)) for _ in range(2))
    agree = np.corrcoef(one.mean(axis=1), two.mean(axis=1))[0, 1]
    assert of_means(1 / (1 + 1.5**2), trainings) == pytest.approx(agree, abs=0.02)
