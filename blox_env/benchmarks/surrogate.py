"""Predicts learning curves with uncertainty from trainings: a mixture of model families.

The idea of a surrogate in place of a table is NAS-Bench-301's (Siems et al., ICLR 2022). Every
model is fitted on all but one fold of the architectures, so that there is an honest prediction,
by models that have not seen it, for every architecture that was trained. How much each family
counts is chosen on architectures that optimisers found, because there searches end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.benchmarks.families import Model, load_family
from blox_env.ground.errors import check_positive_int
from blox_env.ground.extras import extra
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.base import SearchSpace

CHUNK = 8192  # rows predicted at once
FEW = 30  # fewer found architectures than this say nothing about weights
FLOOR = 0.002  # smallest standard deviation of a prediction
DEFAULT = ("gaussian-process", "trees")
CODES = ("graph",)  # kinds of features that are no quantities


@dataclass(frozen=True)
class Prediction:
    """Predicted targets ``(n, targets)`` and their uncertainty (one standard deviation)."""

    mean: FloatArray
    std: FloatArray


class CurveEnsemble:
    """A mixture of families on the features of an architecture.

    Depth counts: how long the chains of convolutions without a shortcut are decides how well a
    network trains. Targets are accuracies, values of the learning curve and others.

    Args:
        space: of the architectures.
        families: names of the families that are mixed.
        folds: number of members of each family; each leaves out one fold.
        seed: of the division into folds and of the models.

    Attributes:
        weights: how much each family counts, by name.
        unseen: out-of-fold predictions of each family ``(n, targets)``, by name.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        families: Sequence[str] = DEFAULT,
        folds: int = 10,
        seed: int = 0,
    ) -> None:
        self.space = space
        self.families = {name: load_family(name) for name in families}
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
        *,
        even_noise_var: FloatArray | None = None,
    ) -> Prediction:
        """Fit on distinct architectures ``(n, slots)`` with targets ``(n, targets)``.

        Args:
            x: the architectures.
            y: their mean accuracies; the last column decides about weights and uncertainty.
            noise_var: variance ``(n, targets)`` of the noise of those means.
            found: which of them optimisers found ``(n,)``; none of them if not given.
            even_noise_var: that variance, were all architectures as noisy as the average: models
                weigh architectures by it; ``noise_var`` if not given.

        Returns:
            Out-of-fold predictions: each architecture's by members that have not seen it, not even
            when their hyper-parameters were chosen. Weights and uncertainty are chosen on the other
            half of the folds.
        """
        self._encoders = {
            family.encodings: Encoder(self.space, x, family.encodings)
            for family in self.families.values()
        }
        even = noise_var if even_noise_var is None else even_noise_var
        features = self._features(x)
        spread_on = next(iter(features.values()))
        fold = fold_of(len(x), self.folds, self.seed)
        first = fold < self.folds // 2
        # what is chosen for one half of the folds comes from the other half
        chosen = {
            name: [
                family.choose(features[family.encodings][part], y[part], even[part], self.seed)
                for part in (~first, first)
            ]
            for name, family in self.families.items()
        }
        unseen = {name: np.empty_like(y) for name in self.families}
        self._members = []
        for k in range(self.folds):
            seen = fold != k
            member = {}
            for name, family in self.families.items():
                known = features[family.encodings]
                member[name] = family.fit(
                    known[seen], y[seen], even[seen],
                    chosen=chosen[name][k >= self.folds // 2], seed=self.seed + k,
                )  # fmt: skip
                unseen[name][~seen] = member[name].predict(known[~seen])
            self._members.append(member)
        useful = np.ones(len(x), bool) if found is None or found.sum() < FEW else found
        self.unseen = unseen
        stacked = np.stack(list(unseen.values()))  # (families, n, targets)
        mean, std = np.empty_like(y), np.empty_like(y)
        for own, other in ((first, ~first), (~first, first)):
            part = other & useful if (other & useful).sum() >= FEW // 2 else other
            weight = best_weights(stacked[:, part, -1], y[part, -1], noise_var[part, -1])
            mixed = np.tensordot(weight, stacked, axes=1)
            mean[own] = mixed[own]
            spread = Spread(spread_on[other], (y - mixed)[other], noise_var[other], self.seed)
            std[own] = spread.predict(spread_on[own])
        weight = best_weights(stacked[:, useful, -1], y[useful, -1], noise_var[useful, -1])
        self.weights = dict(zip(self.families, weight.tolist(), strict=True))
        self._spread = Spread(
            spread_on, y - np.tensordot(weight, stacked, axes=1), noise_var, self.seed
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
                    weight * model[name].predict(features[self.families[name].encodings])
                    for model in self._members
                    for name, weight in self.weights.items()
                    if weight > 0
                )
                / len(self._members)
            )
            stds.append(self._spread.predict(next(iter(features.values()))))
        return Prediction(np.concatenate(means), np.concatenate(stds))

    def _features(self, x: IntArray) -> dict[tuple[str, ...], FloatArray]:
        return {kinds: encoder(x) for kinds, encoder in self._encoders.items()}


class Encoder:
    """Standardised features of architectures; codes, such as labels of nodes, stay what they are.

    Args:
        space: of the architectures.
        x: architectures that say what the mean and the deviation of a feature are.
        kinds: of features; those that the space does not have are left out, and one-hot options
            stand in where it has none of them.
    """

    def __init__(self, space: SearchSpace, x: IntArray, kinds: Sequence[str]) -> None:
        self._space = space
        self._kinds = [kind for kind in kinds if kind in space.feature_kinds()] or ["onehot"]
        raw = [self._space.features(x, kind) for kind in self._kinds]
        coded = np.concatenate(
            [np.full(part.shape[1], k in CODES) for part, k in zip(raw, self._kinds, strict=True)]
        )
        every = np.concatenate(raw, axis=1)
        scale = every.std(axis=0)
        self._shift = np.where(coded, 0.0, every.mean(axis=0))
        self._scale = np.where((scale > 0) & ~coded, scale, 1.0)

    def __call__(self, x: IntArray) -> FloatArray:
        """Features ``(n, columns)`` of architectures ``(n, slots)``."""
        return np.asarray((self._columns(x) - self._shift) / self._scale)

    def facts(self) -> dict[str, Any]:
        """Kinds of features and their standardisation, in plain numbers."""
        return {
            "kinds": self._kinds,
            "shift": self._shift.tolist(),
            "scale": self._scale.tolist(),
        }

    def _columns(self, x: IntArray) -> FloatArray:
        parts = [self._space.features(x, kind) for kind in self._kinds]
        return np.concatenate(parts, axis=1)


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
