"""From a vector of rewards to one number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike

from blox_env.ground.errors import unknown_name
from blox_env.ground.typing import FloatArray

HOW = ("linear", "chebyshev")


class Scalarisation:
    """One number of a vector reward and weights; higher is better.

    With ``low`` and ``high`` each objective is first put on a scale from 0 to 1, so that weights
    mean the same whatever the units are:

    * ``linear``: ``Σ w · r``;
    * ``chebyshev``: ``1 - max w · (1 - r)``, one minus the weighted distance to ``high`` of the
      objective that is worst off (Steuer & Choo, 1983); it reaches dents of a front, too.

    A vector of zeros, a step that earned nothing, is 0 on every scale.

    Args:
        env: with a ``reward_space``, as MO-Gymnasium has it.
        how: ``"linear"`` or ``"chebyshev"``.
        low: rewards that count as 0, ``(objectives,)``: the worst that there are.
        high: rewards that count as 1: the best that there are.

    Raises:
        ValueError: for an environment without vector rewards, bounds of another shape or order, or
            ``chebyshev`` without bounds.
    """

    def __init__(
        self,
        env: Any,
        how: str = "linear",
        low: Sequence[float] | None = None,
        high: Sequence[float] | None = None,
    ) -> None:
        space = getattr(env.unwrapped, "reward_space", None)
        if not isinstance(space, spaces.Box) or len(space.shape) != 1:
            raise ValueError(
                "env must have vector rewards and a reward_space, such as blox_env/MOBlox-v0, "
                f"got {env!r}"
            )
        self.objectives = space.shape[0]
        if how not in HOW:
            raise ValueError(unknown_name("how", how, HOW))
        if (low is None) != (high is None):
            raise ValueError("low and high go together: pass both or none")
        if how == "chebyshev" and low is None:
            raise ValueError(
                "how='chebyshev' needs low and high, the rewards of each objective that count as 0 "
                "and 1: the ends of env.unwrapped.pareto_front(1.0), for example"
            )
        self.how = how
        self.low = None if low is None else self._bound("low", low)
        self.high = None if high is None else self._bound("high", high)
        if self.low is not None and self.high is not None and not (self.low < self.high).all():
            raise ValueError(f"low must be below high in every objective, got {low!r} and {high!r}")

    def __call__(self, rewards: ArrayLike, weights: FloatArray) -> FloatArray:
        """Of rewards ``(n, objectives)``, weights as these or ``(objectives,)``: ``(n,)``."""
        vectors = np.asarray(rewards)
        scalars = np.zeros(len(vectors))
        earned = np.flatnonzero(vectors.any(axis=1))
        if not len(earned):  # most steps
            return scalars
        values = vectors[earned].astype(float)
        weights = weights if weights.ndim == 1 else weights[earned]
        if self.low is not None and self.high is not None:
            values = (values - self.low) / (self.high - self.low)
        if self.how == "linear":
            scalars[earned] = (weights * values).sum(axis=1)
        else:
            scalars[earned] = 1.0 - (weights * (1.0 - values)).max(axis=1)
        return scalars

    def weights(
        self, weights: ArrayLike, name: str = "weights", n: int | None = None
    ) -> FloatArray:
        """Checked weights, ``(objectives,)``, or ``(n, objectives)`` where ``n`` is given.

        Raises:
            ValueError: for another shape, or negative weights that do not sum up to above 0.
        """
        shape = (self.objectives,) if n is None else (n, self.objectives)
        try:
            given = np.asarray(weights, dtype=float)
            if n is not None and given.shape == shape[1:]:  # the same for all
                given = np.tile(given, (n, 1))
        except (TypeError, ValueError):
            given = np.zeros(0)
        if given.shape != shape:
            one = f"{self.objectives} numbers"
            either = one if n is None else f"{one}, or {n} times as many"
            raise ValueError(f"{name} must be {either}, got {weights!r}")
        if not (np.isfinite(given).all() and (given >= 0).all() and (given.sum(-1) > 0).all()):
            raise ValueError(f"{name} must be at least 0 and one of them above, got {weights!r}")
        return given

    def _bound(self, name: str, values: Sequence[float]) -> FloatArray:
        try:
            bound = np.asarray(values, dtype=float)
        except (TypeError, ValueError):
            bound = np.zeros(0)
        if bound.shape != (self.objectives,) or not np.isfinite(bound).all():
            raise ValueError(f"{name} must be {self.objectives} numbers, got {values!r}")
        return bound
