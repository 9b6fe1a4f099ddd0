"""Boosted trees as text: what LightGBM says, and what it cannot read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lightgbm")

from blox_env.benchmarks.families import load_family
from blox_env.benchmarks.predictors.base import LEAST, Features, Files
from blox_env.benchmarks.predictors.boosters import MANY, SPREAD, Boosters
from blox_env.benchmarks.surrogate import Encoder
from blox_env.ground.files import file_hash
from blox_env.spaces import BloxSpace


def test_they_say_what_the_fitted_ones_say(tmp_path: Path) -> None:
    space, rng = BloxSpace(), np.random.default_rng(0)
    x = space.sample(rng, 300)
    y = np.clip(0.6 + 0.01 * rng.normal(size=(60, 4)) + 0.004 * x[:60, :1], 0, 1)
    family = load_family("lightgbm")
    encode = Encoder(space, x[:60], family.encodings)
    model = family.fit(encode(x[:60]), y, np.full(y.shape, 1e-4), chosen=None, seed=0)
    Boosters.write(tmp_path, model, encode(x[:60]), y[:, -1], np.full(60, -1e-4), 0)
    sums = {path.name: file_hash(path) for path in tmp_path.iterdir()}
    components = model.components  # type: ignore[attr-defined]
    features = Features(space, encode.facts())
    kept = Boosters.read(Files(tmp_path, sums, "facts"), features, components.count)
    said, variance = kept.predict(x)
    np.testing.assert_array_equal(components.back(said), model.predict(encode(x)))
    assert (variance == LEAST).all()
    assert kept._looked is None
    many = np.tile(x, (2, 1))
    assert len(many) >= MANY
    np.testing.assert_array_equal(kept.predict(many)[0][: len(x)], said)
    assert kept._looked is not None
    np.testing.assert_array_equal(kept.predict(x)[0], said)


def test_a_text_that_is_no_model_is_named(tmp_path: Path) -> None:
    (tmp_path / SPREAD).write_text("trees\n")
    sums = {SPREAD: file_hash(tmp_path / SPREAD)}
    x = BloxSpace().sample(np.random.default_rng(0), 30)
    features = Features(BloxSpace(), Encoder(BloxSpace(), x, ("ops",)).facts())
    with pytest.raises(ValueError, match=r"spread\.txt is no model of LightGBM"):
        Boosters.read(Files(tmp_path, sums, "facts"), features, 0)
