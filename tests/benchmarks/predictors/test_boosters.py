"""Boosted trees as look-ups: what LightGBM says, and files that do not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

lightgbm = pytest.importorskip("lightgbm")

from blox_env.benchmarks.families import load_family
from blox_env.benchmarks.predictors.base import LEAST, Features, Files
from blox_env.benchmarks.predictors.boosters import SPREAD, Boosters
from blox_env.benchmarks.surrogate import Encoder
from blox_env.ground.files import file_hash
from blox_env.spaces import BloxSpace, BloxXLSpace


@pytest.mark.parametrize("space", [BloxSpace(), BloxXLSpace()], ids=lambda space: space.name)
def test_they_say_what_the_fitted_ones_say(tmp_path: Path, space: BloxSpace) -> None:
    rng = np.random.default_rng(0)
    x = space.sample(rng, 300)
    y = np.clip(0.6 + 0.01 * rng.normal(size=(60, 4)) + 0.004 * x[:60, :1], 0, 1)
    family = load_family("lightgbm")
    encode = Encoder(space, x[:60], family.encodings)
    model = family.fit(encode(x[:60]), y, np.full(y.shape, 1e-4), chosen=None, seed=0)
    features = Features(space, encode.facts())
    Boosters.write(tmp_path, model, features, encode(x[:60]), y[:, -1], np.full(60, -1e-4), 0)
    sums = {path.name: file_hash(path) for path in tmp_path.iterdir()}
    components = model.components  # type: ignore[attr-defined]
    kept = Boosters.read(Files(tmp_path, sums, "facts"), features, components.count)
    said, variance = kept.predict(x)
    np.testing.assert_array_equal(components.back(said), model.predict(encode(x)))
    assert (variance == LEAST).all()
    for number in range(components.count):  # the texts are the same models
        booster = lightgbm.Booster(model_file=str(tmp_path / f"target-{number}.txt"))
        np.testing.assert_array_equal(booster.predict(encode(x)), said[:, number])


def test_look_ups_of_another_space_are_named(tmp_path: Path) -> None:
    x = BloxSpace().sample(np.random.default_rng(0), 30)
    features = Features(BloxSpace(), Encoder(BloxSpace(), x, ("ops",)).facts())
    for name, shape, kind in (("values", (4, 9), np.float64), ("reach", (7, 4), np.uint8)):
        np.save(tmp_path / f"{SPREAD}-{name}.npy", np.zeros(shape, dtype=kind))
    (tmp_path / f"{SPREAD}.txt").write_text("trees")
    sums = {path.name: file_hash(path) for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match=r"spread-reach\.npy: expected uint8 of shape \(135, 4\)"):
        Boosters.read(Files(tmp_path, sums, "facts"), features, 0)
