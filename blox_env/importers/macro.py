"""NAS-Bench-Macro's JSON file: 6,561 networks, three CIFAR-10 trainings each."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from blox_env.ground.errors import RowError, shown
from blox_env.importers.files import opened
from blox_env.spaces import MacroBenchSpace
from blox_env.store.columns import Column, encode
from blox_env.store.writer import StoreWriter

TRAININGS = 3
IMAGES = 10_000  # of CIFAR-10's test set, which the accuracies are counts of
_LONGEST = 16 * 2**20  # bytes; the real file has 1.2 million
_FIELDS = ("test_acc", "mean_acc", "std", "params", "flops")
_ROUNDED = 1e-3  # accuracies went through single precision
_SPLIT = (
    "NAS-Bench-Macro (Su et al., CVPR 2021), imported. It publishes no validation split: val_acc "
    "and test_acc are both the mean of the three trainings' accuracies on CIFAR-10's test set, and "
    "seed=0, 1, 2 are the single trainings. A search on it therefore searches on test accuracy"
)


def import_macro(path: Path, writer: StoreWriter, name: str | None = None) -> dict[str, Any]:
    """Read the file into a store; returns what the manifest says.

    Args:
        path: of the JSON file.
        writer: of the store.
        name: of the benchmark; that of the release if not given.

    Raises:
        ValueError: names file and architecture, and says what was expected.
    """
    space = MacroBenchSpace()
    data = _data(path)
    entries = _entries(data, path)
    try:
        rows = space.from_keys(list(entries))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    numbers = space.index(rows)
    values = np.empty((len(entries), TRAININGS))
    sizes = np.empty((len(entries), 2))
    for row, (key, entry) in enumerate(entries.items()):
        try:
            values[row], sizes[row] = _numbers(entry)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{path}, row {row + 1} ({key}): {error}") from None
    order = np.argsort(numbers)
    numbers = numbers[order]
    for seed in range(TRAININGS):
        counts = _encoded(Column("", "accuracy", examples=IMAGES), values[:, seed], path)[order]
        for column in ("val_top1", "test_top1"):
            writer.add(f"seed-{seed}/{column}", counts, "count", numbers, IMAGES)
    for i, column in enumerate(("params", "flops")):
        counts = _encoded(Column("", "count"), sizes[:, i], path)[order]
        writer.add(f"info/{column}", counts, "int", numbers)
    return {
        "name": name or "nas-bench-macro",
        "kind": "nas-bench-macro",
        "space": space.name,
        "epochs": 1,
        "dataset": "cifar10",
        "description": _SPLIT,
        "seeds": list(range(TRAININGS)),
        "devices": {},
        "rows": len(numbers),
        "complete": len(numbers) == space.size,
        "sources": [
            {
                "file": path.name,
                "bytes": len(data),
                "sha256": hashlib.sha256(data).hexdigest(),
                "part": "trainings",
                "rows": len(numbers),
            }
        ],
    }


def _data(path: Path) -> bytes:
    with opened(path) as file:
        data = file.read(_LONGEST + 1)
    if len(data) > _LONGEST:
        raise ValueError(f"{path}: expected at most {_LONGEST} bytes")
    return data


def _entries(data: bytes, path: Path) -> dict[str, Any]:
    def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
            raise ValueError(f"the key {shown(twice)} is there twice")
        return found

    try:
        entries = json.loads(data, object_pairs_hook=distinct)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else error
        raise ValueError(f"{path}: expected JSON: {reason}") from None
    if not isinstance(entries, dict) or not entries:
        raise ValueError(f"{path}: expected an object with a key for each architecture")
    return entries


def _numbers(entry: object) -> tuple[list[float], list[float]]:
    """Accuracies and sizes of one architecture, checked against each other."""
    if not isinstance(entry, dict) or not set(_FIELDS) <= set(entry):
        raise ValueError(f"expected an object with {', '.join(_FIELDS)}")
    accuracies = entry["test_acc"]
    if not isinstance(accuracies, list) or len(accuracies) != TRAININGS:
        raise ValueError(f"test_acc: expected a list of {TRAININGS} percentages")
    sizes = [entry["params"], entry["flops"]]
    for value in (*accuracies, *sizes, entry["mean_acc"], entry["std"]):
        if type(value) not in (int, float) or not math.isfinite(value):
            raise ValueError(f"expected finite numbers, got {shown(value)}")
    if not all(0 <= value <= 100 for value in accuracies):
        raise ValueError(f"test_acc: expected percentages, got {shown(accuracies)}")
    mean, deviation = float(np.mean(accuracies)), float(np.std(accuracies))
    for field, expected in (("mean_acc", mean), ("std", deviation)):
        if abs(entry[field] - expected) > _ROUNDED:
            raise ValueError(
                f"{field}: expected {expected:.6f} of test_acc, got {shown(entry[field])}"
            )
    return [float(v) for v in accuracies], [float(v) for v in sizes]


def _encoded(column: Column, values: np.ndarray, path: Path) -> np.ndarray:
    try:
        return encode(column, values)
    except RowError as error:
        raise ValueError(f"{path}, row {error.row + 1}: {error}") from None
