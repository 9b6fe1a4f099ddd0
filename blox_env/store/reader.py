"""A store: the columns of an imported release as files of arrays in a folder.

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
import os
import string
from functools import cached_property
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.errors import shown, unknown_name
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces import SPACES
from blox_env.store.arrays import Shape
from blox_env.store.columnfile import ColumnFile, Stamp, stamp
from blox_env.store.encodings import DTYPES, MISSING, Bounds

SCHEMA = 2
READABLE = (1, 2)  # 1 has no digest over the manifest
DIGEST = "sha256"
MANIFEST = "manifest.json"
NUMBERS = "number"
_HEADER = 128  # bytes before the numbers of a file
_INT64 = np.dtype(np.int64)
_LETTERS = frozenset(string.ascii_letters + string.digits + "_.-")
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
    """The columns in a folder that ``blox-env import`` wrote, read as they are asked for.

    Every file is compared with its checksum when it is read for the first time, and its values
    with what they can be. :func:`open_store` gives one store a folder and process.

    Args:
        folder: where the files are.

    Raises:
        ValueError: for a manifest that is missing or damaged, or files of another size than it
            says; names the file.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._start = os.path.abspath(folder)  # the working directory may change
        self.manifest = read_manifest(self.folder)
        self.space = SPACES[self.manifest["space"]]()
        self.epochs = int(self.manifest["epochs"])
        self.seeds = tuple(self.manifest["seeds"])
        self._files: dict[str, ColumnFile] = {}
        for key, column in self.manifest["columns"].items():
            self._check_size(key, column)
        numbers = self.manifest["numbers"]
        self._check_size(NUMBERS, numbers)
        self.complete: bool = numbers["bytes"] == _HEADER + 8 * self.space.size
        self._file(NUMBERS, numbers, (None,))
        self._rows = self.space.size if self.complete else len(self.numbers)

    @cached_property
    def numbers(self) -> IntArray:
        """Numbers of the architectures, ``(rows,)``, rising; of a complete store all there are.

        Raises:
            ValueError: for numbers that are none of this space, or a damaged file.
        """
        size = self.space.size
        if self.complete:
            return np.arange(size)
        n: IntArray = self._files[NUMBERS].everything()
        if n.size and (n[0] < 0 or n[-1] >= size or (n[1:] <= n[:-1]).any()):
            raise ValueError(
                f"{self.path(NUMBERS)} is damaged: expected rising numbers of architectures in "
                f"0 … {size - 1}"
            )
        return n

    def __contains__(self, key: object) -> bool:
        """True for the key of a column that is there."""
        return key in self.manifest["columns"]

    def path(self, key: str) -> Path:
        """The file of a column."""
        return self.folder / f"{key}.npy"

    def raw(self, key: str) -> NDArray[Any]:
        """A column as it is stored, ``(epochs, rows)`` or ``(rows,)``, read-only, kept in memory.

        Raises:
            ValueError: for an unknown key or a damaged file.
        """
        return self._column(key).everything()

    def line(self, key: str, epoch: int) -> NDArray[Any]:
        """One epoch of a column of curves as it is stored, ``(rows,)``.

        Args:
            key: of the column.
            epoch: counted from 1.

        Raises:
            ValueError: for an unknown key or a damaged file.
        """
        return self._column(key).line(epoch - 1)

    def is_curve(self, key: str) -> bool:
        """Tell whether a column that is there has one value an epoch."""
        return bool(self.manifest["columns"][key]["curve"])

    def decode(self, key: str, stored: NDArray[Any]) -> FloatArray:
        """Stored values of a column as float64: fractions, NaN where missing.

        Args:
            key: of the column.
            stored: some of its values as they are stored.
        """
        column = self.manifest["columns"][key]
        encoding = column["encoding"]
        if encoding == "float":
            return stored
        scale = {"count": column.get("examples", 1), "micro": 1e6}.get(encoding, 1)
        values: FloatArray = stored / np.float64(scale)
        values[stored == MISSING[encoding]] = np.nan
        return values

    def dense(self, key: str, epoch: int | None = None) -> FloatArray:
        """A column, or one epoch of it, over the whole space: ``(size,)`` with NaN.

        Args:
            key: of the column.
            epoch: counted from 1; None for all of a column without curves.
        """
        stored = self.raw(key) if epoch is None else self.line(key, epoch)
        return self.spread(self.decode(key, stored))

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
        """Compare every file with its checksum, whatever is remembered of it.

        Raises:
            ValueError: names the first file that differs.
        """
        for file in (self._files[NUMBERS], *map(self._column, self.manifest["columns"])):
            file.verify()

    def _column(self, key: str) -> ColumnFile:
        file = self._files.get(key)
        if file is None:
            columns = self.manifest["columns"]
            if key not in columns:
                raise ValueError(unknown_name("column", key, columns))
            rows = self._rows
            shape = (self.epochs, rows) if columns[key]["curve"] else (rows,)
            file = self._file(key, columns[key], shape)
        return file

    def _file(self, key: str, column: dict[str, Any], shape: Shape) -> ColumnFile:
        encoding, texts = column["encoding"], self.manifest["texts"].get(key, ())
        file = self._files[key] = ColumnFile(
            f"{self._start}/{key}.npy",
            DTYPES[encoding],
            shape,
            column["sha256"],
            Bounds(key, encoding, column.get("examples", 1), len(texts)),
            whole=f"{self.folder} is no whole store",
        )
        return file

    def _check_size(self, key: str, column: dict[str, Any]) -> None:
        try:
            size = os.stat(f"{self._start}/{key}.npy").st_size
        except OSError:
            name = self.path(key).name
            raise ValueError(f"{self.folder} is no whole store: {name} is missing") from None
        if size != column["bytes"]:
            raise ValueError(
                f"{self.path(key)} is damaged: expected {column['bytes']} bytes as in {MANIFEST}, "
                f"got {size}"
            )


