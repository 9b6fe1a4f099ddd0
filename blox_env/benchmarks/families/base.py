"""The interface of a family: features and targets become a model that predicts the targets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Protocol

import numpy as np

from blox_env.ground.typing import FloatArray


class Model(Protocol):
    """A fitted model of a family."""

    def predict(self, features: FloatArray) -> FloatArray:
        """Targets ``(n, targets)`` of features ``(n, columns)``."""


class Family(ABC):
    """A kind of model, with the settings that its models have.

    Attributes:
        name: what commands and cards call it.
        encodings: kinds of features that it is fitted on, those of them that a space has; see
            :meth:`blox_env.spaces.base.SearchSpace.features`.
    """

    name: str
    encodings: tuple[str, ...] = ("depth", "ops", "onehot")

    def choose(self, features: FloatArray, y: FloatArray, noise_var: FloatArray, seed: int) -> Any:
        """Choose what all members of an ensemble share, such as a kernel's hyper-parameters.

        Args:
            features: standardised ``(n, columns)``.
            y: accuracies ``(n, targets)``.
            noise_var: variance of their noise ``(n, targets)``.
            seed: of random choices.
        """
        return None

    @abstractmethod
    def fit(
        self, features: FloatArray, y: FloatArray, noise_var: FloatArray, *, chosen: Any, seed: int
    ) -> Model:
        """Fit one model.

        Args:
            features: standardised ``(n, columns)``.
            y: accuracies ``(n, targets)``; the last column is what matters most.
            noise_var: variance of their noise ``(n, targets)``.
            chosen: what :meth:`choose` gave.
            seed: of random choices within the model.
        """


def log_error(accuracy: FloatArray) -> FloatArray:
    """Logarithm of the share of wrong answers: differences near the top count as much as others."""
    return np.asarray(np.log(np.clip(1 - accuracy, 1e-3, None)))


def relative_noise(noise_var: FloatArray) -> FloatArray:
    """Noise of each architecture's mean relative to the average ``(n,)``, for the last target."""
    last = noise_var[:, -1]
    return np.asarray(np.clip(last / last.mean(), 0.05, 20.0))
