"""Repeatable noise of single trainings, drawn from deviations that were measured."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.errors import check_positive_int
from blox_env.ground.seeds import STEP, mixed
from blox_env.ground.typing import FloatArray, IntArray

NEIGHBOURS = 60  # deviations among which one is drawn


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
        start, width = self._window(accuracy)
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
        start, width = self._window(accuracy)
        squares = self.deviations[:, -2] ** 2  # the last column is of the test accuracy
        cumulated = np.concatenate([[0.0], np.cumsum(squares)])
        return np.asarray((cumulated[start + width] - cumulated[start]) / width)

    def _window(self, accuracy: FloatArray) -> tuple[IntArray, int]:
        """Starts of the windows of deviations of about these accuracies ``(n,)``; their width."""
        r = len(self.accuracy)
        width = min(NEIGHBOURS, r)
        start = np.searchsorted(self.accuracy, accuracy) - width // 2
        return np.clip(start, 0, r - width), width


def mix(number: IntArray, seed: int) -> NDArray[np.uint64]:
    """64 well-mixed bits of each number and the seed, ``(n,)``.

    Args:
        number: any numbers of at least 0.
        seed: what else the bits depend on.
    """
    state = number.astype(np.uint64) * STEP + np.uint64((seed * 0xD1B54A32D192ED03) % 2**64)
    return mixed(mixed(state) + STEP) + STEP
