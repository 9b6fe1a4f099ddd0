"""Learning curves as a few components, so that a model of single numbers predicts whole curves.

The principal components of the logarithm of errors, after NAS-Bench-x11 (Yan et al., NeurIPS 2021):
what they leave out is less than the noise of a training.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from blox_env.benchmarks.families.base import Family, Model, log_error, relative_noise
from blox_env.ground.typing import FloatArray

MOST = 3  # components of a curve
KEPT = 0.99  # share of the variance that is enough


class Components:
    """Accuracies ``(n, targets)`` as standardised components and back.

    The last target is kept whole beside them, whatever they leave out: it is what searches see.

    Args:
        y: accuracies on which the components are found.
    """

    def __init__(self, y: FloatArray) -> None:
        logs = log_error(y)
        self._mean, self._scale = logs.mean(axis=0), np.maximum(logs.std(axis=0), 1e-9)
        values = (logs - self._mean) / self._scale
        _, strength, axes = np.linalg.svd(values, full_matrices=False)
        share = np.cumsum(strength**2) / max(float((strength**2).sum()), 1e-12)
        count = min(MOST, int(np.searchsorted(share, KEPT)) + 1, len(axes))
        self._axes = axes[:count]
        self._size = np.maximum((values @ self._axes.T).std(axis=0), 1e-9)

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Components:
        """The components that :meth:`facts` tells of.

        Raises:
            ValueError: for shapes that do not fit each other.
        """
        self = cls.__new__(cls)
        self._mean, self._scale, self._size, self._axes = (
            np.array(facts.get(key, []), dtype=np.float64)
            for key in ("mean", "scale", "size", "axes")
        )
        targets = self._mean.shape
        if not (
            self._mean.ndim == 1
            and self._scale.shape == targets
            and self._axes.shape == (*self._size.shape, *targets)
        ):
            raise ValueError("components: mean, scale, size and axes do not fit each other")
        return self

    @property
    def count(self) -> int:
        """Number of columns of :meth:`forth`."""
        return len(self._axes) + 1

    def facts(self) -> dict[str, Any]:
        """Everything in plain numbers."""
        return {
            "mean": self._mean.tolist(),
            "scale": self._scale.tolist(),
            "size": self._size.tolist(),
            "axes": self._axes.tolist(),
        }

    def last(self) -> tuple[float, float]:
        """Factor and shift that make the logarithm of the last target's error of its column."""
        return float(self._scale[-1]), float(self._mean[-1])

    def forth(self, y: FloatArray) -> FloatArray:
        """Components of curves, then the standardised last target ``(n, k + 1)``."""
        values = (log_error(y) - self._mean) / self._scale
        return np.column_stack([values @ self._axes.T / self._size, values[:, -1]])

    def back(self, components: FloatArray) -> FloatArray:
        """Accuracies of components."""
        values = np.zeros((len(components), len(self._mean)))
        # no matrix product: its sums depend on how many rows it is asked for
        for column, size, axis in zip(components[:, :-1].T, self._size, self._axes, strict=True):
            values += (column * size)[:, None] * axis
        values[:, -1] = components[:, -1]
        return np.asarray(1 - np.exp(values * self._scale + self._mean))


class OneByOne(Family):
    """A regression of single numbers, fitted on each component of the learning curves.

    Args:
        name: of the family.
        make: a regression with scikit-learn's ``fit(x, y, sample_weight=…)`` and ``predict``, from
            a seed.
        encodings: kinds of features, the default ones if not given.
        weighted: whether ``fit`` takes weights.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[int], Any],
        *,
        encodings: tuple[str, ...] | None = None,
        weighted: bool = True,
    ) -> None:
        self.name, self._make, self._weighted = name, make, weighted
        self.encodings = self.encodings if encodings is None else encodings

    def fit(
        self, features: FloatArray, y: FloatArray, noise_var: FloatArray, *, chosen: Any, seed: int
    ) -> Model:
        """Fit one regression a component; see :meth:`Family.fit`."""
        components = Components(y)
        weight = {"sample_weight": 1 / relative_noise(noise_var)} if self._weighted else {}
        with warnings.catch_warnings():  # how long a model is fitted is part of its settings
            warnings.filterwarnings("ignore", message=".*failed to converge")
            models = [
                self._make(seed).fit(features, target, **weight) for target in components.forth(y).T
            ]
        return _Fitted(components, models)


class _Fitted:
    def __init__(self, components: Components, models: list[Any]) -> None:
        self.components, self.models = components, models

    def predict(self, features: FloatArray) -> FloatArray:
        columns = [np.asarray(model.predict(features)) for model in self.models]
        return self.components.back(np.column_stack(columns))
