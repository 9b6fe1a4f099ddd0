"""Predicts learning curves with uncertainty from trainings: a mixture of model families.

The idea of a surrogate in place of a table is NAS-Bench-301's (Siems et al., ICLR 2022). Every
model is fitted on all but one fold of the architectures, so that there is an honest prediction,
by models that have not seen it, for every architecture that was trained. How much each family
counts is chosen on architectures that optimisers found, because there searches end.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.errors import check_positive_int
from blox_env.ground.extras import extra
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.base import SearchSpace

CHUNK = 8192  # rows predicted at once
KERNEL_ROWS = 500  # architectures on which the hyper-parameters of a kernel are chosen
FEW = 30  # fewer found architectures than this say nothing about weights
FLOOR = 0.002  # smallest standard deviation of a prediction


@dataclass(frozen=True)
class Prediction:
    """Predicted targets ``(n, targets)`` and their uncertainty (one standard deviation)."""

    mean: FloatArray
    std: FloatArray


class Model(Protocol):
    """A fitted member of a family."""

    def predict(self, features: FloatArray) -> FloatArray:
        """Targets ``(n, targets)`` of features ``(n, columns)``."""


Family = Callable[[FloatArray, FloatArray, FloatArray, Any], Model]


class CurveEnsemble:
    """Gaussian processes and trees on depth, operations and blocks of an architecture.

    Depth counts: how long the chains of convolutions without a shortcut are decides how well a
    network trains. Targets are accuracies, values of the learning curve and others.

    Args:
        space: of the architectures.
        folds: number of members of each family; each leaves out one fold.
        seed: of the division into folds and of the trees.

    Attributes:
        weights: how much each family counts, by name.
        unseen: out-of-fold predictions of each family ``(n, targets)``, by name.
    """

    def __init__(self, space: SearchSpace, *, folds: int = 10, seed: int = 0) -> None:
        self.space = space
        self.folds = check_positive_int("folds", folds, 2)
        self.seed = seed
        self.weights: dict[str, float] = {}
        self.unseen: dict[str, FloatArray] = {}
        self._members: list[dict[str, Model]] = []

    def fit(
        self,
        x: IntArray,
        y: FloatArray,
        noise_var: FloatArray,
        found: NDArray[np.bool_] | None = None,
    ) -> Prediction:
        """Fit on distinct architectures ``(n, slots)`` with targets ``(n, targets)``.

        Args:
            x: the architectures.
            y: their mean accuracies; the last column decides about weights and uncertainty.
            noise_var: variance ``(n, targets)`` of the noise of those means.
            found: which of them optimisers found ``(n,)``; none of them if not given.

        Returns:
            Out-of-fold predictions: each architecture's by members that have not seen it, not even
            when their hyper-parameters were chosen. Weights and uncertainty are chosen on the other
            half of the folds.
        """
        raw = self._columns(x)
        self._shift, scale = raw.mean(axis=0), raw.std(axis=0)
        self._scale = np.where(scale > 0, scale, 1.0)
        features = self._features(x)
        fold = fold_of(len(x), self.folds, self.seed)
        first = fold < self.folds // 2
        # what is chosen for one half of the folds comes from the other half
        kernels = [
            fit_kernels(features[part], y[part], noise_var[part], self.seed)
            for part in (~first, first)
        ]
        unseen = {name: np.empty_like(y) for name in FAMILIES}
        self._members = []
        for k in range(self.folds):
            seen = fold != k
            kernel = kernels[k >= self.folds // 2]
            member = {
                name: family(features[seen], y[seen], noise_var[seen], (kernel, self.seed + k))
                for name, family in FAMILIES.items()
            }
            for name, model in member.items():
                unseen[name][~seen] = model.predict(features[~seen])
            self._members.append(member)
        useful = np.ones(len(x), bool) if found is None or found.sum() < FEW else found
        self.unseen = unseen
        stacked = np.stack([unseen[name] for name in FAMILIES])  # (families, n, targets)
        mean, std = np.empty_like(y), np.empty_like(y)
        for own, other in ((first, ~first), (~first, first)):
            part = other & useful if (other & useful).sum() >= FEW // 2 else other
            weight = best_weights(stacked[:, part, -1], y[part, -1], noise_var[part, -1])
            mixed = np.tensordot(weight, stacked, axes=1)
            mean[own] = mixed[own]
            spread = Spread(features[other], (y - mixed)[other], noise_var[other], self.seed)
            std[own] = spread.predict(features[own])
        weight = best_weights(stacked[:, useful, -1], y[useful, -1], noise_var[useful, -1])
        self.weights = dict(zip(FAMILIES, weight.tolist(), strict=True))
        self._spread = Spread(
            features, y - np.tensordot(weight, stacked, axes=1), noise_var, self.seed
        )
        return Prediction(mean, std)

    def predict(self, x: IntArray) -> Prediction:
        """Mean over the members, and how far such predictions were off."""
        if not self._members:
            raise RuntimeError("predict() needs a fitted ensemble: call fit() first")
        means, stds = [], []
        for start in range(0, len(x), CHUNK):
            features = self._features(x[start : start + CHUNK])
            means.append(
                sum(
                    weight * model[name].predict(features)
                    for model in self._members
                    for name, weight in self.weights.items()
                    if weight > 0
                )
                / len(self._members)
            )
            stds.append(self._spread.predict(features))
        return Prediction(np.concatenate(means), np.concatenate(stds))

    def _features(self, x: IntArray) -> FloatArray:
        standardised: FloatArray = (self._columns(x) - self._shift) / self._scale
        return standardised

    def _columns(self, x: IntArray) -> FloatArray:
        wanted = ("depth", "ops", "onehot")
        kinds = [kind for kind in wanted if kind in self.space.feature_kinds()]
        return np.concatenate([self.space.features(x, kind) for kind in kinds], axis=1)


def fold_of(n: int, folds: int, seed: int) -> IntArray:
    """Fold that leaves each architecture out, ``(n,)``.

    Args:
        n: number of architectures.
        folds: number of folds.
        seed: of the division.
    """
    return np.random.default_rng(seed).permutation(n) % folds


def best_weights(predictions: FloatArray, truth: FloatArray, noise_var: FloatArray) -> FloatArray:
    """Weights of predictions ``(families, n)``, at least 0 and 1 together, with the least error.

    Args:
        predictions: out-of-fold predictions of each family.
        truth: ``(n,)``.
        noise_var: variance of the truth's noise ``(n,)``.
    """
    with extra("surrogate", "fitting a surrogate"):
        from scipy.optimize import nnls
    certainty = 1 / np.sqrt(noise_var + FLOOR**2)
    # a heavy last row makes the weights sum to one
    heavy = 1e3 * np.sqrt(len(truth)) * certainty.max()
    matrix = np.vstack([(predictions * certainty).T, np.full((1, len(predictions)), heavy)])
    weights, _ = nnls(matrix, np.append(truth * certainty, heavy))
    return np.asarray(weights / weights.sum())


def fit_kernels(features: FloatArray, y: FloatArray, noise_var: FloatArray, seed: int) -> Any:
    """Kernel with the largest marginal likelihood of the logarithm of standardised errors.

    Args:
        features: standardised ``(n, columns)``.
        y: accuracies ``(n, targets)``.
        noise_var: ``(n, targets)``, used for the relative noise of architectures.
        seed: of the choice of at most ``KERNEL_ROWS`` architectures.

    Returns:
        The kernel, and the noise variance of one training in variances of a target.
    """
    with extra("surrogate", "fitting a surrogate"):
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import RBF, ConstantKernel
    some = np.random.default_rng(seed).permutation(len(y))[:KERNEL_ROWS]
    kernel = ConstantKernel(1.0) * RBF(8.0, (1.0, 100.0)) + ConstantKernel(0.1) * RBF(
        2.0, (0.2, 50.0)
    )
    relative = relative_noise(noise_var)[some]
    targets = log_error(y[some])
    standard = (targets - targets.mean(axis=0)) / targets.std(axis=0)
    best: tuple[float, Any, float] | None = None
    for level in (0.02, 0.06, 0.15):
        process = GaussianProcessRegressor(kernel, alpha=level * relative, random_state=0)
        with warnings.catch_warnings():  # a scale at its bound is a feature that does not matter
            warnings.simplefilter("ignore")
            process.fit(features[some], standard)
        score = float(process.log_marginal_likelihood_value_)
        if best is None or score > best[0]:
            best = (score, process.kernel_, level)
    if best is None:
        raise RuntimeError("no kernel was fitted")
    return best[1], best[2]


def log_error(accuracy: FloatArray) -> FloatArray:
    """Logarithm of the share of wrong answers: differences near the top count as much as others."""
    return np.asarray(np.log(np.clip(1 - accuracy, 1e-3, None)))


def relative_noise(noise_var: FloatArray) -> FloatArray:
    """Noise of each architecture's mean relative to the average ``(n,)``, for the last target."""
    last = noise_var[:, -1]
    return np.asarray(np.clip(last / last.mean(), 0.05, 20.0))


