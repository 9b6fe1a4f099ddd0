"""A network of numpy: that of scikit-learn, and errors by level."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

from blox_env.benchmarks.families import load_family
from blox_env.benchmarks.predictors.base import LEAST, Features, Files
from blox_env.benchmarks.predictors.network import IN_BIN, Network, levels_of_error
from blox_env.benchmarks.surrogate import Encoder
from blox_env.ground.files import file_hash
from blox_env.spaces import BloxSpace


def test_it_says_what_the_fitted_one_says(tmp_path: Path) -> None:
    space, rng = BloxSpace(), np.random.default_rng(0)
    x = space.sample(rng, 1200)
    y = np.clip(0.6 + 0.01 * rng.normal(size=(60, 4)) + 0.004 * x[:60, :1], 0, 1)
    family = load_family("mlp")
    encode = Encoder(space, x[:60], family.encodings)
    model = family.fit(encode(x[:60]), y, np.full(y.shape, 1e-4), chosen=None, seed=0)
    features = Features(space, encode.facts())
    Network.write(tmp_path, model, features, encode(x[:60]), y[:, -1], np.full(60, 1e-4), 0)
    sums = {path.name: file_hash(path) for path in tmp_path.iterdir()}
    components = model.components  # type: ignore[attr-defined]
    kept = Network.read(Files(tmp_path, sums, "facts"), features, components.count)
    said, variance = kept.predict(x)
    np.testing.assert_allclose(components.back(said), model.predict(encode(x)), atol=1e-9)
    np.testing.assert_allclose(variance, 1e-4)


def test_errors_follow_what_was_predicted() -> None:
    rng = np.random.default_rng(0)
    predicted = rng.uniform(0, 1, 4000)
    excess = (predicted * rng.normal(size=4000)) ** 2
    at, variance = levels_of_error(predicted, excess)
    assert (np.diff(at) > 0).all()
    np.testing.assert_allclose(variance, at**2, rtol=0.25, atol=0.01)
    few = levels_of_error(predicted[: 2 * IN_BIN], -excess[: 2 * IN_BIN])
    assert few.shape == (2, 2)
    assert (few[1] == LEAST).all()
