"""Upstream's own binary format, decoded by numpy many rows at a time.

After zlib: a bit count (uint64, not reliable), the number of rows (uint32), then the rows. Fields
are little-endian and begin on a byte boundary; ``b_MIN_MAX_BITS`` is a count of correct answers
less MIN in BITS bits, and a list of these is packed bit by bit, lowest first.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.errors import RowError, shown
from blox_env.importers.header import Header
from blox_env.importers.rows import MOST_ROWS, check_text, rows_at_once
from blox_env.store.columns import COLUMNS, Chunk

_PIECE = 2**18  # compressed bytes read at once
_TYPE = re.compile(
    r"(list\[)?(hash|str|float|int|arch|b_([0-9]{1,6})_([0-9]{1,6})_([0-9]{1,2}))(\])?"
)
_BYTES = {"hash": 16, "float": 3, "int": 4, "arch": 3}
# which types may stand for which kind of column
_FITS = {
    "accuracy": ("b",),
    "loss": ("float",),
    "time": ("int", "float"),
    "latency": ("float", "int"),
    "count": ("int",),
    "arch": ("arch",),
}


@dataclass(frozen=True)
class Field:
    """The place of a column in a row.

    ``length`` is the number of elements of a list, None for a single value; ``size`` the number of
    bytes with the length byte of a list, 0 where it differs from row to row (text).
    """

    name: str
    kind: str
    length: int | None
    size: int
    low: int = 0
    bits: int = 0


def read_custom(file: BinaryIO, path: Path, header: Header) -> Iterator[Chunk]:
    """The rows of an open file whose header has been read.

    Args:
        file: open at its first row.
        path: of the file, for messages.
        header: of the file.

    Raises:
        ValueError: names the file and the row, and says what was expected.
    """
    try:
        fields = [_field(name, header) for name in header.columns]
    except ValueError as error:
        raise ValueError(f"{path}: column_types: {error}") from None
    stream = _Stream(file)
    row, most = 0, rows_at_once(header)
    try:
        count = int.from_bytes(stream.read(12)[8:], "little")
        if count > MOST_ROWS:
            raise ValueError(f"expected at most {MOST_ROWS} rows, one an architecture, got {count}")
        fixed = all(field.size for field in fields)
        while row < count:
            n = min(most, count - row)
            chunk = _fixed_rows(stream, fields, n) if fixed else _text_rows(stream, fields, n)
            chunk.start, chunk.done = row + 1, (row + n) / count
            row += n
            yield chunk
        stream.finish()
    except RowError as error:
        raise ValueError(f"{path}, row {row + 1 + error.row}: {error}") from None
    except (zlib.error, _EndError, ValueError) as error:
        where = f"{path}, after row {row}" if row else str(path)
        raise ValueError(f"{where}: {error}") from None


def _field(name: str, header: Header) -> Field:
    text = header.types[name]
    match = _TYPE.fullmatch(text)
    if match is None or (match[1] is None) != (match[6] is None):
        raise ValueError(f"{name}: unknown type {shown(text)}")
    kind = "b" if match[2].startswith("b_") else match[2]
    column = COLUMNS.get(name)
    wanted = ("hash",) if name == "model_hash" else _FITS[column.kind] if column else ("str",)
    curve = column is not None and column.curve
    if kind not in wanted or (match[1] is not None) != curve:
        one = "list[{}]" if curve else "{}"
        expected = " or ".join(one.format("b_…" if k == "b" else k) for k in wanted)
        raise ValueError(f"{name}: expected {expected}, got {shown(text)}")
    length = header.epochs if curve else None
    if length is not None and length > 255:
        raise ValueError(f"a list has at most 255 elements, but epochs is {length}")
    count, low, bits = 1 if length is None else length, 0, 0
    if kind == "b":
        low, high, bits = (int(match[i]) for i in (3, 4, 5))
        if not (1 <= bits <= 32 and low <= high):
            raise ValueError(f"{name}: expected b_MIN_MAX_BITS with 1 to 32 bits, got {text!r}")
        size = (count * bits + 7) // 8
    else:
        size = 0 if kind == "str" else _BYTES[kind] * count
    return Field(name, kind, length, size + (length is not None), low, bits)


def _fixed_rows(stream: _Stream, fields: list[Field], n: int) -> Chunk:
    """Rows that all have the same number of bytes."""
    width = sum(field.size for field in fields)
    raw = np.frombuffer(stream.read(n * width, rows_of=width), np.uint8).reshape(n, width)
    chunk = Chunk(0, np.empty((0, 16), np.uint8))
    place = 0
    for field in fields:
        piece = raw[:, place : place + field.size]
        place += field.size
        if field.kind == "hash":
            chunk.hashes = piece[:, ::-1]  # an integer, its lowest byte first
        else:
            chunk.columns[field.name] = _decode(field, piece)
    return chunk


def _text_rows(stream: _Stream, fields: list[Field], n: int) -> Chunk:
    """Rows with text, whose lengths differ."""
    pieces: dict[str, list[Any]] = {field.name: [] for field in fields}
    for row in range(n):
        try:
            for field in fields:
                size = field.size or stream.read(1)[0]
                pieces[field.name].append(stream.read(size))
        except _EndError as error:
            raise RowError(row, str(error)) from None
    chunk = Chunk(0, np.empty((0, 16), np.uint8))
    for field in fields:
        cells = pieces[field.name]
        if field.kind == "str":
            texts = [cell.decode("ascii", "replace") for cell in cells]
            for row, text in enumerate(texts):
                if not text.isascii():
                    raise RowError(row, f"{field.name}: expected ASCII text, got {shown(text)}")
            check_text(field.name, texts)
            chunk.columns[field.name] = texts
            continue
        raw = np.frombuffer(b"".join(cells), np.uint8).reshape(n, field.size)
        if field.kind == "hash":
            chunk.hashes = raw[:, ::-1]
        else:
            chunk.columns[field.name] = _decode(field, raw)
    return chunk


def _decode(field: Field, raw: NDArray[np.uint8]) -> Any:
    """Bytes of a field ``(n, size)`` as numbers, the same that the other formats give."""
    count = 1
    if field.length is not None:
        wrong = raw[:, 0] != field.length
        if wrong.any():
            row = int(np.argmax(wrong))
            raise RowError(
                row, f"{field.name}: expected a list of {field.length}, got {raw[row, 0]}"
            )
        raw, count = raw[:, 1:], field.length
    if field.kind == "arch":
        return _arch(raw)
    if field.kind == "b":
        examples = COLUMNS[field.name].examples
        numbers = _unpack(raw, count, field.bits) + field.low
        # as upstream prints it: correct answers in percent, rounded to three decimals
        values = np.rint(numbers * (1e5 / examples)) / 1e3
    else:
        width = _BYTES[field.kind]
        wide = np.zeros((len(raw), count, 4), np.uint8)
        wide[:, :, :width] = raw.reshape(len(raw), count, width)
        values = wide.view("<u4")[:, :, 0].astype(np.float64)
        if field.kind == "float":
            values /= 1e6
    return values if field.length is not None else values[:, 0]


def _unpack(raw: NDArray[np.uint8], count: int, bits: int) -> NDArray[np.int64]:
    """Packed numbers of ``bits`` bits, lowest bit first: ``(n, bytes) -> (n, count)``."""
    single = np.unpackbits(np.ascontiguousarray(raw), axis=1, bitorder="little")
    n, whole = len(raw), (8, 16, 32)[(bits > 8) + (bits > 16)]
    wide = np.zeros((n, count, whole), np.uint8)
    wide[:, :, :bits] = single[:, : count * bits].reshape(n, count, bits)
    packed = np.packbits(wide.reshape(n, -1), axis=1, bitorder="little")
    return packed.view(f"<u{whole // 8}").astype(np.int64)


def _arch(raw: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Three bytes ``((op1·3 + op2) << 3) | prev << 2 | input << 1 | skip`` as ``(n, 15)``."""
    stage = raw.astype(np.int64)
    pair = stage >> 3
    if (pair > 8).any():
        row = int(np.argmax((pair > 8).any(axis=1)))
        raise RowError(row, f"arch_vec: expected operations 0, 1, 2, got {raw[row].tolist()}")
    parts = [pair // 3, pair % 3, stage >> 2 & 1, stage >> 1 & 1, stage & 1]
    return np.stack(parts, axis=2).reshape(len(raw), 15)


class _EndError(ValueError):
    """The stream ends before the rows do."""


class _Stream:
    """Decompresses no more than is asked for, whatever the stream would grow to."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._zlib = zlib.decompressobj()
        self._waiting = b""
        self._ready = bytearray()

    def read(self, size: int, rows_of: int = 0) -> bytes:
        """Exactly ``size`` bytes; with ``rows_of`` the error at the end names the row."""
        while len(self._ready) < size:
            if not self._more(size - len(self._ready)):
                message = "the stream ends before the last row"
                if rows_of:
                    raise RowError(len(self._ready) // rows_of, message)
                raise _EndError(message)
        taken = bytes(memoryview(self._ready)[:size])
        del self._ready[:size]
        return taken

    def _more(self, wanted: int) -> bool:
        if self._zlib.eof:
            return False
        fresh = not self._waiting
        if fresh:
            self._waiting = self._file.read(_PIECE)
        at_the_end = fresh and not self._waiting
        got = self._zlib.decompress(self._waiting, max(wanted, 4096))
        self._waiting = self._zlib.unconsumed_tail
        self._ready += got
        return bool(got) or not at_the_end

    def finish(self) -> None:
        """Check that nothing of substance follows; upstream pads with less than a row of zeros."""
        while len(self._ready) < 16 and self._more(16):
            pass
        if len(self._ready) >= 16 or any(self._ready):
            raise ValueError("the stream goes on after the last row: its count of rows is wrong")
        if not self._zlib.eof:
            raise ValueError("the compressed stream is cut off")
        if self._zlib.unused_data or self._file.read(1):
            raise ValueError("the file goes on after the compressed stream")
