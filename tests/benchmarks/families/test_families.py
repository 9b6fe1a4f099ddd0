"""Every family keeps to one contract."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from blox_env.benchmarks.families import FAMILIES, list_families, load_family
from blox_env.benchmarks.families.components import Components
from blox_env.benchmarks.surrogate import Encoder
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces import BloxSpace

SPACE = BloxSpace()
HERE = [name for name in list_families() if name != "xgboost"]


def made_up(n: int) -> tuple[IntArray, FloatArray, FloatArray]:
    """Architectures and noisy accuracies that follow from their depths."""
    rng = np.random.default_rng(5)
    x = np.unique(SPACE.sample(rng, n), axis=0)
    depth = SPACE.features(x, "depth")
    merit = -depth[:, -5] + 0.3 * depth[:, -3]
    merit = (merit - merit.mean()) / merit.std()
    curve = 0.5 + np.outer(merit, [0.02, 0.03, 0.04]) + [0, 0.1, 0.2]
    return x, curve + rng.normal(0, 0.004, curve.shape), np.full(curve.shape, 0.004**2)


def fitted(name: str, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """Predictions and truths of architectures that the family has not seen."""
    x, y, noise = made_up(160)
    seen = np.arange(len(x)) < 120
    family = load_family(name)
    encode = Encoder(SPACE, x[seen], family.encodings)
    chosen = family.choose(encode(x[seen]), y[seen], noise[seen], seed)
    model = family.fit(encode(x[seen]), y[seen], noise[seen], chosen=chosen, seed=seed)
    return model.predict(encode(x[~seen])), y[~seen]


@pytest.mark.parametrize("name", HERE)
def test_curves_of_unseen_architectures_are_predicted(name: str) -> None:
    said, truth = fitted(name)
    assert said.shape == truth.shape
    for target in range(truth.shape[1]):
        assert np.corrcoef(said[:, target], truth[:, target])[0, 1] > 0.75


@pytest.mark.parametrize("name", ["trees", "lightgbm", "mlp", "pairwise"])
def test_the_seed_decides(name: str) -> None:
    np.testing.assert_array_equal(fitted(name)[0], fitted(name)[0])
    assert (fitted(name, seed=1)[0] != fitted(name)[0]).any()


def test_xgboost_is_a_family_where_it_is_installed() -> None:
    pytest.importorskip("xgboost")
    said, truth = fitted("xgboost")
    assert np.corrcoef(said[:, -1], truth[:, -1])[0, 1] > 0.75


def test_unknown_names_are_answered_with_a_near_one() -> None:
    with pytest.raises(ValueError, match="lightgbm"):
        load_family("lightgmb")
    assert list_families() == list(FAMILIES)


def test_components_give_back_curves_but_for_what_is_small() -> None:
    _, y, _ = made_up(120)
    components = Components(y)
    again = components.back(components.forth(y))
    np.testing.assert_allclose(again[:, -1], y[:, -1], atol=1e-12)
    assert np.abs(again - y).max() < 0.01
