"""Signatures: what the losses of distilled blocks say of every block of every stage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from blox_env.ground.typing import FloatArray

MEASURES = ("nsr", "mse", "swap_acc")


@dataclass(frozen=True)
class Signatures:
    """Measures of every block at every stage, ``(stages, blocks)``, NaN where there is none.

    Attributes:
        nsr: squared error over the variance of the teacher's channels; lower is better.
        mse: mean squared error; lower is better.
        swap_acc: accuracy of the teacher with this block in place of its own; higher is better.
        seconds: CPU time of the block's training.
    """

    nsr: FloatArray
    mse: FloatArray
    swap_acc: FloatArray
    seconds: FloatArray

    def of(self, x: ArrayLike, measure: str = "nsr") -> FloatArray:
        """Signatures of architectures ``(n, stages)``: the logarithm of an error, or an accuracy.

        Args:
            x: the architectures.
            measure: one of :data:`MEASURES`.
        """
        table = getattr(self, measure)
        rows = np.asarray(x)
        found = table[np.arange(rows.shape[1]), rows]
        return np.asarray(found if measure == "swap_acc" else np.log(found), dtype=float)
