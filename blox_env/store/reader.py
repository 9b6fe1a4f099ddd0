"""A store: the columns of an imported release as memory-mapped arrays in a folder.

``manifest.json`` says what is there, with checksums and where it came from. ``number.npy`` holds
the numbers of the architectures, in rising order; every other file is one column over these rows,
curves with one line an epoch ``(epochs, rows)``, so that one epoch of all lies together:

======================  ==============================================================
``seed-S/NAME.npy``     a column of the trainings of one seed
``info/NAME.npy``       parameters and FLOPs
``devices/D/latency.npy``  latencies as released, in the unit of the manifest
======================  ==============================================================

How a column is stored is its ``encoding``; a value that is not there is :data:`MISSING`:

=========  ========  ===========================================================
encoding   dtype     value
=========  ========  ===========================================================
``count``  uint16    correct answers; divided by ``examples`` it is the accuracy
``micro``  uint32    millionths
``int``    int64     itself
``code``   int32     position in the manifest's list of texts
``float``  float64   itself
=========  ========  ===========================================================
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blox_env.ground.errors import unknown_name
from blox_env.ground.files import file_hash
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces import BloxSpace, MacroBenchSpace
from blox_env.spaces.base import SearchSpace
from blox_env.store.arrays import Shape, open_array

SCHEMA = 1
MANIFEST = "manifest.json"
NUMBERS = "number"
MISSING = {"count": 65535, "micro": 2**32 - 1, "int": -1, "code": -1, "float": np.nan}
DTYPES = {"count": "<u2", "micro": "<u4", "int": "<i8", "code": "<i4", "float": "<f8"}
SPACES: dict[str, Callable[[], SearchSpace]] = {"blox": BloxSpace, "macrobench": MacroBenchSpace}
_INT64 = np.dtype(np.int64)
_KEY = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*){0,2}", re.ASCII)
_FIELDS: dict[str, type] = {
    "schema": int,
    "name": str,
    "kind": str,
    "space": str,
    "epochs": int,
    "description": str,
    "seeds": list,
    "columns": dict,
    "devices": dict,
    "texts": dict,
    "sources": list,
    "missing": list,
}


class Store:
    """The columns in a folder that ``blox-env import`` wrote, opened as they are asked for.

    Args:
        folder: where the files are.

    Raises:
        ValueError: for a manifest that is missing or damaged, or files of another size than it
            says; names the file.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.manifest = read_manifest(self.folder)
        self.space = SPACES[self.manifest["space"]]()
        self.epochs = int(self.manifest["epochs"])
        self.seeds = tuple(self.manifest["seeds"])
        self._open: dict[str, NDArray[Any]] = {}
        for key, column in self.manifest["columns"].items():
            self._check_size(key, column)
        self.numbers = self._load(NUMBERS, "<i8", (None,))
        n = self.numbers
        if n.size and (n[0] < 0 or n[-1] >= self.space.size or (np.diff(n) <= 0).any()):
            raise ValueError(
                f"{self.path(NUMBERS)} is damaged: expected rising numbers of architectures in "
                f"0 … {self.space.size - 1}"
            )
        self.complete = len(n) == self.space.size

    def __contains__(self, key: object) -> bool:
        """True for the key of a column that is there."""
        return key in self.manifest["columns"]

    def path(self, key: str) -> Path:
        """The file of a column."""
        return self.folder / f"{key}.npy"

    def raw(self, key: str) -> NDArray[Any]:
        """A column as it is stored, ``(epochs, rows)`` or ``(rows,)``, read-only.

        Raises:
            ValueError: for an unknown key or a damaged file.
        """
        array = self._open.get(key)
        if array is None:
            columns = self.manifest["columns"]
            if key not in columns:
                raise ValueError(unknown_name("column", key, columns))
            column = columns[key]
            shape = (self.epochs, len(self.numbers)) if column["curve"] else (len(self.numbers),)
            array = self._load(key, DTYPES[column["encoding"]], shape)
            self._open[key] = array
        return array

    def decode(self, key: str, stored: NDArray[Any]) -> FloatArray:
        """Stored values of a column as float64: fractions, NaN where missing.

        Args:
            key: of the column.
            stored: some of its values as they are stored.
        """
        column = self.manifest["columns"][key]
        encoding = column["encoding"]
        scale = {"count": column.get("examples", 1), "micro": 1e6}.get(encoding, 1)
        values: FloatArray = stored / np.float64(scale)
        if encoding != "float":
            values[stored == MISSING[encoding]] = np.nan
        return values

    def dense(self, key: str, epoch: int | None = None) -> FloatArray:
        """A column, or one epoch of it, over the whole space: ``(size,)`` with NaN.

        Args:
            key: of the column.
            epoch: counted from 1; None for all of a column without curves.
        """
        raw = self.raw(key)
        return self.spread(self.decode(key, raw if epoch is None else raw[epoch - 1]))

    def spread(self, values: FloatArray, fill: float = np.nan) -> FloatArray:
        """Values of the store's rows ``(rows,)`` over the whole space ``(size,)``.

        Args:
            values: one a row of the store.
            fill: for architectures that the store does not have.
        """
        if self.complete:
            return values
        whole = np.full(self.space.size, fill)
        whole[self.numbers] = values
        return whole

    def rows(self, number: IntArray) -> IntArray:
        """Rows of architectures by their number, -1 for those that are not there."""
        if not len(self.numbers):
            return np.full(len(number), -1)
        place = np.minimum(np.searchsorted(self.numbers, number), len(self.numbers) - 1)
        found: IntArray = np.where(self.numbers[place] == number, place, -1)
        return found

    def checksum(self) -> str:
        """SHA-256 over the checksums of all columns and what they mean, not of where it is from."""
        parts = ("space", "epochs", "seeds", "columns", "devices", "texts")
        content = {part: self.manifest[part] for part in parts}
        content["numbers"] = self.manifest["numbers"]["sha256"]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def verify(self) -> None:
        """Compare every file with its checksum.

        Raises:
            ValueError: names the first file that differs.
        """
        files = {NUMBERS: self.manifest["numbers"], **self.manifest["columns"]}
        for key, column in files.items():
            if file_hash(self.path(key)) != column["sha256"]:
                raise ValueError(
                    f"{self.path(key)} is damaged: its SHA-256 is not that of {MANIFEST}"
                )

    def _check_size(self, key: str, column: dict[str, Any]) -> None:
        path = self.path(key)
        try:
            size = path.stat().st_size
        except OSError:
            raise ValueError(f"{self.folder} is no whole store: {path.name} is missing") from None
        if size != column["bytes"]:
            raise ValueError(
                f"{path} is damaged: expected {column['bytes']} bytes as in {MANIFEST}, got {size}"
            )

    def _load(self, key: str, dtype: str, shape: Shape) -> NDArray[Any]:
        return open_array(self.path(key), dtype, shape, whole=f"{self.folder} is no whole store")


