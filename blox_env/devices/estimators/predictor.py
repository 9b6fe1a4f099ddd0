"""Predicts the latency of a whole space from measured networks.

An inference runs the stages one after another, so latency is nearly a sum over stages; what an
operation costs depends on its stage, and a little on what stands around it. All candidates build
on that; which one is used is decided by cross-validation.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from blox_env.ground.errors import check_positive_int, unknown_name
from blox_env.ground.extras import extra_module
from blox_env.ground.typing import FloatArray
from blox_env.spaces.base import SearchSpace

_ALPHAS = np.logspace(-3, 3, 13)
_CHUNK = 8192  # architectures predicted at once
_SAMPLE = 2048  # architectures that show which networks look alike to a predictor


@dataclass(frozen=True)
class Scores:
    """Agreement of two sets of latencies.

    Attributes:
        mape: mean of ``|predicted / truth - 1|``, a fraction.
        spearman: rank correlation.
        kendall: rank correlation tau-b.
        r2: coefficient of determination.
    """

    mape: float
    spearman: float
    kendall: float
    r2: float


class Model(Protocol):
    """The interface of candidates: fitted on features and milliseconds, predict milliseconds."""

    def fit(self, features: FloatArray, latency: FloatArray) -> object:
        """Fit ``(n, f)`` to ``(n,)``.

        Args:
            features: ``(n, f)``.
            latency: in milliseconds, ``(n,)``.
        """

    def predict(self, features: FloatArray) -> FloatArray:
        """Predict ``(n, f) -> (n,)``."""


def counts(space: SearchSpace, x: ArrayLike) -> FloatArray:
    """Number of each operation in each stage, ``(n, 9)``; one-hot for spaces without operations.

    Args:
        space: of the architectures.
        x: the architectures ``(n, slots)``.
    """
    return space.features(x, "counts" if "counts" in space.feature_kinds() else "onehot")


def parts(space: SearchSpace, x: ArrayLike) -> FloatArray:
    """Counts, operations by position with connections, and blocks one-hot at half the weight.

    The coarse columns carry what many networks share; the penalty of a ridge makes the fine ones
    hold only what remains. ``(n, 9 + 30 + 135)`` for Blox.

    Args:
        space: of the architectures.
        x: the architectures ``(n, slots)``.
    """
    columns = [counts(space, x)]
    if "ops" in space.feature_kinds():
        columns.append(space.features(x, "ops"))
    columns.append(0.5 * space.features(x))
    return np.concatenate(columns, axis=1)


class _Ridge:
    def __init__(self) -> None:
        linear = extra_module("sklearn.linear_model", "surrogate", "predicting latency")
        self._model: Any = linear.RidgeCV(alphas=_ALPHAS)

    def fit(self, features: FloatArray, latency: FloatArray) -> None:
        self._model.fit(features, latency)

    def predict(self, features: FloatArray) -> FloatArray:
        return np.asarray(self._model.predict(features), dtype=np.float64)


class _GaussianProcess:
    """A linear part, an interaction part and noise, their sizes by marginal likelihood."""

    def __init__(self) -> None:
        processes = extra_module("sklearn.gaussian_process", "surrogate", "predicting latency")
        kernels = extra_module(
            "sklearn.gaussian_process.kernels", "surrogate", "predicting latency"
        )
        constant, noise = kernels.ConstantKernel, kernels.WhiteKernel
        kernel = (
            constant(1.0, (1e-4, 1e3)) * kernels.DotProduct(1.0, (1e-3, 1e3))
            + constant(0.1, (1e-6, 1e3)) * kernels.RBF(5.0, (0.5, 100.0))
            + noise(0.1, (1e-6, 1e1))
        )
        self._model: Any = processes.GaussianProcessRegressor(kernel, normalize_y=True)

    def fit(self, features: FloatArray, latency: FloatArray) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a size at the end of its range is no harm
            self._model.fit(features, latency)

    def predict(self, features: FloatArray) -> FloatArray:
        return np.asarray(self._model.predict(features), dtype=np.float64)


class _BoostedRidge:
    """A ridge, and trees on what it leaves."""

    def __init__(self) -> None:
        self._ridge = _Ridge()
        boosting = extra_module("lightgbm", "surrogate", "predicting latency")
        self._trees: Any = boosting.LGBMRegressor(
            n_estimators=150,
            learning_rate=0.03,
            num_leaves=8,
            min_child_samples=15,
            reg_lambda=1.0,
            random_state=0,
            deterministic=True,
            n_jobs=1,
            verbose=-1,
        )

    def fit(self, features: FloatArray, latency: FloatArray) -> None:
        self._ridge.fit(features, latency)
        self._trees.fit(features, latency - self._ridge.predict(features))

    def predict(self, features: FloatArray) -> FloatArray:
        trees = np.asarray(self._trees.booster_.predict(features), dtype=np.float64)
        return self._ridge.predict(features) + trees


@dataclass(frozen=True)
class Candidate:
    """One way to predict: what is seen of an architecture, and the model fitted on it."""

    features: Callable[[SearchSpace, ArrayLike], FloatArray]
    model: Callable[[], Model]
    words: str


CANDIDATES: dict[str, Candidate] = {
    "ridge-counts": Candidate(counts, _Ridge, "ridge on counts of operations per stage"),
    "ridge-parts": Candidate(
        parts, _Ridge, "ridge on counts, positions, connections and blocks per stage"
    ),
    "boosted-ridge": Candidate(
        parts, _BoostedRidge, "ridge as in ridge-parts, gradient-boosted trees on its residuals"
    ),
    "gaussian-process": Candidate(
        parts, _GaussianProcess, "Gaussian process, linear plus RBF, on the features of ridge-parts"
    ),
}


def cross_validate(
    space: SearchSpace,
    rows: ArrayLike,
    latency_ms: ArrayLike,
    candidate: str | Candidate,
    *,
    folds: int = 10,
    seed: int = 0,
) -> FloatArray:
    """Predict each measured network from the other folds: held-out latencies ``(n,)`` in ms.

    Args:
        space: what the rows belong to.
        rows: measured architectures ``(n, slots)``.
        latency_ms: their latencies ``(n,)``.
        candidate: one of one's own, or the name of one of ``CANDIDATES``.
        folds: number of parts, at most n.
        seed: of the division into parts.
    """
    candidate = _candidate(candidate)
    features, latency = _pair(candidate, space, rows, latency_ms)
    folds = check_positive_int("folds", folds, 2)
    if folds > len(latency):
        raise ValueError(
            f"folds must be at most the number of networks {len(latency)}, got {folds}"
        )
    part = np.random.default_rng(seed).permutation(len(latency)) % folds
    held_out = np.empty(len(latency))
    for fold in range(folds):
        model = candidate.model()
        model.fit(features[part != fold], latency[part != fold])
        held_out[part == fold] = model.predict(features[part == fold])
    return held_out


def choose(
    space: SearchSpace,
    rows: ArrayLike,
    latency_ms: ArrayLike,
    *,
    candidates: Mapping[str, Candidate] = CANDIDATES,
    folds: int = 10,
    seed: int = 0,
) -> tuple[str, dict[str, Scores]]:
    """Choose the candidate that tells most networks apart among those of the lowest held-out error.

    Those are the best one and all that are behind it by no more than the standard error of its own
    error (the rule of one standard error, Breiman et al. 1984).

    Args:
        space: of the architectures.
        rows: measured architectures ``(n, slots)``.
        latency_ms: their latencies ``(n,)``.
        candidates: makers of models by name.
        folds: parts of which each is held out once.
        seed: of the parts.

    Returns:
        Its name, and the held-out scores of all candidates.
    """
    truth = np.asarray(latency_ms, dtype=np.float64)
    held_out = {
        name: cross_validate(space, rows, truth, each, folds=folds, seed=seed)
        for name, each in candidates.items()
    }
    table = {name: scores(truth, each) for name, each in held_out.items()}
    best = min(table, key=lambda name: table[name].mape)
    errors = np.abs(held_out[best] / truth - 1)
    enough = table[best].mape + errors.std() / np.sqrt(len(truth))
    near = [name for name, each in table.items() if each.mape <= enough]
    sample = space.sample(np.random.default_rng(seed), _SAMPLE)
    apart = {
        name: len(np.unique(candidates[name].features(space, sample), axis=0)) for name in near
    }
    return min(near, key=lambda name: (-apart[name], table[name].mape)), table


def predict_space(
    space: SearchSpace, rows: ArrayLike, latency_ms: ArrayLike, candidate: str | Candidate
) -> FloatArray:
    """Fit one candidate on all measured networks and predict the whole space, ``(size,)`` in ms.

    Args:
        space: of the architectures.
        rows: measured architectures ``(n, slots)``.
        latency_ms: their latencies ``(n,)``.
        candidate: its name, or what makes it.
    """
    candidate = _candidate(candidate)
    features, latency = _pair(candidate, space, rows, latency_ms)
    model = candidate.model()
    model.fit(features, latency)
    pieces = [
        model.predict(candidate.features(space, space.from_index(numbers)))
        for numbers in np.split(np.arange(space.size), range(_CHUNK, space.size, _CHUNK))
    ]
    return np.concatenate(pieces)


def scores(truth: ArrayLike, predicted: ArrayLike) -> Scores:
    """Compare latencies ``(n,)`` with ``(n,)``.

    Args:
        truth: what is right.
        predicted: what is judged.
    """
    stats = extra_module("scipy.stats", "surrogate", "predicting latency")
    a, b = (np.asarray(v, dtype=np.float64) for v in (truth, predicted))
    if a.shape != b.shape or a.ndim != 1 or len(a) < 2:
        raise ValueError(f"expected two arrays of shape (n,), n ≥ 2, got {a.shape} and {b.shape}")
    return Scores(
        mape=float(np.mean(np.abs(b / a - 1))),
        spearman=float(stats.spearmanr(a, b).statistic),
        kendall=float(stats.kendalltau(a, b).statistic),
        r2=float(1 - np.sum((a - b) ** 2) / np.sum((a - a.mean()) ** 2)),
    )


def _candidate(candidate: str | Candidate) -> Candidate:
    if isinstance(candidate, Candidate):
        return candidate
    if candidate not in CANDIDATES:
        raise ValueError(unknown_name("predictor", candidate, CANDIDATES))
    return CANDIDATES[candidate]


def _pair(
    candidate: Candidate, space: SearchSpace, rows: ArrayLike, latency_ms: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    features = candidate.features(space, rows)
    latency = np.asarray(latency_ms, dtype=np.float64)
    if latency.shape != (len(features),):
        raise ValueError(
            f"expected latency_ms as an array of shape ({len(features)},), got {latency.shape}"
        )
    if not np.isfinite(latency).all() or (latency <= 0).any():
        raise ValueError("expected latency_ms to be finite and above 0, got other values")
    return features, latency
