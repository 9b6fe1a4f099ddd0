"""The interface of a kept model: rows become components of learning curves."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from blox_env.benchmarks.carried import Carried
from blox_env.benchmarks.families.base import Model
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.base import SearchSpace
from blox_env.store.arrays import Shape, read_array

LEAST = 1e-6  # variance of a prediction, at least


class Features:
    """Standardised features of architectures, as a file of facts tells of them.

    Args:
        space: of the architectures.
        facts: ``kinds``, ``shift`` and ``scale``.

    Raises:
        ValueError: for kinds that the space has not, or another number of columns.
    """

    def __init__(self, space: SearchSpace, facts: Mapping[str, Any]) -> None:
        self.space, self.kinds = space, tuple(facts["kinds"])
        self.shift, self.scale = (np.array(facts[k], dtype=float) for k in ("shift", "scale"))
        some = np.zeros((1, space.slots), dtype=np.int64)
        columns = sum(space.features(some, kind).shape[1] for kind in self.kinds)
        if not self.shift.shape == self.scale.shape == (columns,):
            raise ValueError(
                f"kinds {', '.join(map(str, self.kinds))} have {columns} columns, shift and scale "
                f"{len(self.shift)} and {len(self.scale)}"
            )

    def __call__(self, rows: IntArray) -> FloatArray:
        """Features ``(n, columns)`` of architectures ``(n, slots)``."""
        raw = [self.space.features(rows, kind) for kind in self.kinds]
        return np.asarray((np.concatenate(raw, axis=1) - self.shift) / self.scale)


@dataclass(frozen=True)
class Files:
    """The files of a folder, whose checksums are known.

    Attributes:
        folder: where they are.
        sha256: of each, by name.
        facts: the name of the file that says so.
    """

    folder: Path
    sha256: Mapping[str, str]
    facts: str

    def array(self, name: str, shape: Shape, dtype: type = np.float64) -> NDArray[Any]:
        """An array, checked; ValueError where it is missing, damaged or of another shape."""
        try:
            return read_array(self.folder / name, self.sha256.get(name, ""), dtype, shape)
        except FileNotFoundError:
            raise ValueError(self._missing(name)) from None

    def text(self, name: str) -> str:
        """A text, checked; ValueError where it is missing or damaged."""
        path = self.folder / name
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise ValueError(self._missing(name)) from None
        if hashlib.sha256(content).hexdigest() != self.sha256.get(name):
            raise ValueError(f"{path} is damaged: its SHA-256 is not that of {self.facts}")
        return content.decode(errors="replace")

    def _missing(self, name: str) -> str:
        return f"{self.folder} is not whole: {name} is missing"


class Predictor(ABC):
    """A fitted model of components of learning curves, and of how far it is off.

    Attributes:
        family: what it was fitted by, see :mod:`blox_env.benchmarks.families`.
    """

    family: ClassVar[str]

    @classmethod
    @abstractmethod
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
        """Write a model that :attr:`family` fitted.

        Args:
            folder: for its files, ``.txt`` or ``.npy``.
            model: that the family gave.
            features: that it was fitted on.
            columns: these, of the architectures that it was fitted on ``(n, columns)``.
            predicted: last components that held-out models predict of these ``(n,)``.
            excess: squared errors of held-out predictions beyond the noise ``(n,)``.
            seed: of random choices.
        """

    @classmethod
    @abstractmethod
    def read(cls, files: Files, features: Features, components: int) -> Predictor:
        """Read what :meth:`write` wrote.

        Args:
            files: of the folder.
            features: that it was fitted on.
            components: of learning curves.

        Raises:
            ValueError: for a file that is missing, damaged or does not fit; names it.
        """

    @abstractmethod
    def predict(self, rows: IntArray) -> tuple[FloatArray, FloatArray]:
        """Components ``(n, components)`` of architectures, and variances of these ``(n,)``.

        The variance is that of the last validation accuracy.
        """

    @abstractmethod
    def carried(self, scale: float, shift: float) -> Carried:
        """The last component as arrays; ``1 - exp(it · scale + shift)`` is the accuracy.

        Args:
            scale: of the logarithm of the error.
            shift: of the logarithm of the error.
        """
