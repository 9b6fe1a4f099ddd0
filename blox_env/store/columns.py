"""The columns of a release, and how a store keeps them without loss.

Readers give plain numbers, the same whatever the format of the file; :func:`encode` turns them into
what is stored: accuracies into counts of correct answers, losses into millionths where they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.errors import RowError
from blox_env.store.encodings import MISSING

TRAIN, VAL, TEST = 45_000, 5_000, 10_000  # examples that upstream counted answers on
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_ROUNDED = 5.1e-4  # percentages come rounded to three decimals
_MILLION = 1e6


@dataclass(frozen=True)
class Column:
    """One column of a release.

    Attributes:
        part: of the files that have it.
        kind: ``"accuracy"``, ``"loss"``, ``"time"``, ``"latency"``, ``"count"`` or ``"arch"``.
        curve: one value an epoch instead of one.
        examples: what an accuracy is a count out of.
    """

    part: str
    kind: str
    curve: bool = False
    examples: int = 0


COLUMNS = {
    "val_top1": Column("base", "accuracy", True, VAL),
    "test_top1": Column("base", "accuracy", False, TEST),
    "train_time_s": Column("base", "time"),
    "train_top1": Column("ext", "accuracy", True, TRAIN),
    "train_loss": Column("ext", "loss", True),
    "train_top5": Column("ext", "accuracy", True, TRAIN),
    "val_loss": Column("ext", "loss", True),
    "val_top5": Column("ext", "accuracy", True, VAL),
    "test_loss": Column("ext", "loss"),
    "test_top5": Column("ext", "accuracy", False, TEST),
    "params": Column("info", "count"),
    "flops": Column("info", "count"),
    "arch_vec": Column("info", "arch"),
    "latency": Column("bench", "latency"),
}


@dataclass
class Chunk:
    """Some consecutive rows of a file.

    Attributes:
        start: number of the first row, counted from 1.
        hashes: ``(n, 16)`` bytes.
        columns: float64 ``(n, epochs)`` or ``(n,)``; ``arch_vec`` int64 ``(n, 15)``; text as a
            list of n.
        done: how much of the file is read, a fraction.
    """

    start: int
    hashes: NDArray[np.uint8]
    columns: dict[str, Any] = field(default_factory=dict)
    done: float = 0.0


def is_name(value: object) -> bool:
    """Tell a name from a file that may become part of a path."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None and ".." not in value


def encode(column: Column, values: NDArray[np.float64]) -> NDArray[Any]:
    """Values of rows ``(n,)`` or ``(n, epochs)`` as they are stored.

    Args:
        column: what the values are.
        values: as a release writes them.

    Raises:
        ValueError: ``"row i: …"``, counted from 0, for a number that cannot be.
    """
    finite = np.isfinite(values)
    if not finite.all():
        raise _bad(values, ~finite, "expected a finite number")
    with np.errstate(over="ignore"):  # what is too large is refused below
        return _encode(column, values)


def _encode(column: Column, values: NDArray[np.float64]) -> NDArray[Any]:
    if column.kind == "accuracy":
        count = np.rint(values * (column.examples / 100))
        inside = (values >= 0) & (values <= 100)
        whole = np.abs(count * (100 / column.examples) - values) <= _ROUNDED
        if not (inside & whole).all():
            what = f"expected a percentage, a count out of {column.examples} examples"
            raise _bad(values, ~(inside & whole), what)
        return count.astype(np.uint16)
    if column.kind == "loss":
        if (values < 0).any():
            raise _bad(values, values < 0, "expected a number of at least 0")
        millionths = np.rint(values * _MILLION)
        exact = millionths / _MILLION == values
        if exact.all() and (millionths < MISSING["micro"]).all():
            return millionths.astype(np.uint32)
        return values
    low, strict = (0.0, column.kind == "latency")
    wrong = values <= low if strict else values < low
    if column.kind == "count":
        wrong |= (values != np.rint(values)) | (values >= 2**53)
    if wrong.any():
        words = {"latency": "a number above 0", "time": "a number of at least 0"}
        raise _bad(values, wrong, f"expected {words.get(column.kind, 'a whole number')}")
    return values.astype(np.int64) if column.kind == "count" else values


def join(column: Column, pieces: list[NDArray[Any]]) -> tuple[NDArray[Any], str]:
    """Join encoded pieces of one column.

    Args:
        column: what the values are.
        pieces: of consecutive rows.

    Returns:
        The whole column, and the name of its encoding in :data:`MISSING`.
    """
    kinds = {"accuracy": "count", "count": "int"}
    if column.kind == "loss":
        if all(piece.dtype == np.uint32 for piece in pieces):
            return np.concatenate(pieces), "micro"
        pieces = [p / _MILLION if p.dtype == np.uint32 else p for p in pieces]
    return np.concatenate(pieces), kinds.get(column.kind, "float")


def _bad(values: NDArray[np.float64], wrong: NDArray[np.bool_], expected: str) -> ValueError:
    place = np.argwhere(wrong)[0].tolist()
    at = f", epoch {place[1] + 1}" if len(place) > 1 else ""
    return RowError(place[0], f"{expected}, got {float(values[tuple(place)])!r}{at}")
