"""Models of benchmarks as arrays, for programs that are compiled whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blox_env.benchmarks.slottrees import Places, SlotTrees
from blox_env.ground.typing import FloatArray


@dataclass(frozen=True, eq=False)
class CarriedTrees:
    """Boosted trees; ``1 - exp(prediction · scale + shift)`` is the accuracy.

    Attributes:
        places: of their features.
        trees: the trees.
        scale: of the logarithm of the error.
        shift: of the logarithm of the error.
    """

    places: Places
    trees: SlotTrees
    scale: float
    shift: float


@dataclass(frozen=True, eq=False)
class CarriedUnits:
    """One layer of rectified units; ``1 - exp(prediction · scale + shift)`` is the accuracy.

    Attributes:
        base: of the units of every architecture ``(units,)``.
        tables: of each slot, what its options add to that, ``(options, units)``.
        output: weights of the units and, last, a constant ``(units + 1,)``.
        scale: of the logarithm of the error.
        shift: of the logarithm of the error.
    """

    base: FloatArray
    tables: tuple[FloatArray, ...]
    output: FloatArray
    scale: float
    shift: float


@dataclass(frozen=True, eq=False)
class CarriedNetwork:
    """A network in ONNX's form, which takes settings and the epoch.

    Attributes:
        model: the bytes of the file.
        settings: of each slot, what its options set, ``(options, settings)``; they are added up.
        epoch: of the accuracy.
        column: of the outputs, the accuracy.
    """

    model: bytes
    settings: tuple[NDArray[np.int32], ...]
    epoch: float
    column: int


Carried = CarriedTrees | CarriedUnits | CarriedNetwork
