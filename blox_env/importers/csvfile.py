"""Rows of a release file as CSV: the hash, numbers, and lists in brackets."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from blox_env.ground.errors import RowError, shown
from blox_env.importers.header import Header
from blox_env.importers.rows import MOST_ROWS, chunk_of, rows_at_once
from blox_env.store.columns import COLUMNS, Chunk

_LONGEST_ROW = 2**20  # bytes, which may be several lines
_BYTES_AT_ONCE = 2**25
_NUMBER = "0123456789.eE+-"
_MOST_WORDS = 100_000


def read_csv(file: BinaryIO, path: Path, header: Header) -> Iterator[Chunk]:
    """The rows of an open file whose header has been read.

    Args:
        file: open at its first row.
        path: of the file, for messages.
        header: of the file.

    Raises:
        ValueError: names the file and the row, and says what was expected.
    """
    size = max(1, path.stat().st_size)
    rows: list[list[str]] = []
    count, most, begin = 0, rows_at_once(header), file.tell()
    for cells in _rows(file, path, len(header.columns)):
        count += 1
        rows.append(cells)
        if len(rows) == most or file.tell() - begin > _BYTES_AT_ONCE:
            yield _chunk(rows, path, header, count, file.tell() / size)
            rows, begin = [], file.tell()
    if rows:
        yield _chunk(rows, path, header, count, 1.0)


def _rows(file: BinaryIO, path: Path, columns: int) -> Iterator[list[str]]:
    """Cells of the rows that are not empty."""
    count = 0
    lines = _Lines(file)
    try:
        for cells in csv.reader(lines, strict=True):
            lines.size = 0
            if not cells:
                continue
            count += 1
            if count > MOST_ROWS:
                reason = f"expected at most {MOST_ROWS} rows, one an architecture"
                raise RowError(0, reason)
            if len(cells) != columns:
                raise RowError(0, f"expected {columns} columns, got {len(cells)}")
            yield cells
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{path}, row {count + 1}: {error}") from None
    except RowError as error:
        raise ValueError(f"{path}, row {count + error.row}: {error}") from None


class _Lines:
    """The lines of a file; a row of many lines is no longer than one of a single line.

    Attributes:
        size: bytes read since the reader of rows set it to 0.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.size = file, 0

    def __iter__(self) -> Iterator[str]:
        while line := self._file.readline(_LONGEST_ROW):
            self.size += len(line)
            if self.size >= _LONGEST_ROW:
                raise RowError(1, f"the row is longer than {_LONGEST_ROW} bytes")
            yield line.decode("utf-8")


def _chunk(rows: list[list[str]], path: Path, header: Header, count: int, done: float) -> Chunk:
    by_column = dict(zip(header.columns, map(list, zip(*rows, strict=True)), strict=True))
    start = count - len(rows) + 1
    return chunk_of(by_column, _convert, path, header, start, done)


def _convert(name: str, cells: list[Any], header: Header) -> Any:
    """All cells of a column at once; RowError names the first that is wrong."""
    column = COLUMNS.get(name)
    if column is None:
        return cells
    try:
        if column.kind == "arch":
            return [_nested(cell) for cell in cells]
        return _numbers(cells, header.epochs if column.curve else None)
    except (ValueError, OverflowError, RecursionError):
        for row, cell in enumerate(cells):  # find the one
            try:
                if column.kind == "arch":
                    _nested(cell)
                else:
                    _numbers([cell], header.epochs if column.curve else None)
            except (ValueError, OverflowError, RecursionError) as error:
                wanted = "nested lists of whole numbers"
                if column.kind != "arch":
                    wanted = f"a list of {header.epochs} numbers" if column.curve else "a number"
                reason = f"{name}: expected {wanted}, got {shown(cell)}"
                raise RowError(row, reason) from error
        raise


class _Words(dict[str, float]):
    """Numbers by how they are written; accuracies are few, and looking one up is quick.

    Only what numbers are made of is let through: ``float`` itself would take ``nan`` and ``1_000``.
    """

    def __missing__(self, word: str) -> float:
        text = word.strip(" ")
        if not text or text.strip(_NUMBER):
            raise ValueError("no number")
        value = float(text)
        if len(self) >= _MOST_WORDS:
            self.clear()
        self[word] = value
        return value


def _numbers(cells: list[str], epochs: int | None) -> np.ndarray:
    """Numbers ``(n,)``, or lists of them ``(n, epochs)``."""
    words = _Words()
    if epochs is None:
        return np.array([words[cell] for cell in cells], dtype=np.float64)
    values = np.empty((len(cells), epochs))
    for row, cell in enumerate(cells):
        if cell[:1] != "[" or cell[-1:] != "]":
            raise ValueError("no list")
        parts = cell[1:-1].split(", " if ", " in cell else ",")
        if len(parts) != epochs:
            raise ValueError("another number of values")
        values[row] = list(map(words.__getitem__, parts))
    return values


def _nested(cell: str) -> Any:
    if len(cell) > 1000 or cell.strip("0123456789[], "):
        raise ValueError("no nested lists")
    return json.loads(cell)
