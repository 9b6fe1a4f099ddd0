"""Plain arrays of what files hold, as every importer gives them, and how they become a store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from blox_env.benchmarks.imported import COLUMNS, SIZES
from blox_env.ground.errors import unknown_name
from blox_env.ground.files import file_hash
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces import SearchSpace
from blox_env.store.columns import is_name
from blox_env.store.writer import StoreWriter

Tell = Callable[[str, float], None]


@dataclass(frozen=True)
class Wishes:
    """Wishes of an import beyond its files.

    Attributes:
        space: name of the space, None to find out.
        dataset: which of several that the files hold, None for the first.
        tell: called with what is being done and how much of all is done, a fraction.
    """

    space: str | None = None
    dataset: str | None = None
    tell: Tell = lambda _what, _done: None


@dataclass
class Contents:
    """Findings of an importer in files; NaN is what they do not have.

    An importer is a function ``read(paths, wishes) -> Contents``; give its name as
    ``--format module:read``, or register it under ``"importer"``.

    Attributes:
        name: what the benchmark is called unless somebody names it.
        space: of the architectures.
        numbers: of the architectures, ``space.index(rows)``, distinct, ``(n,)``.
        description: what the values are, a sentence without a full stop.
        dataset: what was trained on.
        epochs: of a full training.
        trainings: by seed, columns such as ``val_acc`` (a fraction), ``test_acc`` and
            ``train_time_s`` (:data:`~blox_env.benchmarks.imported.COLUMNS`): ``(n,)``, or curves
            ``(n, epochs)``.
        sizes: ``params`` and ``flops``, ``(n,)``.
        latencies: by device, milliseconds ``(n,)``.
        devices: by device, what was measured how, in words.
        found: a line each thing that was read.
        missing: a line each thing that is not there, and what that means.
        notes: a line each thing that one should know.
        sources: the files as :func:`source` gives them.
    """

    name: str
    space: SearchSpace
    numbers: IntArray
    description: str
    dataset: str = ""
    epochs: int = 1
    trainings: dict[int, dict[str, FloatArray]] = field(default_factory=dict)
    sizes: dict[str, FloatArray] = field(default_factory=dict)
    latencies: dict[str, FloatArray] = field(default_factory=dict)
    devices: dict[str, str] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sources: list[dict[str, Any]] = field(default_factory=list)


def by_seed(found: Sequence[Mapping[int, FloatArray]]) -> dict[int, FloatArray]:
    """Values ``(k,)`` of architectures by seed, as ``(n, k)`` by seed; NaN where there are none."""
    width = max((len(values) for each in found for values in each.values()), default=0)
    nothing = np.full(width, np.nan)
    seeds = sorted({seed for each in found for seed in each})
    return {seed: np.array([each.get(seed, nothing) for each in found]) for seed in seeds}


def whole_curves(trainings: dict[int, dict[str, FloatArray]]) -> bool:
    """Tell whether all that have a last epoch have the others; leave the last alone if not."""
    for values in (training["val_acc"] for training in trainings.values()):
        if (np.isnan(values) != np.isnan(values[:, -1:])).any():
            break
    else:
        return True
    for training in trainings.values():
        training["val_acc"] = training["val_acc"][:, -1]
    return False


def source(path: Path, part: str, rows: int, files: Sequence[Path] = ()) -> dict[str, Any]:
    """A file, or a folder of files, as the manifest of a store names it.

    Args:
        path: of the file or folder.
        part: what it holds.
        rows: how many architectures.
        files: of the folder; their checksums together are its own.
    """
    digest = file_hash(path) if not files else ""
    if files:
        digest = hashlib.sha256("".join(map(file_hash, files)).encode()).hexdigest()
    size = sum(file.stat().st_size for file in files or (path,))
    return {"file": path.name, "bytes": size, "sha256": digest, "part": part, "rows": rows}


def write(found: Sequence[Contents], writer: StoreWriter) -> dict[str, Any]:
    """Write what importers found into one store; returns what its manifest says.

    Args:
        found: for one space; no two with trainings of one seed or with one device.
        writer: of the store.

    Raises:
        ValueError: where they contradict each other, or hold what cannot be.
    """
    first = found[0]
    trained = [each for each in found if each.trainings] or [first]
    for each in found:
        if each.space != first.space:
            raise ValueError(
                f"{each.name} is for the space {each.space.name!r}, but {first.name} for "
                f"{first.space.name!r}: one store has one space"
            )
        if each in trained and each.epochs != trained[0].epochs:
            raise ValueError(
                f"{each.name} has {each.epochs} epochs, but {trained[0].name} {trained[0].epochs}"
            )
        for kind, ours in (("seed", each.trainings), ("device", each.latencies)):
            for other in found[: found.index(each)]:
                theirs = other.trainings if kind == "seed" else other.latencies
                if both := set(ours) & set(theirs):
                    raise ValueError(
                        f"{kind} {min(both, key=str)} is in {other.name} and {each.name}"
                    )
        _add(each, writer)
    known = np.unique(np.concatenate([_known(each) for each in found]))
    return {
        "name": trained[0].name,
        "space": first.space.name,
        "epochs": trained[0].epochs,
        "dataset": trained[0].dataset,
        "description": ". ".join(each.description for each in found),
        "seeds": sorted({seed for each in found for seed in each.trainings}),
        "devices": {name: device for each in found for name, device in _devices(each)},
        "rows": len(known),
        "complete": len(known) == first.space.size,
        "sources": [each for one in found for each in one.sources],
    }


def _add(contents: Contents, writer: StoreWriter) -> None:
    """Check the columns, and write those with values in order of the architectures' numbers."""
    if not len(contents.numbers):
        raise ValueError(f"{contents.name}: there is no architecture in its files")
    numbers = np.asarray(contents.numbers, dtype=np.int64)
    order = np.argsort(numbers)
    if (np.diff(numbers[order]) == 0).any():
        raise ValueError(f"{contents.name}: an architecture is there twice")
    columns: list[tuple[str, str, FloatArray]] = []
    for seed, training in contents.trainings.items():
        for name, values in training.items():
            if name not in COLUMNS:
                raise ValueError(unknown_name("column", name, COLUMNS))
            columns.append((f"seed-{seed}/{COLUMNS[name]}", name, values))
    for name, values in contents.sizes.items():
        if name not in SIZES:
            raise ValueError(unknown_name("size", name, SIZES))
        columns.append((f"info/{name}", name, values))
    for name, values in contents.latencies.items():
        if not is_name(name):
            raise ValueError(f"a device's name is of letters, digits, '.', '_', '-', got {name!r}")
        columns.append((f"devices/{name}/latency", "latency", values))
    for key, name, values in columns:
        low, high = (0.0, 1.0 if name.endswith(("acc", "top5")) else np.inf)
        wrong = (values < low) | (values > high) | np.isinf(values)
        wrong |= (values == 0) & (name == "latency")
        if wrong.any():
            raise ValueError(
                f"{contents.name}: {key} must lie in {low:g} … {high:g}, got {values[wrong][0]}"
            )
        if not np.isnan(values).all():
            writer.add(key, np.asarray(values, dtype=np.float64)[order], "float", numbers[order])


def _known(contents: Contents) -> IntArray:
    """Numbers of the architectures with a validation accuracy after a full training."""
    mask = np.zeros(len(contents.numbers), dtype=bool)
    for training in contents.trainings.values():
        if "val_acc" in training:
            values = training["val_acc"]
            mask |= ~np.isnan(values if values.ndim == 1 else values[:, -1])
    return np.asarray(contents.numbers)[mask]


def _devices(contents: Contents) -> list[tuple[str, dict[str, Any]]]:
    """The devices as a manifest has them."""
    facts: dict[str, Any] = {"unit": "ms", "unit_assumed": False, "factor": 1.0}
    devices = []
    for name, values in contents.latencies.items():
        words = contents.devices.get(name, "imported; how it was measured is not stated")
        measured = int((~np.isnan(values)).sum())
        if measured:
            devices.append((name, {**facts, "measured": measured, "description": words}))
    return devices
