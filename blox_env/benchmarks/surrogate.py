"""Predicts learning curves with uncertainty from trainings: an ensemble of Gaussian processes.

The idea of a surrogate in place of a table is NAS-Bench-301's (Siems et al., ICLR 2022). Every
member is fitted on all but one fold of the architectures, so that there is an honest prediction,
one that has not seen it, for every architecture that was trained.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from blox_env.ground.errors import check_positive_int
from blox_env.ground.extras import extra
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.base import SearchSpace

CHUNK = 8192  # rows predicted at once


@dataclass(frozen=True)
class Prediction:
    """Predicted targets ``(n, targets)`` and their uncertainty (one standard deviation)."""

    mean: FloatArray
    std: FloatArray


class CurveEnsemble:
    """Gaussian processes on depth and operations of the blocks of an architecture.

    Depth counts: how long the chains of convolutions without a shortcut are decides how well a
    network trains, and does more for the prediction than which block stands where.

    Targets (values of the learning curve and others) share one kernel on standardised features: a
    smooth squared exponential for trends and a rough one for what single blocks do.

    Args:
        space: of the architectures.
        folds: number of members; each leaves out one fold.
        seed: of the division into folds.
    """

    def __init__(self, space: SearchSpace, *, folds: int = 10, seed: int = 0) -> None:
        self.space = space
        self.folds = check_positive_int("folds", folds, 2)
        self.seed = seed
        self._members: list[_Process] = []

    def fit(self, x: IntArray, y: FloatArray, noise_var: FloatArray) -> Prediction:
        """Fit on distinct architectures ``(n, slots)`` with targets ``(n, targets)``.

        Args:
            x: the architectures.
            y: their mean targets.
            noise_var: variance ``(n,)`` of the noise of those means, relative to one training's;
                an architecture trained three times has 1/3.

        Returns:
            Out-of-fold predictions: each architecture's by the member that has not seen it, not
            even when its hyper-parameters were chosen.
        """
        raw = self._columns(x)
        self._shift, scale = raw.mean(axis=0), raw.std(axis=0)
        self._scale = np.where(scale > 0, scale, 1.0)
        features = self._features(x)
        fold = fold_of(len(x), self.folds, self.seed)
        # hyper-parameters for the members of one half come from the folds of the other half
        kernels = [
            fit_kernel(features[other], y[other], noise_var[other])
            for other in (fold >= self.folds // 2, fold < self.folds // 2)
        ]
        mean, std = np.empty_like(y), np.empty_like(y)
        self._members = []
        for k in range(self.folds):
            seen = fold != k
            kernel = kernels[k >= self.folds // 2]
            member = _Process(kernel, features[seen], y[seen], noise_var[seen])
            mean[~seen], std[~seen] = member.predict(features[~seen])
            self._members.append(member)
        return Prediction(mean, std)

    def predict(self, x: IntArray) -> Prediction:
        """Mean over the members; the uncertainty adds their disagreement to their own."""
        if not self._members:
            raise RuntimeError("predict() needs a fitted ensemble: call fit() first")
        means, stds = [], []
        for start in range(0, len(x), CHUNK):
            features = self._features(x[start : start + CHUNK])
            parts = [member.predict(features) for member in self._members]
            mean = np.stack([m for m, _ in parts])
            variance = np.stack([s for _, s in parts]) ** 2
            means.append(mean.mean(axis=0))
            stds.append(np.sqrt(variance.mean(axis=0) + mean.var(axis=0)))
        return Prediction(np.concatenate(means), np.concatenate(stds))

    def _features(self, x: IntArray) -> FloatArray:
        standardised: FloatArray = (self._columns(x) - self._shift) / self._scale
        return standardised

    def _columns(self, x: IntArray) -> FloatArray:
        known = self.space.feature_kinds()
        kinds = ("depth", "ops") if {"depth", "ops"} <= set(known) else ("onehot",)
        return np.concatenate([self.space.features(x, kind) for kind in kinds], axis=1)


def fold_of(n: int, folds: int, seed: int) -> IntArray:
    """The fold that leaves each of ``n`` architectures out, ``(n,)``.

    Args:
        n: number of architectures.
        folds: number of folds.
        seed: of the shuffle.
    """
    return np.random.default_rng(seed).permutation(n) % folds


def fit_kernel(features: FloatArray, y: FloatArray, noise_var: FloatArray) -> Any:
    """Kernel whose hyper-parameters maximise the marginal likelihood of standardised targets.

    Args:
        features: ``(m, f)``.
        y: targets ``(m, t)``.
        noise_var: relative variances of the targets, ``(m,)``.
    """
    with extra("surrogate", "fitting a surrogate"):
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import RBF, ConstantKernel
    kernel = ConstantKernel(1.0) * RBF(8.0, (1.0, 100.0)) + ConstantKernel(0.1) * RBF(
        2.0, (0.2, 50.0)
    )
    best: tuple[float, Any, float] | None = None
    standard = (y - y.mean(axis=0)) / y.std(axis=0)
    for noise in (0.02, 0.05, 0.1, 0.2):  # of one training, in variances of a target
        process = GaussianProcessRegressor(kernel, alpha=noise * noise_var, random_state=0)
        with warnings.catch_warnings():  # a scale at its bound is a feature that does not matter
            warnings.simplefilter("ignore")
            process.fit(features, standard)
        score = float(process.log_marginal_likelihood_value_)
        if best is None or score > best[0]:
            best = (score, process.kernel_, noise)
    assert best is not None
    return best[1], best[2]


class _Process:
    """One Gaussian process with a fitted kernel, shared by all targets."""

    def __init__(self, fitted: Any, features: FloatArray, y: FloatArray, noise: FloatArray) -> None:
        from sklearn.gaussian_process import GaussianProcessRegressor

        kernel, level = fitted
        self._mean, self._scale = y.mean(axis=0), y.std(axis=0)
        self._process = GaussianProcessRegressor(kernel, alpha=level * noise, optimizer=None)
        self._process.fit(features, (y - self._mean) / self._scale)

    def predict(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        mean, std = self._process.predict(features, return_std=True)
        mean = np.asarray(mean).reshape(len(features), -1)
        std = np.asarray(std).reshape(len(features), -1)
        return mean * self._scale + self._mean, std * self._scale
