"""Trainings by architecture: means, and the noise of a single training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blox_env.benchmarks.noise import nearby_mean
from blox_env.benchmarks.trainings import ROUND, UNIFORM, Trainings
from blox_env.ground.typing import FloatArray, IntArray


@dataclass(frozen=True)
class Grouped:
    """Trainings by architecture.

    Attributes:
        x: distinct architectures ``(m, slots)``.
        mean: of their validation curve and test accuracy ``(m, epochs + 1)``; the test accuracy
            comes first, the last validation accuracy last.
        count: number of trainings ``(m,)``.
        noise: variance of one training's targets at each architecture's accuracy, as ``mean``.
        uniform: whether uniform sampling asked for it ``(m,)``.
        found: whether optimisers found it, and uniform sampling had not asked for it ``(m,)``.
        member: of which of them each training is ``(n,)``.
    """

    x: IntArray
    mean: FloatArray
    count: IntArray
    noise: FloatArray
    uniform: NDArray[np.bool_]
    found: NDArray[np.bool_]
    member: IntArray

    @property
    def noise_of_mean(self) -> FloatArray:
        """Variance of the noise of ``mean``."""
        return np.asarray(self.noise / self.count[:, None])

    @property
    def even_noise_of_mean(self) -> FloatArray:
        """The same, were the noise of a training that of an average architecture.

        Models weigh architectures by it. Worse networks are noisier: weights that followed their
        own noise would follow what is to be predicted, and pull all predictions up.
        """
        even = np.broadcast_to(self.noise.mean(axis=0), self.noise.shape)
        return np.asarray(even / self.count[:, None])


def noise_table(raw: Trainings) -> FloatArray:
    """Deviations of single trainings from their architecture's mean, as :class:`Noise` takes them.

    From architectures trained at least twice; scaled by ``sqrt(k / (k - 1))``, since the mean of k
    trainings contains the training itself.
    """
    _, group_of, count = np.unique(raw.x, axis=0, return_inverse=True, return_counts=True)
    targets = np.column_stack([raw.val_acc, raw.test_acc])
    mean = group_mean(targets, group_of, count)
    repeated = count[group_of] > 1
    k = count[group_of][repeated, None]
    deviation = (targets - mean[group_of])[repeated] * np.sqrt(k / (k - 1))
    final = mean[group_of][repeated, raw.val_acc.shape[1] - 1]
    order = np.argsort(final, kind="stable")
    return np.column_stack([final, deviation])[order]


def group(raw: Trainings, deviations: FloatArray) -> Grouped:
    """Means by architecture, with the noise of one training at about the same accuracy.

    Args:
        raw: the trainings.
        deviations: their :func:`noise_table`.

    Raises:
        ValueError: where no architecture was trained twice.
    """
    x, member, count = np.unique(raw.x, axis=0, return_inverse=True, return_counts=True)
    mean = group_mean(np.column_stack([raw.test_acc, raw.val_acc]), member, count)
    if len(deviations) < 2:
        raise ValueError("no architecture was trained twice: the noise of a training is unknown")
    squares = np.roll(deviations[:, 1:], 1, axis=1) ** 2  # the test accuracy first
    noise = nearby_mean(deviations[:, 0], squares, mean[:, -1])
    uniform, found = np.zeros((2, len(x)), dtype=bool)
    uniform[member[raw.asked_by == UNIFORM]] = True
    found[member[np.char.startswith(raw.asked_by, ROUND)]] = True
    return Grouped(x, mean, count, noise, uniform, found & ~uniform, member)


def group_mean(values: FloatArray, group_of: IntArray, count: IntArray) -> FloatArray:
    """Mean of the values in each group ``(groups, targets)``.

    Args:
        values: ``(n, targets)``.
        group_of: number of the group of each ``(n,)``.
        count: number of values in each group ``(groups,)``.
    """
    total = np.zeros((len(count), values.shape[1]))
    np.add.at(total, group_of, values)
    return np.asarray(total / count[:, None], dtype=np.float64)
