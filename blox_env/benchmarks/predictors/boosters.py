"""Boosted trees of LightGBM, kept as its own text and as look-ups.

Predictions come from the look-ups (:mod:`blox_env.benchmarks.slottrees`), which need numpy alone;
their numbers are LightGBM's to the last digit. The texts are for whoever wants the models.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from blox_env.benchmarks.carried import CarriedTrees
from blox_env.benchmarks.families.base import Model
from blox_env.benchmarks.predictors.base import LEAST, Features, Files, Predictor
from blox_env.benchmarks.slottrees import LEAVES, Places, SlotTrees
from blox_env.ground.extras import extra
from blox_env.ground.files import write_atomic
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.store.arrays import array_bytes

SPREAD = "spread"


class Boosters(Predictor):
    """Trees for each component, and trees for the squared error of predictions.

    Args:
        places: of their features.
        trees: of the components and, last, of the variance.
    """

    family = "lightgbm"

    def __init__(self, places: Places, trees: list[SlotTrees]) -> None:
        self._places, self._trees = places, trees

    @classmethod
    def write(
        cls,
        folder: Path,
        model: Model,
        features: Features,
        columns: FloatArray,
        predicted: FloatArray,
        excess: FloatArray,
        seed: int,
    ) -> None:
        """Write ``NAME.txt``, ``NAME-reach.npy`` and ``NAME-values.npy`` of each model.

        See :meth:`Predictor.write`.
        """
        fitted: Any = model
        boosters = [part.booster_ for part in fitted.models]
        boosters.append(_spread(columns, excess, seed))
        places = _places(features)
        for name, booster in zip(_names(len(fitted.models)), boosters, strict=True):
            trees = SlotTrees.of(booster, places)
            write_atomic(folder / f"{name}.txt", booster.model_to_string())
            write_atomic(folder / f"{name}-reach.npy", array_bytes(np.concatenate(trees.reach)))
            write_atomic(folder / f"{name}-values.npy", array_bytes(trees.values))

    @classmethod
    def read(cls, files: Files, features: Features, components: int) -> Boosters:
        """Read the look-ups; see :meth:`Predictor.read`."""
        places = _places(features)
        counts = [len(table) for table in places.tables]
        trees = []
        for name in _names(components):
            files.text(f"{name}.txt")  # checked, though nobody asks it
            values = files.array(f"{name}-values.npy", (None, 1 + LEAVES))
            shape = (sum(counts), len(values))
            reach = files.array(f"{name}-reach.npy", shape, np.uint8)
            trees.append(SlotTrees(tuple(np.split(reach, np.cumsum(counts)[:-1])), values))
        return cls(places, trees)

    def predict(self, rows: IntArray) -> tuple[FloatArray, FloatArray]:
        """Look up all trees; see :meth:`Predictor.predict`."""
        there = self._places.of(rows)
        *said, spread = (each.predict(there) for each in self._trees)
        return np.column_stack(said), np.maximum(spread, LEAST)

    def carried(self, scale: float, shift: float) -> CarriedTrees:
        """The trees of the last component; see :meth:`Predictor.carried`."""
        return CarriedTrees(self._places, self._trees[-2], scale, shift)


def _places(features: Features) -> Places:
    return Places(features.space, features.kinds, features.shift, features.scale)


def _names(components: int) -> list[str]:
    """Names of the models: of the components, and of the variance."""
    return [*(f"target-{number}" for number in range(components)), SPREAD]


def _spread(features: FloatArray, excess: FloatArray, seed: int) -> Any:
    """Boosted trees of squared errors beyond noise: few and coarse, since these are very noisy."""
    with extra("surrogate", "fitting boosted trees"):
        from lightgbm import LGBMRegressor
    leaf = max(10, len(features) // 25)
    return LGBMRegressor(
        n_estimators=40, num_leaves=4, learning_rate=0.05, min_child_samples=leaf, n_jobs=1,
        verbose=-1, random_state=seed, deterministic=True, force_row_wise=True,
    ).fit(features, excess).booster_  # fmt: skip
