"""Repeatable noise of single trainings, drawn from deviations that were measured."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.errors import check_positive_int
from blox_env.ground.seeds import STEP, mixed
from blox_env.ground.typing import FloatArray, IntArray

NEIGHBOURS = 60  # deviations at about one accuracy: one of them is drawn, they are averaged


class Noise:
    """Deviations of single trainings from the mean of their architecture.

    A draw takes one of the deviations measured on architectures of about the same accuracy, with a
    random sign: so its size, its course over the epochs and its relation to the test accuracy are
    those of real trainings.

    Args:
        table: ``(r, E + 2)``, rows sorted by the first column, the architecture's mean validation
            accuracy; then deviations of the ``E`` validation accuracies and of the test accuracy.
    """

    def __init__(self, table: NDArray[np.float32]) -> None:
        self.accuracy = np.asarray(table[:, 0], dtype=np.float64)
        self.deviations = np.asarray(table[:, 1:], dtype=np.float64)

    def draw(self, number: IntArray, accuracy: FloatArray, seed: int) -> FloatArray:
        """Deviations ``(n, E + 1)`` that depend on number of the architecture and seed only.

        Args:
            number: of the architectures, ``(n,)``.
            accuracy: their mean validation accuracies ``(n,)``.
            seed: of the draw.
        """
        check_positive_int("seed", seed, 0)
        r = len(self.accuracy)
        if r == 0:
            return np.zeros((len(number), self.deviations.shape[1]))
        start, width = window(self.accuracy, accuracy)
        bits = mix(number, seed)
        row = start + (bits >> np.uint64(1)).astype(np.int64) % width
        sign = np.where(bits & np.uint64(1), 1.0, -1.0)
        drawn: FloatArray = self.deviations[row] * sign[:, None]
        return drawn

    def variance(self, accuracy: FloatArray) -> FloatArray:
        """Variance of one training's last validation accuracy at some accuracies ``(n,)``.

        NaN where no deviation was measured.

        Args:
            accuracy: mean validation accuracies ``(n,)``.
        """
        if len(self.accuracy) == 0:
            return np.full(len(accuracy), np.nan)
        squares = self.deviations[:, -2:-1] ** 2  # the last column is of the test accuracy
        return nearby_mean(self.accuracy, squares, accuracy)[:, 0]


def window(ordered: FloatArray, accuracy: FloatArray) -> tuple[IntArray, int]:
    """First of the places whose accuracies are nearest, and the number of these places.

    Args:
        ordered: accuracies in ascending order ``(r,)``.
        accuracy: what they are to be near ``(n,)``.

    Returns:
        First places ``(n,)``; the number of places, :data:`NEIGHBOURS` or all.
    """
    width = min(NEIGHBOURS, len(ordered))
    start = np.searchsorted(ordered, accuracy) - width // 2
    return np.clip(start, 0, len(ordered) - width), width


def nearby_mean(ordered: FloatArray, values: FloatArray, accuracy: FloatArray) -> FloatArray:
    """Mean of the values at about these accuracies ``(n, k)``.

    Args:
        ordered: accuracies in ascending order ``(r,)``.
        values: what is known at each of them ``(r, k)``.
        accuracy: where the mean is wanted ``(n,)``.
    """
    start, width = window(ordered, accuracy)
    cumulated = np.vstack([np.zeros(values.shape[1]), np.cumsum(values, axis=0)])
    return np.asarray((cumulated[start + width] - cumulated[start]) / width)


def mix(number: IntArray, seed: int) -> NDArray[np.uint64]:
    """64 well-mixed bits of each number and the seed, ``(n,)``.

    Args:
        number: any numbers of at least 0.
        seed: what else the bits depend on.
    """
    state = number.astype(np.uint64) * STEP + np.uint64((seed * 0xD1B54A32D192ED03) % 2**64)
    return mixed(mixed(state) + STEP) + STEP
