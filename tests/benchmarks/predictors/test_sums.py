"""Linear functions of features: looked up or worked out, they are the same."""

from __future__ import annotations

import numpy as np
import pytest

from blox_env.benchmarks.predictors.base import Features
from blox_env.benchmarks.predictors.sums import LinearSums
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces import BloxSpace, BloxXLSpace, DartsSpace, SearchSpace


@pytest.mark.parametrize(
    ("space", "kinds"),
    [
        (BloxSpace(), ("depth", "ops", "onehot")),
        (BloxXLSpace(), ("depth", "ops")),
        (DartsSpace(), ("ops",)),
    ],
)
def test_they_are_those_of_the_features(space: SearchSpace, kinds: tuple[str, ...]) -> None:
    x, features, weights = made(space, kinds)
    sums = LinearSums(features, weights)
    np.testing.assert_allclose(sums(x), features(x) @ weights[:-1] + weights[-1], atol=1e-9)
    np.testing.assert_array_equal(sums(x)[7:8], sums(x[7:8]))
    assert sums(x[:0]).shape == (0, 7)


def test_features_that_are_no_sums_are_refused() -> None:
    _, features, weights = made(DartsSpace(), ("path",))
    with pytest.raises(ValueError, match="features path of the space 'darts' are no sums"):
        LinearSums(features, weights)


def made(space: SearchSpace, kinds: tuple[str, ...]) -> tuple[IntArray, Features, FloatArray]:
    """Architectures, their features, and weights of these."""
    rng = np.random.default_rng(0)
    x = space.sample(rng, 300)
    raw = np.concatenate([space.features(x, kind) for kind in kinds], axis=1)
    shift, scale = raw.mean(axis=0), raw.std(axis=0) + 0.1
    features = Features(space, {"kinds": kinds, "shift": shift, "scale": scale})
    return x, features, rng.normal(size=(raw.shape[1] + 1, 7))
