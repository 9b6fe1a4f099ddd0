"""Rows of a release file as a pickled list of rows."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from blox_env.ground.errors import RowError
from blox_env.ground.safe_pickle import Floats, load
from blox_env.importers.header import Header
from blox_env.importers.rows import MOST_ROWS, chunk_of, rows_at_once, values_a_row
from blox_env.store.columns import COLUMNS, Chunk


def read_pickle(file: BinaryIO, path: Path, header: Header) -> Iterator[Chunk]:
    """The rows of an open file whose header has been read.

    Args:
        file: open at its first row.
        path: of the file, for messages.
        header: of the file.

    Raises:
        ValueError: names the file and the row, and says what was expected.
    """
    try:
        # mapped, so that the floats stay in the file until they are asked for
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        rows = load(data, header.start, runs=True)
        if not isinstance(rows, list | tuple):
            raise ValueError(f"expected a list of rows, got {type(rows).__name__}")
        if len(rows) > MOST_ROWS:
            raise ValueError(f"expected at most {MOST_ROWS} rows, one an architecture")
        if len(rows) * values_a_row(header) > len(data):
            # a list that is referred to again and again; what is read would be far larger
            raise ValueError(f"expected a byte a value at least, got {len(data)} bytes")
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    most = rows_at_once(header)
    for first in range(0, len(rows), most):
        some = rows[first : first + most]
        for number, row in enumerate(some, first + 1):
            if not isinstance(row, list | tuple) or _length(row) != len(header.columns):
                got = _length(row) if isinstance(row, list | tuple) else type(row).__name__
                raise ValueError(
                    f"{path}, row {number}: expected a list of {len(header.columns)} values, "
                    f"got {got}"
                )
        flat = [_spread(row) for row in some]
        by_column = dict(zip(header.columns, map(list, zip(*flat, strict=True)), strict=True))
        done = (first + len(some)) / len(rows)
        yield chunk_of(by_column, _convert, path, header, first + 1, done)


def _length(row: list[Any] | tuple[Any, ...]) -> int:
    """Number of values of a row; two floats side by side in it have become one run."""
    return len(row) + sum(value.count - 1 for value in row if type(value) is Floats)


def _spread(row: list[Any] | tuple[Any, ...]) -> list[Any]:
    if Floats not in set(map(type, row)):
        return list(row)
    values: list[Any] = []
    for value in row:
        values += value.array().tolist() if isinstance(value, Floats) else [value]
    return values


def _convert(name: str, cells: list[Any], header: Header) -> Any:
    column = COLUMNS.get(name)
    if column is None or column.kind == "arch":
        return cells
    if not column.curve:
        for row, cell in enumerate(cells):
            if type(cell) not in (float, int):
                raise RowError(row, f"{name}: expected a number, got {type(cell).__name__}")
        return np.array([_float(cell) for cell in cells], dtype=np.float64)
    assert header.epochs is not None  # files with curves say how long they are
    values = np.empty((len(cells), header.epochs))
    for row, cell in enumerate(cells):
        run = cell[0] if type(cell) is list and len(cell) == 1 else None
        if type(run) is Floats and run.count == header.epochs:  # as in all of a sound file
            values[row] = run.array()
            continue
        if not isinstance(cell, list | tuple) or _length(cell) != header.epochs:
            got = _length(cell) if isinstance(cell, list | tuple) else type(cell).__name__
            reason = f"{name}: expected a list of {header.epochs} numbers, got {got}"
            raise RowError(row, reason)
        place = 0
        for item in cell:
            if isinstance(item, Floats):
                values[row, place : place + item.count] = item.array()
                place += item.count
            elif type(item) in (float, int):
                values[row, place] = _float(item)
                place += 1
            else:
                raise RowError(row, f"{name}: expected numbers, got {type(item).__name__}")
    return values


def _float(number: float) -> float:
    """A number as float; whole ones too large to be exact are none that a release can have."""
    return float(number) if abs(number) < 2**63 else float("inf")