class Numbering:
    """Numbers of architectures, as :meth:`SearchSpace.index`, quicker for arrays of int64.

    Args:
        space: one with fewer than 2^53 architectures.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._options, self._slots = space.options, space.slots
        self._equal = space.options[0] if len(set(space.options)) == 1 else 0
        weights = [1.0]
        for count in space.options[:0:-1]:
            weights.append(weights[-1] * count)
        self._weights = np.array(weights[::-1])

    def __call__(self, x: ArrayLike) -> IntArray:
        """``(n, slots) -> (n,)``; raises as :meth:`SearchSpace.check` does."""
        if isinstance(x, np.ndarray) and x.dtype is _INT64:
            if x.size == self._slots and (number := self._one(x)) >= 0:
                return np.array((number,))
            if (
                x.ndim == 2
                and x.shape[1] == self._slots
                and x.size
                and x.flags.c_contiguous
                # as unsigned numbers, negative ones are too large as well
                and int(x.view(np.uint64).max()) < self._equal
            ):
                numbers: IntArray = (x.astype(np.float64) @ self._weights).astype(np.int64)
                return numbers
        return self._space.index(x)

    def take(self, table: NDArray[Any], x: ArrayLike) -> NDArray[Any]:
        """Rows of a table for architectures, ``(n, slots) -> (n, …)``, a new array.

        Args:
            table: ``(size, …)``, one row an architecture of the space.
            x: the architectures.
        """
        if isinstance(x, np.ndarray) and x.dtype is _INT64 and x.size == self._slots:
            number = self._one(x)
            if number >= 0:
                return table[number : number + 1].copy()
        return table.take(self(x), axis=0)

    def _one(self, x: IntArray) -> int:
        """Number of an architecture ``(slots,)`` or ``(1, slots)``, -1 for what is none."""
        values = x.tolist()
        if x.ndim == 2:
            values = values[0]
        if len(values) != self._slots:
            return -1
        number = 0
        if equal := self._equal:
            for value in values:
                if not 0 <= value < equal:
                    return -1
                number = number * equal + value
            return number
        for value, count in zip(values, self._options, strict=True):
            if not 0 <= value < count:
                return -1
            number = number * count + value
        return number


def read_manifest(folder: Path) -> dict[str, Any]:
    """The checked ``manifest.json`` of a folder.

    Raises:
        ValueError: where it is missing, damaged or of another schema.
    """
    path = folder / MANIFEST
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{folder} is no store: {MANIFEST} is missing") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    for name, kind in _FIELDS.items():
        if not isinstance(manifest, dict) or not isinstance(manifest.get(name), kind):
            got = manifest.get(name) if isinstance(manifest, dict) else manifest
            raise ValueError(f"{path}: {name} must be {kind.__name__}, got {got!r:.60}")
    if manifest["schema"] != SCHEMA:
        raise ValueError(f"{path}: expected schema {SCHEMA}, got {manifest['schema']!r}")
    if manifest["space"] not in SPACES:
        raise ValueError(f"{path}: {unknown_name('space', manifest['space'], SPACES)}")
    if manifest["epochs"] < 1 or not all(type(seed) is int for seed in manifest["seeds"]):
        raise ValueError(f"{path}: epochs must be at least 1 and seeds whole numbers")
    columns = {NUMBERS: manifest.get("numbers"), **manifest["columns"]}
    for key, column in columns.items():
        if not (_KEY.fullmatch(key) and isinstance(column, dict) and _is_column(column)):
            raise ValueError(f"{path}: the column {key!r:.80} is damaged")
    for name, device in manifest["devices"].items():
        factor = device.get("factor") if isinstance(device, dict) else None
        if f"devices/{name}/latency" not in columns or not isinstance(factor, float):
            raise ValueError(f"{path}: the device {name!r:.80} is damaged")
    return manifest


def _is_column(column: dict[str, Any]) -> bool:
    return (
        column.get("encoding") in DTYPES
        and isinstance(column.get("sha256"), str)
        and isinstance(column.get("bytes"), int)
        and isinstance(column.get("curve"), bool)
        and isinstance(column.get("examples", 1), int)
        and column.get("examples", 1) > 0
    )
