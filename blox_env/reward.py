"""Reward formulas by name: accuracy penalised by latency on a target device.

Every formula takes accuracies as fractions ``(n,)``, latencies ``(n,)`` and a latency target in the
same unit, and gives rewards ``(n,)``; higher is better. Without a device only ``accuracy`` works.

=============  =====================================================  =========================
name           reward for accuracy a, latency t, target T             source
=============  =====================================================  =========================
accuracy       a                                                      (latency is ignored)
mnasnet        a · (t/T)^-0.07                                        Tan et al. 2019, soft
mnasnet-hard   a if t ≤ T else a · (t/T)^-1                           Tan et al. 2019, hard
tunas          a - 0.07 · abs(t/T - 1)                                Bender et al. 2020
linear         a - 0.07 · t/T                                         weighted sum
chebyshev      -max(1 - a, 0.5 · t/T)                                 Chebyshev scalarisation
constraint     a if t ≤ T else -(t/T - 1)                             infeasible below feasible
=============  =====================================================  =========================
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from blox_env.errors import unknown_name
from blox_env.spaces.base import FloatArray

RewardFunction = Callable[[FloatArray, FloatArray, float], FloatArray]


def accuracy(acc: FloatArray, latency: FloatArray, target: float) -> FloatArray:
    """Accuracy alone."""
    return acc


def mnasnet(acc: FloatArray, latency: FloatArray, target: float) -> FloatArray:
    """Soft trade-off: 5 % more accuracy for twice the latency is even (Tan et al. 2019)."""
    return acc * (latency / target) ** -0.07


def mnasnet_hard(acc: FloatArray, latency: FloatArray, target: float) -> FloatArray:
    """Latency counts only above the target, and then in full (Tan et al. 2019, α=0, β=-1)."""
    return acc * np.maximum(latency / target, 1.0) ** -1.0


def tunas(acc: FloatArray, latency: FloatArray, target: float) -> FloatArray:
    """Absolute reward: deviations from the target cost in both directions (Bender et al. 2020)."""
    return acc - 0.07 * np.abs(latency / target - 1.0)


def linear(acc: FloatArray, latency: FloatArray, target: float) -> FloatArray:
    """Accuracy minus a share of the latency."""
    return acc - 0.07 * latency / target


def chebyshev(acc: FloatArray, latency: FloatArray, target: float) -> FloatArray:
    """Minus the worse of the error and half the relative latency; reaches concave fronts too."""
    return -np.maximum(1.0 - acc, 0.5 * latency / target)


def constraint(acc: FloatArray, latency: FloatArray, target: float) -> FloatArray:
    """Accuracy within the target, else minus the relative excess."""
    return np.where(latency <= target, acc, 1.0 - latency / target)


REWARDS: dict[str, RewardFunction] = {
    "accuracy": accuracy,
    "mnasnet": mnasnet,
    "mnasnet-hard": mnasnet_hard,
    "tunas": tunas,
    "linear": linear,
    "chebyshev": chebyshev,
    "constraint": constraint,
}


def load_reward(reward: str | RewardFunction) -> tuple[str, RewardFunction]:
    """Name and function of a formula; a function of one's own is taken as it is.

    Raises:
        ValueError: for an unknown name, with the closest known one.
    """
    if callable(reward):
        # with its module, so that nobody's "mnasnet" passes for the formula of that name
        name = getattr(reward, "__qualname__", type(reward).__qualname__)
        return f"{getattr(reward, '__module__', '?')}:{name}", reward
    if reward not in REWARDS:
        raise ValueError(unknown_name("reward", reward, REWARDS))
    return reward, REWARDS[reward]
