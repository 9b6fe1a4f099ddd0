"""Scores beside their ceilings, on numbers whose answers are known."""

import numpy as np
import pytest

from blox_env.benchmarks.base import Evaluation
from blox_env.benchmarks.scoring import fresh_scores, scores
from blox_env.benchmarks.trainings import Trainings
from blox_env.spaces import BloxSpace

pytestmark = pytest.mark.extra


def test_scores_by_hand():
    good = scores(np.arange(5.0), np.arange(5.0), np.ones(5), np.zeros(5))
    assert [good[k] for k in ("r2", "kendall_tau", "spearman")] == pytest.approx([1, 1, 1])
    assert good["mean_absolute_error"] == good["bias"] == 0.0
    # the two that differ by less than 0.1 % become a tie and no longer count as ordered
    truth, near = np.array([0.1, 0.2, 0.3]), np.array([0.1, 0.20001, 0.20002])
    assert scores(truth, near, np.ones(3), np.ones(3))["sparse_kendall_tau"] < 1.0


def test_bias_is_prediction_minus_truth_and_lowers_r2():
    truth = np.array([0.1, 0.2, 0.3, 0.4])
    high = scores(truth, truth + 0.05, np.full(4, 0.01), np.zeros(4))
    assert high["bias"] == pytest.approx(0.05)
    assert high["r2"] == pytest.approx(1 - 4 * 0.05**2 / 0.05)
    assert high["coverage_95"] == 0.0


def test_a_perfect_table_reaches_the_ceiling_and_its_intervals_hold():
    rng = np.random.default_rng(0)
    true, noise = rng.normal(0.6, 0.05, 4000), rng.uniform(0.01, 0.04, 4000)
    seen = true + noise * rng.normal(size=4000)
    answer = scores(seen, true, np.zeros(4000), noise**2)
    assert answer["r2"] == pytest.approx(answer["r2_ceiling"], abs=0.02)
    for level in (50, 80, 95):
        assert answer[f"coverage_{level}"] == pytest.approx(level / 100, abs=0.03)


def common(shift, shared, n=40, seed=0):
    """Residuals of ``n`` architectures trained three times, with three seeds or one a training."""
    from blox_env.benchmarks.scoring import _common_part

    rng = np.random.default_rng(seed)
    seeds = np.repeat(np.arange(3), n) if shared else np.arange(3 * n)
    effect = rng.normal(0, shift, 3 * n)[seeds]
    return _common_part(effect + rng.normal(0, 0.01, 3 * n), seeds)


def test_what_trainings_with_one_seed_share_is_found():
    found = [common(0.02, shared=True, seed=seed) for seed in range(200)]
    assert all(share == pytest.approx(3**-0.5) for _, share in found)
    mean_square = np.mean([std**2 for std, _ in found])
    assert 0.7 < mean_square / 0.02**2 < 1.3


def test_seeds_of_their_own_share_nothing():
    assert common(0.02, shared=False) == (0.0, 0.0)
    none = [common(0.0, shared=True, seed=seed)[0] for seed in range(200)]
    assert np.mean(np.square(none)) < 0.002**2


class WithoutNoise:
    """A table that knows accuracies and has measured no noise."""

    def evaluate(self, x):
        nothing = np.zeros(len(x))
        source = np.full(len(x), "surrogate")
        return Evaluation(np.linspace(0.49, 0.51, len(x)), nothing, nothing, nothing, source)

    def noise_variance(self, accuracy):
        return np.full(len(accuracy), np.nan)


@pytest.mark.parametrize("repeats", [1, 2])
def test_where_a_table_has_no_noise_later_trainings_tell_it(repeats):
    rng = np.random.default_rng(0)
    x = np.repeat(BloxSpace().sample(rng, 200), repeats, axis=0)
    n = len(x)
    values = 0.5 + 0.02 * rng.normal(size=n)
    raw = Trainings(
        {}, x, np.arange(n), values[:, None], values, np.ones(n), np.full(n, "uniform"),
        np.full(n, "here"),
    )  # fmt: skip
    found = fresh_scores(raw, WithoutNoise())
    # one training of each says nothing about noise: then all of the difference is the table's
    expected = 0.02 if repeats > 1 else 0.0
    assert found["std_of_one_training"] == pytest.approx(expected, rel=0.1)
    assert found["bias"] == pytest.approx(0, abs=0.004)
