"""An imported release as a benchmark: every column, for whole batches, missing values as NaN."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blox_env.benchmarks.base import Benchmark, Evaluation
from blox_env.benchmarks.upstream import UpstreamCalls
from blox_env.ground import registry
from blox_env.ground.errors import check_positive_int, unknown_name
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.numbering import Numbering
from blox_env.store.reader import open_store

# name of a column -> file of a seed's trainings; accuracies are fractions
COLUMNS = {
    "val_acc": "val_top1",
    "test_acc": "test_top1",
    "train_acc": "train_top1",
    "val_top5": "val_top5",
    "test_top5": "test_top5",
    "train_top5": "train_top5",
    "val_loss": "val_loss",
    "test_loss": "test_loss",
    "train_loss": "train_loss",
    "train_time_s": "train_time_s",
}
SIZES = ("params", "flops")
_CACHED = 16  # columns over the whole space kept decoded, of 0.7 MB each for Blox
_SOURCE = np.full(4096, "imported")
_SOURCE.setflags(write=False)


class ReleaseBenchmark(Benchmark):
    """A store that ``blox-env import`` wrote.

    A release need not be whole: what is not in it is NaN, never a made-up number, and :meth:`known`
    is the mask. ``provides`` has ``"table"`` only if every architecture has an accuracy.

    Args:
        folder: the store.

    Attributes:
        complete: whether every architecture of the space has a validation accuracy.
        seeds: the seeds of the release, what ``seed=`` may be.
        columns: names that :meth:`column` knows and the store has.
        device_names: names that :meth:`device` knows.

    Raises:
        ValueError: for files that are missing or damaged; names the file.
    """

    def __init__(self, folder: str | Path) -> None:
        self.store = open_store(folder)
        manifest = self.store.manifest
        self.folder, self.space = self.store.folder, self.store.space
        self.name, self.description = manifest["name"], manifest["description"]
        self.epochs, self.seeds = self.store.epochs, self.store.seeds
        self.columns = (
            *(
                n
                for n, c in COLUMNS.items()
                if any(f"seed-{s}/{c}" in self.store for s in self.seeds)
            ),
            *(n for n in SIZES if f"info/{n}" in self.store),
        )
        self.device_names = tuple(sorted(manifest["devices"]))
        self.complete = bool(manifest.get("complete", False))
        curves = {"curves"} if self.epochs > 1 and "val_acc" in self.columns else set()
        self.provides = frozenset(curves | ({"table"} if self.complete else set()))
        self._number = Numbering(self.space)
        self._cache: OrderedDict[tuple[Any, ...], Any] = OrderedDict()

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and other processes open the store again."""
        return type(self), (str(self.folder.resolve()),)

    # -- what every benchmark answers --------------------------------------------------------

    def evaluate(
        self,
        x: ArrayLike,
        *,
        epochs: int | None = None,
        best: bool = False,
        seed: int | None = None,
    ) -> Evaluation:
        """Look architectures up; see :meth:`blox_env.benchmarks.base.Benchmark.evaluate`.

        ``seed`` names a seed of the release; None is the mean over the seeds that have the
        architecture, of each its best with ``best=True``, and ``val_std`` then the standard error
        of that mean. Where there is one training, ``val_std`` is 0: the value is exact, and how far
        another training would be is not known. What is missing is NaN, ``test_acc`` always below
        full epochs. Training time is linear in the epochs.

        Raises:
            ValueError: for a seed that the release does not have.
        """
        length = self.check_epochs(epochs)
        key = ("evaluate", length, bool(best), self.check_seed(seed))
        table = self._cache.get(key)
        if table is None:
            table = self._remember(key, self._table(length, best, seed))
        block = self._number.take(table, x)
        n = len(block)
        return Evaluation(
            val_acc=block[:, 0],
            test_acc=block[:, 1],
            val_std=block[:, 2],
            train_time_s=block[:, 3],
            source=_SOURCE[:n] if n <= len(_SOURCE) else np.full(n, "imported"),
        )

    def checksum(self) -> str:
        """SHA-256 over the checksums of all columns."""
        return self.store.checksum()

    def verify(self) -> None:
        """Compare every file with its checksum; ValueError names the first that differs."""
        self.store.verify()

    def check_seed(self, seed: int | None) -> int | None:
        """``seed`` where it is None or one of the release's; TypeError or ValueError else."""
        if seed is None or (seed in self.seeds and type(seed) is int):
            return seed
        number = check_positive_int("seed", seed, 0)
        if number not in self.seeds:
            have = ", ".join(map(str, self.seeds)) or "none"
            raise ValueError(f"seed must be one of the release's ({have}) or None, got {number}")
        return number

    # -- single columns -----------------------------------------------------------------------

    def column(
        self,
        name: str,
        x: ArrayLike,
        *,
        epochs: int | None = None,
        best: bool = False,
        seed: int | None = None,
    ) -> FloatArray:
        """One column for architectures ``(n, slots) -> (n,)``, NaN where the release has nothing.

        Args:
            name: one of ``val_acc, test_acc, train_acc, val_top5, test_top5, train_top5``
                (fractions), ``val_loss, test_loss, train_loss``, ``train_time_s``, ``params``,
                ``flops``.
            x: the architectures.
            epochs: value after so many epochs, None for all of them.
            best: take the best value up to there instead of the last: the highest accuracy, the
                lowest loss.
            seed: one of the seeds, None for the mean over them.
        """
        if name in SIZES:
            key: tuple[Any, ...] = (name,)
        elif name in COLUMNS:
            key = (name, self.check_epochs(epochs), bool(best), self.check_seed(seed))
        else:
            raise ValueError(unknown_name("column", name, (*COLUMNS, *SIZES)))
        values = self._cache.get(key)
        if values is None:
            values = self._remember(key, self._whole(*key))
        column: FloatArray = self._number.take(values, x)
        return column

    def curves(self, name: str, x: ArrayLike, *, seed: int | None = None) -> FloatArray:
        """Learning curves ``(n, epochs)`` of a column, NaN where the release has none.

        Args:
            name: of a column with curves.
            x: architectures ``(n, slots)``.
            seed: one of the seeds, None for the mean over them.
        """
        if name not in COLUMNS:
            raise ValueError(unknown_name("column", name, COLUMNS))
        number = self._number(x)
        row = self.store.rows(number)
        curves = []
        for key in self._files(name, self.check_seed(seed)):
            if not self.store.is_curve(key):
                raise ValueError(f"column {name!r} has no learning curves")
            curves.append(self.store.decode(key, self.store.raw(key)[:, row]).T)
        if not curves:
            return np.full((len(number), self.epochs), np.nan)
        return np.where((row >= 0)[:, None], _mean(np.stack(curves))[0], np.nan)

    def known(
        self, x: ArrayLike, name: str = "val_acc", *, seed: int | None = None
    ) -> NDArray[np.bool_]:
        """Mask of the architectures with a value of this column, ``(n,)``; elsewhere it is NaN.

        Args:
            x: architectures ``(n, slots)``.
            name: of the column.
            seed: one of the seeds, None for any of them.
        """
        return ~np.isnan(self.column(name, x, seed=seed))

    def known_rows(self, *, seed: int | None = None) -> IntArray | None:
        """The architectures ``(k, slots)`` with a validation accuracy; None for all of the space.

        Args:
            seed: one of the seeds, None for any of them.
        """
        if self.complete and seed is None:
            return None
        key = ("val_acc", self.epochs, False, self.check_seed(seed))
        values = self._cache.get(key)
        if values is None:
            values = self._remember(key, self._whole(*key))
        known = np.flatnonzero(~np.isnan(values))
        return None if len(known) == self.space.size else self.space.from_index(known)

    def environment(self, x: ArrayLike, *, seed: int) -> list[dict[str, str]]:
        """Facts about the machines that trained, a dict for each architecture.

        Args:
            x: architectures ``(n, slots)``.
            seed: one of the seeds.
        """
        row = self.store.rows(self._number(x))
        start = f"seed-{self.check_seed(seed)}/env/"
        found: list[dict[str, str]] = [{} for _ in row]
        for key, texts in self.store.manifest["texts"].items():
            if key.startswith(start) and key in self.store:
                codes = self.store.raw(key)
                for entry, place in zip(found, row.tolist(), strict=True):
                    if place >= 0 and 0 <= codes[place] < len(texts):
                        entry[key.removeprefix(start)] = str(texts[codes[place]])
        return found

    # -- devices ------------------------------------------------------------------------------

    def devices(self) -> dict[str, Any]:
        """The release's devices by name; ``STORE/devices/NAME`` is what ``load_device`` takes."""
        return {name: self.device(name) for name in self.device_names}

    def device(self, name: str) -> Any:
        """The :class:`~blox_env.devices.imported.ReleaseDevice` of a name of the release.

        Raises:
            ValueError: for a name that the release does not have.
        """
        if name not in self.device_names:
            raise ValueError(unknown_name("device", name, self.device_names))
        return registry.load("device", str(self.folder / "devices" / name), object)

    def latency_ms(self, x: ArrayLike, device: str) -> FloatArray:
        """Latency on a device of the release, ``(n,)``, NaN where it was not measured.

        Args:
            x: architectures ``(n, slots)``.
            device: one of :attr:`device_names`.
        """
        key = ("latency", device)
        values = self._cache.get(key)
        if values is None:
            values = self._remember(key, self.device(device).table)
        latency: FloatArray = self._number.take(values, x)
        return latency

    def upstream(self) -> UpstreamCalls:
        """The calls of the upstream package, see :mod:`blox_env.benchmarks.upstream`."""
        return UpstreamCalls(self)

    # -- columns over the whole space ----------------------------------------------------------

    def _files(self, name: str, seed: int | None) -> list[str]:
        """Keys of a column in the store, one for each seed that has it."""
        seeds = self.seeds if seed is None else (seed,)
        keys = [f"seed-{s}/{COLUMNS[name]}" for s in seeds]
        return [key for key in keys if key in self.store]

    def _trainings(self, name: str, length: int, best: bool, seed: int | None) -> FloatArray:
        """A column by seed, over the whole space: ``(seeds, size)``."""
        found = []
        for key in self._files(name, seed):
            curve = self.store.is_curve(key)
            if curve and best and length > 1:
                # on what is stored, epoch by epoch: no copy of all curves is made
                extreme = np.minimum if name.endswith("loss") else np.maximum
                stored = self.store.line(key, 1).copy()
                for epoch in range(2, length + 1):
                    extreme(stored, self.store.line(key, epoch), out=stored)
                found.append(self.store.spread(self.store.decode(key, stored)))
            elif curve:
                found.append(self.store.dense(key, length))
            elif name == "train_time_s":
                found.append(self.store.dense(key) * (length / self.epochs))
            elif length == self.epochs:
                found.append(self.store.dense(key))
        return np.stack(found) if found else np.full((1, self.space.size), np.nan)

    def _whole(
        self, name: str, length: int = 0, best: bool = False, seed: int | None = None
    ) -> FloatArray:
        """A column over the whole space, ``(size,)``."""
        if name in SIZES:
            key = f"info/{name}"
            have = key in self.store
            return self.store.dense(key) if have else np.full(self.space.size, np.nan)
        return _mean(self._trainings(name, length, best, seed))[0]

    def _table(self, length: int, best: bool, seed: int | None) -> FloatArray:
        """Columns of :meth:`evaluate` over the whole space: ``(size, 4)``."""
        mean, error = _mean(self._trainings("val_acc", length, best, seed))
        others = (self._whole(n, length, best, seed) for n in ("test_acc", "train_time_s"))
        test, time = others
        return np.column_stack([mean, test, error, time])

    def _remember(self, key: tuple[Any, ...], values: FloatArray) -> FloatArray:
        values.setflags(write=False)
        self._cache[key] = values
        while len(self._cache) > _CACHED:
            self._cache.popitem(last=False)
        return values


