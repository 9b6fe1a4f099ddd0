"""A benchmark in a folder: learning curves of every architecture as a table."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blox_env.benchmarks.base import Benchmark, Evaluation
from blox_env.benchmarks.blocks import FILE, TaughtBlocks, read_blocks
from blox_env.benchmarks.facts import read_facts
from blox_env.benchmarks.noise import Noise
from blox_env.ground.files import file_hash
from blox_env.ground.typing import FloatArray
from blox_env.spaces import BloxSpace
from blox_env.spaces.base import SearchSpace
from blox_env.store.arrays import Shape, read_array

SCHEMA = 1
SCALE = 65535  # fractions are stored as 16-bit integers
_CARD_FIELDS = {"schema": int, "name": str, "epochs": int, "description": str, "sha256": dict}
FILES = ("val_acc", "val_std", "test_acc", "train_time_s", "trained", "noise")


class TableBenchmark(Benchmark):
    """Learning curves of all architectures of a space, by number of the architecture.

    The folder holds ``card.json`` (schema, name, epochs, description, SHA-256 of every array) and
    one ``.npy`` file a column, N being the size of the space and E the number of epochs:

    ================  ==================  ============================================
    file              array               meaning
    ================  ==================  ============================================
    ``val_acc``       ``(N, E)`` uint16   mean validation accuracy · 65535
    ``val_std``       ``(N, E)`` uint16   its uncertainty, one standard deviation
    ``test_acc``      ``(N,)`` uint16     mean test accuracy after the last epoch
    ``train_time_s``  ``(N,)`` float32    CPU seconds of a full training
    ``trained``       ``(k,)`` int32      numbers of the architectures really trained
    ``noise``         ``(r, E + 2)`` f4   deviations of single trainings from their mean
    ================  ==================  ============================================

    It may hold ``blocks.json`` as well: signatures (:mod:`blox_env.benchmarks.blocks`).

    Args:
        folder: where the files are.
        space: the space that the rows are of.

    Raises:
        ValueError: for files that are missing, damaged or not those of the checksums; names the
            file.
    """

    provides = frozenset({"curves", "table"})

    def __init__(self, folder: str | Path, space: SearchSpace) -> None:
        self.folder = Path(folder)
        self.space = space
        self.card = read_card(self.folder)
        self.name = str(self.card["name"])
        self.epochs = int(self.card["epochs"])
        self.description = str(self.card["description"])
        n = space.size
        self._val_acc = self._load("val_acc", np.uint16, (n, self.epochs))
        self._val_std = self._load("val_std", np.uint16, (n, self.epochs))
        self._test_acc = self._load("test_acc", np.uint16, (n,))
        self._time = self._load("train_time_s", np.float32, (n,))
        trained = self._load("trained", np.int32, (None,))
        if trained.size and (trained.min() < 0 or trained.max() >= n):
            raise ValueError(f"{self.folder / 'trained.npy'}: numbers outside 0 … {n - 1}")
        self._trained = np.zeros(n, dtype=bool)
        self._trained[trained] = True
        if not ((self._time >= 0) & (self._time < np.inf)).all():
            raise ValueError(
                f"{self.folder / 'train_time_s.npy'}: expected finite times, at least 0"
            )
        if (self.folder / FILE).exists():
            self.provides = self.provides | {"blocks"}
        self._noise = Noise(self._load("noise", np.float32, (None, self.epochs + 2)))

    def evaluate(
        self,
        x: ArrayLike,
        *,
        epochs: int | None = None,
        best: bool = False,
        seed: int | None = None,
    ) -> Evaluation:
        """Look architectures up; see :meth:`blox_env.benchmarks.base.Benchmark.evaluate`.

        With ``seed`` the values are as noisy as one training: the mean plus, with a random sign,
        the deviation of a real training of an architecture of about the same accuracy; the same
        one whenever asked. ``val_std`` and ``source`` then still speak of the mean. ``test_acc`` is
        NaN below full epochs.
        """
        length = self.check_epochs(epochs)
        number = self.space.index(x)
        if best or seed is not None:
            curve = self._val_acc[number, :length] / SCALE
            final = self._val_acc[number, -1] / SCALE
            test = self._test_acc[number] / SCALE
            if seed is not None:
                deviation = self._noise.draw(number, final, seed)
                curve = np.clip(curve + deviation[:, :length], 0, 1)
                test = np.clip(test + deviation[:, -1], 0, 1)
            val = curve.max(axis=1) if best else curve[:, -1]
        else:
            val = self._val_acc[number, length - 1] / SCALE
            test = self._test_acc[number] / SCALE
        if length < self.epochs:
            test = np.full(len(number), np.nan)
        return Evaluation(
            val_acc=val,
            test_acc=test,
            val_std=self._val_std[number, length - 1] / SCALE,
            train_time_s=self._time[number] * (length / self.epochs),
            source=np.where(self._trained[number], "trained", "surrogate"),
        )

    def noise_variance(self, accuracy: ArrayLike) -> FloatArray:
        """Variance of one training of networks of some accuracies, NaN where none was measured.

        Args:
            accuracy: mean validation accuracies ``(n,)``.
        """
        return self._noise.variance(np.asarray(accuracy, dtype=np.float64))

    def blocks(self) -> tuple[TaughtBlocks, ...]:
        """Blocks of all teachers in ``blocks.json``."""
        return self._blocks

    @cached_property
    def _blocks(self) -> tuple[TaughtBlocks, ...]:
        return read_blocks(self.folder / FILE) if "blocks" in self.provides else ()

    def checksum(self) -> str:
        """SHA-256 over the checksums of all columns."""
        return hashlib.sha256(json.dumps(self.card["sha256"], sort_keys=True).encode()).hexdigest()

    def verify(self) -> None:
        """Compare every file with its checksum again, as it is on the disk now.

        Raises:
            ValueError: names the first file that differs.
        """
        for name in FILES:
            path = self.folder / f"{name}.npy"
            if file_hash(path) != self.card["sha256"].get(name):
                raise ValueError(f"{path} is damaged: its SHA-256 is not that of card.json")

    def _load(self, name: str, kind: type, shape: Shape) -> NDArray[Any]:
        path = self.folder / f"{name}.npy"
        try:
            return read_array(path, str(self.card["sha256"].get(name)), kind, shape)
        except FileNotFoundError:
            raise ValueError(f"{self.folder} is not a benchmark: {path.name} is missing") from None


def from_folder(folder: str | Path) -> TableBenchmark:
    """The benchmark of the Blox space in a folder that ``blox-env surrogate build`` wrote."""
    return TableBenchmark(folder, BloxSpace())


def read_card(folder: Path) -> dict[str, Any]:
    """The checked ``card.json`` of a folder.

    Raises:
        ValueError: where it is missing, damaged or of another schema.
    """
    return read_facts(folder / "card.json", _CARD_FIELDS, SCHEMA)
