"""Accuracies of whole networks from the signatures of their blocks: ``fit(x, y)``, ``predict(x)``.

The graph network, which needs torch, is :class:`blox_env.networks.blockwise.graph.GraphPredictor`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from blox_env.ground.extras import extra
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.networks.signatures import Signatures

RIDGES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)  # penalties that are chosen from by leaving one out


class Predictor(ABC):
    """A model of accuracies of architectures ``(n, slots)``."""

    @abstractmethod
    def fit(self, x: IntArray, y: FloatArray) -> None:
        """Learn from trained architectures.

        Args:
            x: the architectures ``(n, slots)``.
            y: their accuracies ``(n,)``.
        """

    @abstractmethod
    def predict(self, x: IntArray) -> FloatArray:
        """Accuracies ``(n,)`` of architectures ``(n, slots)``."""


class SignatureSum(Predictor):
    """The sum of the signatures of all stages, scaled to accuracies (HANT; Molchanov et al., 2022).

    Args:
        signatures: of all blocks.
        measure: which of them.
    """

    def __init__(self, signatures: Signatures, measure: str = "nsr") -> None:
        self.signatures, self.measure = signatures, measure

    def fit(self, x: IntArray, y: FloatArray) -> None:
        """Least squares for slope and intercept; a slope of the wrong sign is taken to be 0.

        Args:
            x: the architectures.
            y: their accuracies.
        """
        total = self._sum(x)
        spread = float(total.var())
        covariance = float(((total - total.mean()) * (y - y.mean())).mean())
        self._slope = max(covariance / spread, 0.0) if spread else 0.0
        self._shift = float(y.mean()) - self._slope * float(total.mean())

    def predict(self, x: IntArray) -> FloatArray:
        """Accuracies ``(n,)``."""
        return np.asarray(self._shift + self._slope * self._sum(x))

    def _sum(self, x: IntArray) -> FloatArray:
        """Higher is better."""
        sign = 1 if self.measure == "swap_acc" else -1
        return np.asarray(sign * self.signatures.of(x, self.measure).sum(axis=1))


class SecondOrder(Predictor):
    """Linear regression on signatures, their squares and products (DONNA; Moons et al., 2021).

    The penalty is chosen by leaving one out.

    Args:
        signatures: of all blocks.
        measure: which of them.
    """

    def __init__(self, signatures: Signatures, measure: str = "nsr") -> None:
        with extra("surrogate", "the second-order regression"):
            from sklearn.linear_model import RidgeCV
            from sklearn.pipeline import make_pipeline
            from sklearn.preprocessing import PolynomialFeatures, StandardScaler
        self.signatures, self.measure = signatures, measure
        self._model: Any = make_pipeline(
            StandardScaler(), PolynomialFeatures(2, include_bias=False), RidgeCV(RIDGES)
        )

    def fit(self, x: IntArray, y: FloatArray) -> None:
        """Fit all terms.

        Args:
            x: the architectures.
            y: their accuracies.
        """
        self._model.fit(self.signatures.of(x, self.measure), y)

    def predict(self, x: IntArray) -> FloatArray:
        """Accuracies ``(n,)``."""
        return np.asarray(self._model.predict(self.signatures.of(x, self.measure)))