_stores: WeakValueDictionary[tuple[str, Stamp], Store] = WeakValueDictionary()


def open_store(folder: str | Path) -> Store:
    """The store in a folder, the same object as long as somebody holds it and its manifest stays.

    Raises:
        ValueError: as :class:`Store`.
    """
    start = os.path.abspath(folder)
    try:
        now = stamp(os.stat(f"{start}/{MANIFEST}"))
    except OSError:
        return Store(folder)  # which says what is wrong
    store = _stores.get((start, now))
    if store is None:
        store = _stores[start, now] = Store(folder)
    return store


def read_manifest(folder: Path) -> dict[str, Any]:
    """The checked ``manifest.json`` of a folder.

    Raises:
        ValueError: where it is missing, damaged or of another schema.
    """
    path = folder / MANIFEST
    try:
        manifest: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ValueError(f"{folder} is no store: {MANIFEST} is missing") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    for name, kind in _FIELDS.items():
        if not isinstance(manifest, dict) or type(manifest.get(name)) is not kind:
            got = manifest.get(name) if isinstance(manifest, dict) else manifest
            raise ValueError(f"{path}: {name} must be {kind.__name__}, got {shown(got)}")
    if manifest["schema"] not in READABLE:
        raise ValueError(f"{path}: expected schema {SCHEMA}, got {manifest['schema']!r}")
    if manifest["space"] not in SPACES:
        raise ValueError(f"{path}: {unknown_name('space', manifest['space'], SPACES)}")
    if manifest["epochs"] < 1 or not all(type(seed) is int for seed in manifest["seeds"]):
        raise ValueError(f"{path}: epochs must be at least 1 and seeds whole numbers")
    columns = {NUMBERS: manifest.get("numbers"), **manifest["columns"]}
    for key, column in columns.items():
        if not (_is_key(key) and isinstance(column, dict) and _is_column(column)):
            raise ValueError(f"{path}: the column {shown(key)} is damaged")
    for name, device in manifest["devices"].items():
        factor = device.get("factor") if isinstance(device, dict) else None
        fits = isinstance(factor, float) and 0 < factor < float("inf")
        if f"devices/{name}/latency" not in columns or not fits:
            raise ValueError(f"{path}: the device {shown(name)} is damaged")
    if not all(isinstance(texts, list) for texts in manifest["texts"].values()):
        raise ValueError(f"{path}: texts must be lists")
    if (manifest["schema"] > 1 or DIGEST in manifest) and not has_digest(manifest):
        raise ValueError(f"{path} is damaged: its content is not what its {DIGEST} is of")
    return manifest


def digest_of(manifest: dict[str, Any]) -> str:
    """SHA-256 over all of a manifest but the digest itself."""
    content = {name: value for name, value in manifest.items() if name != DIGEST}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def has_digest(manifest: dict[str, Any]) -> bool:
    """Tell whether a manifest is what was written."""
    try:
        return bool(manifest.get(DIGEST) == digest_of(manifest))
    except RecursionError:
        return False


def _is_key(key: str) -> bool:
    """Tell what can be the path of a file of the store, and of no other file."""
    parts = key.split("/")
    return len(parts) <= 3 and all(
        part and part[0] != "." and _LETTERS.issuperset(part) for part in parts
    )


def _is_column(column: dict[str, Any]) -> bool:
    return (
        column.get("encoding") in DTYPES
        and isinstance(column.get("sha256"), str)
        and type(column.get("bytes")) is int
        and type(column.get("curve")) is bool
        and type(column.get("examples", 1)) is int
        and 0 < column.get("examples", 1) < MISSING["count"]
    )