class _Process:
    """A Gaussian process with a fitted kernel, shared by all targets."""

    def __init__(
        self, features: FloatArray, y: FloatArray, noise_var: FloatArray, chosen: Any
    ) -> None:
        from sklearn.gaussian_process import GaussianProcessRegressor

        (kernel, level), _ = chosen
        targets = log_error(y)
        self._mean, self._scale = targets.mean(axis=0), targets.std(axis=0)
        alpha = level * relative_noise(noise_var)
        self._process = GaussianProcessRegressor(kernel, alpha=alpha, optimizer=None)
        self._process.fit(features, (targets - self._mean) / self._scale)

    def predict(self, features: FloatArray) -> FloatArray:
        mean = np.asarray(self._process.predict(features)).reshape(len(features), -1)
        return np.asarray(1 - np.exp(mean * self._scale + self._mean))


class _Trees:
    """Extremely randomised trees (Geurts et al. 2006) of all targets."""

    def __init__(
        self, features: FloatArray, y: FloatArray, noise_var: FloatArray, chosen: Any
    ) -> None:
        from sklearn.ensemble import ExtraTreesRegressor

        self._trees = ExtraTreesRegressor(
            120, min_samples_leaf=2, max_features=0.4, random_state=chosen[1]
        )
        self._trees.fit(features, y, sample_weight=1 / relative_noise(noise_var))

    def predict(self, features: FloatArray) -> FloatArray:
        return np.asarray(self._trees.predict(features)).reshape(len(features), -1)


class Spread:
    """Uncertainty of predictions as a function of the input: trees on squared residuals.

    Args:
        features: ``(n, columns)``.
        residual: truth minus prediction ``(n, targets)``.
        noise_var: variance of the truth's noise ``(n, targets)``, taken off.
        seed: of the trees.
    """

    def __init__(
        self, features: FloatArray, residual: FloatArray, noise_var: FloatArray, seed: int
    ) -> None:
        from sklearn.ensemble import ExtraTreesRegressor

        leaf = max(10, len(features) // 25)
        self._trees = ExtraTreesRegressor(
            60, min_samples_leaf=leaf, max_features=0.5, random_state=seed
        )
        self._trees.fit(features, residual**2 - noise_var)
        self._least = np.maximum(FLOOR**2, 0.1 * np.mean(residual**2 - noise_var, axis=0))

    def predict(self, features: FloatArray) -> FloatArray:
        """Standard deviations ``(n, targets)``."""
        var = np.asarray(self._trees.predict(features)).reshape(len(features), -1)
        return np.asarray(np.sqrt(np.maximum(var, self._least)))


FAMILIES: dict[str, Family] = {"gaussian-process": _Process, "trees": _Trees}
