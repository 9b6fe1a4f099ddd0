import numpy as np
import pytest

from blox_env import load_benchmark
from blox_env.benchmarks.embedded import FOLDER
from blox_env.benchmarks.noise import Noise, mix

DIGITS = load_benchmark("digits")


SPACE = DIGITS.space


def test_drawn_noise_is_as_large_as_measured():
    x = SPACE.sample(np.random.default_rng(1), 4000)
    mean = DIGITS.evaluate(x)
    drawn = DIGITS.evaluate(x, seed=11)
    table = np.load(FOLDER / "digits" / "noise.npy")
    deviation = drawn.val_acc - mean.val_acc
    assert abs(deviation.mean()) < 4 * deviation.std() / np.sqrt(4000)
    # the architectures drawn here are better on average than those repeated, so only roughly
    assert 0.5 < deviation.std() / table[:, DIGITS.epochs].std() < 2
    # a good draw on validation is, as in real trainings, a good one on test
    assert np.corrcoef(deviation, drawn.test_acc - mean.test_acc)[0, 1] > 0.3


def test_noise_depends_on_architecture_and_seed_only():
    x = SPACE.sample(np.random.default_rng(2), 300)
    together = DIGITS.evaluate(x, seed=5).val_acc
    alone = np.concatenate([DIGITS.evaluate(row, seed=5).val_acc for row in x])
    np.testing.assert_array_equal(together, alone)
    assert (DIGITS.evaluate(x, seed=6).val_acc != together).mean() > 0.9


def test_bits_are_mixed():
    bits = mix(np.arange(20_000), 0)
    assert len(np.unique(bits)) == 20_000
    share = np.array([((bits >> np.uint64(b)) & np.uint64(1)).mean() for b in range(64)])
    assert np.abs(share - 0.5).max() < 0.02


def test_no_noise_without_repeats():
    drawn = Noise(np.empty((0, 4), np.float32)).draw(np.arange(3), np.ones(3), 0)
    np.testing.assert_array_equal(drawn, np.zeros((3, 3)))


def test_variance_is_that_of_deviations_at_about_the_same_accuracy():
    rng = np.random.default_rng(0)
    accuracy = np.sort(rng.uniform(0.4, 0.6, 400))
    deviations = rng.normal(0, 0.05 * (0.7 - accuracy), (3, 400)).T  # less noise further up
    noise = Noise(np.column_stack([accuracy, deviations]).astype(np.float32))
    asked = np.array([0.0, 0.5, 1.0])
    parts = (slice(None, 60), None, slice(-60, None))
    at = int(np.searchsorted(noise.accuracy, 0.5))
    expected = [
        np.mean(noise.deviations[part or slice(at - 30, at + 30), 1] ** 2) for part in parts
    ]
    assert noise.variance(asked) == pytest.approx(expected)
    assert np.isnan(Noise(np.zeros((0, 4), np.float32)).variance(asked)).all()
