"""Boosted trees of LightGBM, kept as its own text.

Larger batches are predicted by look-ups, see :mod:`blox_env.benchmarks.slottrees`; their numbers
are LightGBM's to the last digit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from blox_env.benchmarks.carried import CarriedTrees
from blox_env.benchmarks.families.base import Model
from blox_env.benchmarks.predictors.base import LEAST, Features, Files, Predictor
from blox_env.benchmarks.slottrees import Places, SlotTrees
from blox_env.ground.extras import extra
from blox_env.ground.files import write_atomic
from blox_env.ground.typing import FloatArray, IntArray

SPREAD = "spread.txt"
MANY = 512  # rows, from which on it pays to make look-ups of the trees


class Boosters(Predictor):
    """A booster for each component, and one for the squared error of predictions.

    Args:
        features: of architectures.
        models: boosters of the components.
        spread: booster of the variance.
    """

    family = "lightgbm"

    def __init__(self, features: Features, models: list[Any], spread: Any) -> None:
        self.features = features
        self._models = [*models, spread]
        self._looked: tuple[Places, list[SlotTrees]] | None = None

    @classmethod
    def write(
        cls,
        folder: Path,
        model: Model,
        features: FloatArray,
        predicted: FloatArray,
        excess: FloatArray,
        seed: int,
    ) -> None:
        """Write ``target-K.txt`` and ``spread.txt``; see :meth:`Predictor.write`."""
        fitted: Any = model
        for number, part in enumerate(fitted.models):
            write_atomic(folder / _target(number), part.booster_.model_to_string())
        write_atomic(folder / SPREAD, _spread(features, excess, seed).model_to_string())

    @classmethod
    def read(cls, files: Files, features: Features, components: int) -> Boosters:
        """Read the boosters; see :meth:`Predictor.read`."""
        models = [_booster(files, _target(k)) for k in range(components)]
        return cls(features, models, _booster(files, SPREAD))

    def predict(self, rows: IntArray) -> tuple[FloatArray, FloatArray]:
        """Ask all boosters; see :meth:`Predictor.predict`."""
        if len(rows) >= MANY or self._looked:
            places, trees = self._look_ups()
            there = places.of(rows)
            *said, spread = (each.predict(there) for each in trees)
        else:
            columns = self.features(rows)
            *said, spread = (
                np.asarray(model.predict(columns, num_threads=1)) for model in self._models
            )
        return np.column_stack(said), np.maximum(spread, LEAST)

    def carried(self, scale: float, shift: float) -> CarriedTrees:
        """The trees of the last component; see :meth:`Predictor.carried`."""
        places, trees = self._look_ups()
        return CarriedTrees(places, trees[-2], scale, shift)

    def _look_ups(self) -> tuple[Places, list[SlotTrees]]:
        """The trees of all models as look-ups, made when they are first needed."""
        if self._looked is None:
            own = self.features
            places = Places(own.space, own.kinds, own.shift, own.scale)
            self._looked = places, [SlotTrees.of(model, places) for model in self._models]
        return self._looked


def _target(number: int) -> str:
    return f"target-{number}.txt"


def _booster(files: Files, name: str) -> Any:
    text = files.text(name)
    with extra("surrogate", "a model of trainings"):
        import lightgbm
    try:
        return lightgbm.Booster(model_str=text)
    except lightgbm.basic.LightGBMError as error:
        raise ValueError(f"{files.folder / name} is no model of LightGBM: {error}") from error


def _spread(features: FloatArray, excess: FloatArray, seed: int) -> Any:
    """Boosted trees of squared errors beyond noise: few and coarse, since these are very noisy."""
    with extra("surrogate", "fitting boosted trees"):
        from lightgbm import LGBMRegressor
    leaf = max(10, len(features) // 25)
    return LGBMRegressor(
        n_estimators=40, num_leaves=4, learning_rate=0.05, min_child_samples=leaf, n_jobs=1,
        verbose=-1, random_state=seed, deterministic=True, force_row_wise=True,
    ).fit(features, excess).booster_  # fmt: skip
