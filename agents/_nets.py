"""Small neural networks in numpy, trained by L-BFGS: predictors of agents for few data."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from blox_env.agents._model_based import clip_level
from blox_env.ground.typing import FloatArray

Loss = Callable[[FloatArray], tuple[float, FloatArray]]


class Nets:
    """Several networks side by side: one hidden layer of tanh, and a linear path beside it.

    Args:
        inputs: number of features.
        hidden: width of the hidden layer.
        count: number of networks.
        decay: weight of the squared weights in the loss.
        rng: for the weights to start from.
    """

    def __init__(
        self, inputs: int, hidden: int, count: int, decay: float, rng: np.random.Generator
    ) -> None:
        self.shapes = [(count, inputs, hidden), (count, 1, hidden), (count, hidden, 1)]
        self.shapes += [(count, inputs, 1), (count, 1, 1)]
        self.decay = decay
        scales = [(8 / inputs) ** 0.5, 1.0, hidden**-0.5, 0.0, 0.0]  # inputs are mostly zeros
        drawn = [rng.normal(0, s, shape) for s, shape in zip(scales, self.shapes, strict=True)]
        self.theta: FloatArray = np.concatenate([weights.ravel() for weights in drawn])

    def __call__(self, x: FloatArray) -> FloatArray:
        """Outputs ``(networks, n)`` for features ``(n, inputs)``."""
        hidden, bias, out, linear, shift = self._parts(self.theta)
        return np.asarray((np.tanh(x @ hidden + bias) @ out + x @ linear + shift)[..., 0])

    def fit(self, x: FloatArray, loss: Loss, steps: int) -> None:
        """Go on training on features ``(n, inputs)``.

        Args:
            x: the features.
            loss: of outputs ``(networks, n)``: its value, summed over networks, and its gradient.
            steps: iterations of L-BFGS at most.
        """
        from scipy import optimize

        def objective(theta: FloatArray) -> tuple[float, FloatArray]:
            hidden, bias, out, linear, shift = self._parts(theta)
            active = np.tanh(x @ hidden + bias)  # (networks, n, hidden)
            value, slope = loss((active @ out + x @ linear + shift)[..., 0])
            slope = slope[..., None]  # (networks, n, 1)
            inner = slope @ out.transpose(0, 2, 1) * (1 - active**2)
            gradients = (
                x.T @ inner,
                inner.sum(axis=1),
                active.transpose(0, 2, 1) @ slope,
                x.T @ slope,
                slope.sum(axis=1),
            )
            gradient = np.concatenate([part.ravel() for part in gradients])
            return value + self.decay * float(theta @ theta) / 2, gradient + self.decay * theta

        found = optimize.minimize(
            objective, self.theta, jac=True, method="L-BFGS-B", options={"maxiter": steps}
        )
        self.theta = np.asarray(found.x)

    def fit_values(
        self, x: FloatArray, values: FloatArray, weights: FloatArray, steps: int
    ) -> None:
        """Go on training for squared errors of values, standardised and the bad ones clipped.

        Args:
            x: features ``(n, inputs)``.
            values: of them ``(n,)``.
            weights: of the squared errors ``(networks, n)``.
            steps: iterations of L-BFGS at most.
        """
        target = np.maximum(values, clip_level(values))
        target = (target - target.mean()) / (target.std() or 1.0)

        def loss(output: FloatArray) -> tuple[float, FloatArray]:
            error = output - target
            return float((weights * error**2).sum() / 2), weights * error

        self.fit(x, loss, steps)

    def _parts(self, theta: FloatArray) -> list[FloatArray]:
        ends = np.cumsum([np.prod(shape) for shape in self.shapes])
        parts = np.split(theta, ends[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, self.shapes, strict=True)]
