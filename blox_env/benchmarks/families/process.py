"""A Gaussian process with two scales of length."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from blox_env.benchmarks.families.base import Family, Model, log_error, relative_noise
from blox_env.ground.extras import extra
from blox_env.ground.typing import FloatArray

ROWS = 500  # architectures on which the hyper-parameters of a kernel are chosen
LEVELS = (0.02, 0.06, 0.15)  # of the noise, in variances of a target


class GaussianProcess(Family):
    """A smooth function of the features; its kernel is chosen once for all members."""

    name = "gaussian-process"

    def choose(self, features: FloatArray, y: FloatArray, noise_var: FloatArray, seed: int) -> Any:
        """The kernel with the largest marginal likelihood, and the noise of one training."""
        return fit_kernels(features, y, noise_var, seed)

    def fit(
        self, features: FloatArray, y: FloatArray, noise_var: FloatArray, *, chosen: Any, seed: int
    ) -> Model:
        """Fit a process of that kernel; see :meth:`Family.fit`."""
        return _Process(features, y, noise_var, chosen)


def fit_kernels(features: FloatArray, y: FloatArray, noise_var: FloatArray, seed: int) -> Any:
    """Kernel with the largest marginal likelihood of the logarithm of standardised errors.

    Args:
        features: standardised ``(n, columns)``.
        y: accuracies ``(n, targets)``.
        noise_var: ``(n, targets)``, used for the relative noise of architectures.
        seed: of the choice of at most ``ROWS`` architectures.

    Returns:
        The kernel, and the noise variance of one training in variances of a target.
    """
    with extra("surrogate", "fitting a surrogate"):
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import RBF, ConstantKernel
    some = np.random.default_rng(seed).permutation(len(y))[:ROWS]
    kernel = ConstantKernel(1.0) * RBF(8.0, (1.0, 100.0)) + ConstantKernel(0.1) * RBF(
        2.0, (0.2, 50.0)
    )
    relative = relative_noise(noise_var)[some]
    targets = log_error(y[some])
    standard = (targets - targets.mean(axis=0)) / targets.std(axis=0)
    best: tuple[float, Any, float] | None = None
    for level in LEVELS:
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


class _Process:
    """A Gaussian process with a fitted kernel, shared by all targets."""

    def __init__(
        self, features: FloatArray, y: FloatArray, noise_var: FloatArray, chosen: Any
    ) -> None:
        from sklearn.gaussian_process import GaussianProcessRegressor

        kernel, level = chosen
        targets = log_error(y)
        self._mean, self._scale = targets.mean(axis=0), targets.std(axis=0)
        alpha = level * relative_noise(noise_var)
        self._process = GaussianProcessRegressor(kernel, alpha=alpha, optimizer=None)
        self._process.fit(features, (targets - self._mean) / self._scale)

    def predict(self, features: FloatArray) -> FloatArray:
        mean = np.asarray(self._process.predict(features)).reshape(len(features), -1)
        return np.asarray(1 - np.exp(mean * self._scale + self._mean))
