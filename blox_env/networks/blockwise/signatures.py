"""Signatures: what the losses of distilled blocks say of every block of every stage."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from blox_env.ground.typing import FloatArray
from blox_env.networks.blockwise.weights import read_facts_of
from blox_env.spaces.blox import BLOCKS, STAGES

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


def read_signatures(folder: str | Path) -> Signatures:
    """Signatures of all blocks in a folder that :func:`distil_all` filled, as far as it came.

    Args:
        folder: of the blocks of one teacher.
    """
    tables = {name: np.full((STAGES, len(BLOCKS)), np.nan) for name in (*MEASURES, "seconds")}
    for file in sorted(Path(folder).glob("stage*-block*.npz")):
        facts = read_facts_of(file)
        place = facts["stage"], facts["block"]
        for name in MEASURES:
            value = facts[name]
            tables[name][place] = value[-1] if isinstance(value, list) else value
        timed = Path(folder) / "seconds" / f"{file.stem}.json"
        tables["seconds"][place] = json.loads(timed.read_text())
    return Signatures(**tables)