def _mean(trainings: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean over the first axis of what is not NaN, and its standard error (0 of a single value)."""
    if len(trainings) == 1:
        mean = trainings[0].copy()
        return mean, np.where(np.isnan(mean), np.nan, 0.0)
    there = ~np.isnan(trainings)
    count = there.sum(axis=0)
    mean = np.where(there, trainings, 0).sum(axis=0) / np.where(count, count, np.nan)
    square = np.where(there, trainings - mean, 0) ** 2
    variance = square.sum(axis=0) / np.maximum(count - 1, 1)
    error = np.where(count > 0, np.sqrt(variance / np.maximum(count, 1)), np.nan)
    return mean, error


def from_folder(folder: str | Path) -> ReleaseBenchmark:
    """The benchmark in a store."""
    return ReleaseBenchmark(folder)


def macro_not_imported() -> Benchmark:
    """Stand in for the benchmark of ``blox_env/MacroBench-v0`` until one is given.

    Raises:
        ValueError: always; says what to do.
    """
    raise ValueError(
        "the data of NAS-Bench-Macro are not part of the package: import its JSON file with "
        "'blox-env import nas-bench-macro_cifar10.json --out STORE' and pass benchmark='STORE'"
    )


def nats_not_imported() -> Benchmark:
    """Stand in for the benchmark of ``blox_env/NatsTopology-v0`` until one is given.

    Raises:
        ValueError: always; says what to do.
    """
    raise ValueError(
        "the data of NATS-Bench are not part of the package: import the folder of its topology "
        "space with 'blox-env import NATS-tss-v1_0-3ffb9-simple --out STORE' and pass "
        "benchmark='STORE'"
    )
