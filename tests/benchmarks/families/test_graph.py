"""Graph networks: what they leave alone, and labels that they have not seen."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from blox_env.benchmarks.families import load_family
from blox_env.benchmarks.surrogate import Encoder
from blox_env.spaces import BloxSpace

SPACE = BloxSpace()


def test_nothing_else_is_touched_and_unseen_labels_are_no_error() -> None:
    rng = np.random.default_rng(0)
    x = np.unique(SPACE.sample(rng, 60), axis=0)
    encode = Encoder(SPACE, x, ("graph",))
    features = encode(x)
    np.testing.assert_array_equal(features, SPACE.features(x, "graph"))  # codes stay codes
    y = 0.5 + 0.001 * x + rng.normal(0, 0.001, x.shape)
    before, state = torch.get_rng_state(), str(np.random.get_state())
    family = load_family("graph-network")
    models = [
        family.fit(features, y, np.full(y.shape, 1e-6), chosen=None, seed=seed)
        for seed in (0, 0, 1)
    ]
    one, same, other = (model.predict(features) for model in models)
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    assert (torch.get_rng_state() == before).all()
    assert str(np.random.get_state()) == state
    strange = features.copy()
    strange[:, -2] = 99
    assert np.isfinite(models[0].predict(strange)).all()
    assert models[0].predict(features[:0]).shape == (0, 3)
