"""Pairwise regression: differences between two architectures instead of values of one.

A training set of ``n`` architectures has ``n²`` differences to learn from; a prediction is the mean
of what the known ones say about the new one (Tynes et al., J. Chem. Inf. Model. 2021).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from blox_env.benchmarks.families.base import Family, Model, relative_noise
from blox_env.benchmarks.families.components import Components
from blox_env.ground.extras import extra
from blox_env.ground.typing import FloatArray

PARTNERS = 6  # pairs each architecture is in
ANCHORS = 16  # known architectures that a prediction is compared with
CHUNK = 2048  # rows predicted at once


class Pairwise(Family):
    """Boosted trees (LightGBM) on the features of both of a pair and their difference."""

    name = "pairwise"
    encodings = ("depth", "ops")

    def fit(
        self, features: FloatArray, y: FloatArray, noise_var: FloatArray, *, chosen: Any, seed: int
    ) -> Model:
        """Fit on random pairs; see :meth:`Family.fit`."""
        with extra("surrogate", "fitting pairwise differences"):
            from lightgbm import LGBMRegressor
        rng = np.random.default_rng(seed)
        components = Components(y)
        targets = components.forth(y)
        n = len(features)
        first = np.repeat(np.arange(n), PARTNERS)
        second = rng.integers(0, n, len(first))
        noise = relative_noise(noise_var)
        weight = 1 / (noise[first] + noise[second])
        pairs = _both(features[first], features[second])
        models = [
            LGBMRegressor(
                n_estimators=120, num_leaves=15, learning_rate=0.1, min_child_samples=20,
                subsample=0.7, subsample_freq=1, colsample_bytree=0.5, n_jobs=1, verbose=-1,
                random_state=seed, deterministic=True, force_row_wise=True,
            ).fit(pairs, target[first] - target[second], sample_weight=weight)
            for target in targets.T
        ]  # fmt: skip
        # anchors over the whole range of accuracies
        order = np.argsort(targets[:, -1], kind="stable")
        anchors = order[np.linspace(0, n - 1, min(ANCHORS, n)).round().astype(int)]
        return _Differences(components, models, features[anchors], targets[anchors])


class _Differences:
    def __init__(
        self, components: Components, models: list[Any], known: FloatArray, values: FloatArray
    ) -> None:
        self._components, self._models = components, models
        self._known, self._values = known, values

    def predict(self, features: FloatArray) -> FloatArray:
        parts = [features[i : i + CHUNK] for i in range(0, len(features), CHUNK)]
        return np.concatenate([self._predict(part) for part in parts])

    def _predict(self, features: FloatArray) -> FloatArray:
        n, m = len(features), len(self._known)
        pairs = _both(np.repeat(features, m, axis=0), np.tile(self._known, (n, 1)))
        columns = []
        for k, model in enumerate(self._models):
            said = np.asarray(model.predict(pairs)).reshape(n, m) + self._values[:, k]
            columns.append(said.mean(axis=1))
        return self._components.back(np.column_stack(columns))


def _both(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.concatenate([a, b, a - b], axis=1)
