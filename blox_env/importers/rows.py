"""From the columns of some rows to a checked chunk; what all formats share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.errors import RowError
from blox_env.importers.header import Header
from blox_env.spaces import BloxSpace
from blox_env.spaces.blox.hashes import hash_bytes
from blox_env.store.columns import COLUMNS, Chunk

MOST_ROWS = 91_125  # a row each architecture
LONGEST_TEXT = 1000
_ROWS_AT_ONCE = 1024
_VALUES_AT_ONCE = 2**20  # 8 MB of numbers
_SPACE = BloxSpace()
Convert = Callable[[str, list[Any], Header], Any]


def values_a_row(header: Header) -> int:
    """Numbers and texts of a row, those of curves each."""
    curves = sum(name in COLUMNS and COLUMNS[name].curve for name in header.columns)
    return len(header.columns) - curves + curves * (header.epochs or 1)


def rows_at_once(header: Header) -> int:
    """Rows of a chunk: no more than memory has room for, whatever a header says of the curves."""
    return max(1, min(_ROWS_AT_ONCE, _VALUES_AT_ONCE // values_a_row(header)))


def chunk_of(
    by_column: dict[str, list[Any]],
    convert: Convert,
    path: Path,
    header: Header,
    start: int,
    done: float,
) -> Chunk:
    """Check columns of Python values, and make arrays of them.

    Args:
        by_column: values of each column, ``model_hash`` among them.
        convert: makes numbers of the values of a column: arrays, or nested lists for ``arch_vec``.
        path: of the file, for messages.
        header: of the file.
        start: number of the first row in the file, counted from 1.
        done: how much of the file is read, a fraction.
    """
    hashes = by_column.pop("model_hash")
    try:
        chunk = Chunk(start, hash_bytes(hashes), {}, done)
        for name, values in by_column.items():
            converted = convert(name, values, header)
            if name == "arch_vec":
                converted = flat_vectors(converted)
            elif name not in COLUMNS:
                check_text(name, converted)
            chunk.columns[name] = converted
    except RowError as error:
        raise ValueError(f"{path}, row {start + error.row}: {error}") from None
    return chunk


def flat_vectors(nested: Sequence[Any]) -> NDArray[np.int64]:
    """Upstream's nested ``arch_vec`` lists as ``(n, 15)``."""
    try:
        flat = [
            (a, b, c, d, e, f, g, h, i, j, k, m, n, o, p)
            for ((a,), (b, c, d, e)), ((f,), (g, h, i, j)), ((k,), (m, n, o, p)) in nested
        ]
        if set(map(type, chain.from_iterable(flat))) <= {int}:
            return np.array(flat, dtype=np.int64).reshape(len(flat), 15)
    except (TypeError, ValueError, OverflowError):
        pass  # the loop finds the one
    for row, vector in enumerate(nested):
        try:
            _SPACE.from_arch_vec(vector)
        except (ValueError, TypeError, OverflowError) as error:
            raise RowError(row, f"arch_vec: {str(error)[:200]}") from None
    raise RowError(0, "arch_vec: expected lists of whole numbers")


def check_text(name: str, values: Sequence[Any]) -> None:
    """Refuse a free column with a value that is not printable text of some length.

    Args:
        name: of the column.
        values: one a row.
    """
    for row, text in enumerate(values):
        if not isinstance(text, str) or len(text) > LONGEST_TEXT or not text.isprintable():
            raise RowError(row, f"{name}: expected printable text, got {_brief(text)}")


def _brief(value: object) -> str:
    return repr(value[:40]) if isinstance(value, str) else type(value).__name__
