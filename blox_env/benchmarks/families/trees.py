"""Averages of many trees that predict all targets at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from blox_env.benchmarks.families.base import Family, Model, relative_noise
from blox_env.ground.extras import extra
from blox_env.ground.typing import FloatArray


class Trees(Family):
    """Trees of all targets.

    Args:
        name: of the family.
        kind: ``"ExtraTreesRegressor"`` (Geurts et al. 2006) or ``"RandomForestRegressor"``
            (Breiman 2001), of ``sklearn.ensemble``.
        **settings: of it.
    """

    def __init__(self, name: str, kind: str, **settings: Any) -> None:
        self.name, self._kind, self._settings = name, kind, settings

    def fit(
        self, features: FloatArray, y: FloatArray, noise_var: FloatArray, *, chosen: Any, seed: int
    ) -> Model:
        """Fit a forest, weighted by the noise of each mean; see :meth:`Family.fit`."""
        with extra("surrogate", "fitting a surrogate"):
            from sklearn import ensemble
        forest = getattr(ensemble, self._kind)(random_state=seed, **self._settings)
        forest.fit(features, y, sample_weight=1 / relative_noise(noise_var))
        return _Forest(forest)


class _Forest:
    def __init__(self, forest: Any) -> None:
        self._forest = forest

    def predict(self, features: FloatArray) -> FloatArray:
        return np.asarray(self._forest.predict(features)).reshape(len(features), -1)
