"""A small network, kept as arrays and asked with numpy alone: the quickest of all.

Its first layer is a sum of one vector a slot (:mod:`blox_env.benchmarks.predictors.sums`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from blox_env.benchmarks.carried import CarriedUnits
from blox_env.benchmarks.families.base import Model
from blox_env.benchmarks.predictors.base import LEAST, Features, Files, Predictor
from blox_env.benchmarks.predictors.sums import LinearSums
from blox_env.ground.files import write_atomic
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.store.arrays import array_bytes

HIDDEN, OUTPUT, SPREAD = "hidden.npy", "output.npy", "spread.npy"
BINS = 8  # levels, at most, each with an error of its own
IN_BIN = 25  # architectures of a level
CHUNK = 512  # rows at once: what is worked on stays in the processor's cache


class Network(Predictor):
    """One hidden layer of rectified units, of which each component has its own.

    How far predictions are off follows what they are: levels of the last component, linear between.

    Args:
        features: of architectures.
        hidden: weights and, last, constants of the hidden layer ``(columns + 1, units)``.
        output: of each component, weights of its units and a constant ``(components, own + 1)``.
        spread: values of the last component, ascending, and variances there ``(2, levels)``.
    """

    family = "mlp"

    def __init__(
        self, features: Features, hidden: FloatArray, output: FloatArray, spread: FloatArray
    ) -> None:
        self._hidden = LinearSums(features, hidden)
        self._output, self._spread = output, spread

    @classmethod
    def write(
        cls,
        folder: Path,
        model: Model,
        features: Features,
        columns: FloatArray,
        predicted: FloatArray,
        excess: FloatArray,
        seed: int,
    ) -> None:
        """Write the arrays; see :meth:`Predictor.write`."""
        fitted: Any = model
        parts = fitted.models
        hidden = np.column_stack(
            [np.vstack([part.coefs_[0], part.intercepts_[0]]) for part in parts]
        )
        output = [np.append(part.coefs_[1][:, 0], part.intercepts_[1]) for part in parts]
        arrays = {
            HIDDEN: hidden,
            OUTPUT: np.array(output),
            SPREAD: levels_of_error(predicted, excess),
        }
        for name, values in arrays.items():
            write_atomic(folder / name, array_bytes(values))

    @classmethod
    def read(cls, files: Files, features: Features, components: int) -> Network:
        """Read the arrays; see :meth:`Predictor.read`."""
        hidden = files.array(HIDDEN, (len(features.shift) + 1, None))
        output = files.array(OUTPUT, (components, hidden.shape[1] // components + 1))
        if hidden.shape[1] % components:
            raise ValueError(
                f"{files.folder / HIDDEN}: expected as many units for each of {components} "
                f"components, got {hidden.shape[1]}"
            )
        return cls(features, hidden, output, files.array(SPREAD, (2, None)))

    def predict(self, rows: IntArray) -> tuple[FloatArray, FloatArray]:
        """Ask the network; see :meth:`Predictor.predict`."""
        components, own = self._output.shape
        weights, constants = self._output[:, :-1], self._output[:, -1]
        said = np.empty((len(rows), components))
        for start in range(0, len(rows), CHUNK):
            units = self._hidden(rows[start : start + CHUNK]).reshape(-1, components, own - 1)
            np.maximum(units, 0.0, out=units)
            units *= weights
            # no matrix product: its sums depend on how many rows it is asked for
            said[start : start + CHUNK] = units.sum(axis=2) + constants
        return said, np.interp(said[:, -1], *self._spread)

    def carried(self, scale: float, shift: float) -> CarriedUnits:
        """The units of the last component; see :meth:`Predictor.carried`."""
        own = self._output.shape[1] - 1
        base, tables = self._hidden.base[-own:], [t[:, -own:] for t in self._hidden.tables]
        return CarriedUnits(base, tuple(tables), self._output[-1], scale, shift)


def levels_of_error(predicted: FloatArray, excess: FloatArray) -> FloatArray:
    """Mean squared errors beyond noise by level of what was predicted.

    Args:
        predicted: ``(n,)``.
        excess: squared errors beyond noise ``(n,)``.

    Returns:
        Levels, ascending, and variances, at least ``LEAST``, ``(2, levels)``.
    """
    order = np.argsort(predicted, kind="stable")
    parts = np.array_split(order, max(1, min(BINS, len(order) // IN_BIN)))
    pairs = [(predicted[part].mean(), max(LEAST, excess[part].mean())) for part in parts]
    return np.array(pairs).T
