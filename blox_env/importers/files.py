"""The files of a Blox release: finding them, reading one of any format, encoding its columns."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.errors import RowError, shown, unknown_name
from blox_env.ground.typing import IntArray
from blox_env.importers.csvfile import read_csv
from blox_env.importers.custom import read_custom
from blox_env.importers.header import Header, read_header
from blox_env.importers.picklefile import read_pickle
from blox_env.spaces import BloxSpace
from blox_env.spaces.blox.hashes import numbers_of
from blox_env.store.columnfile import Stamp, stamp
from blox_env.store.columns import COLUMNS, Chunk, encode, join

SUFFIXES = {".blox": "custom", ".pickle": "pickle", ".csv": "csv"}  # the quickest first
_READERS: dict[str, Callable[[BinaryIO, Path, Header], Iterator[Chunk]]] = {
    "csv": read_csv,
    "pickle": read_pickle,
    "custom": read_custom,
}
_NAME = re.compile(r"blox-(?:(base|ext|env)-(\d+)|(info)|(bench)-(.+))", re.DOTALL)
_SPACE = BloxSpace()
_MOST_TEXT = 2**26  # characters in the free columns of a file, each text counted once
Progress = Callable[[float], None]


@dataclass(frozen=True)
class Source:
    """A file, its header, and the place after it."""

    path: Path
    header: Header
    start: int
    stamp: Stamp  # of the file when its header was read

    @property
    def key(self) -> tuple[str, int | str | None]:
        """Part, and seed or device, of the contents."""
        return self.header.part, self.header.device or self.header.seed

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.stamp[2]

    @property
    def words(self) -> str:
        """Part, and seed or device, for messages."""
        part, which = self.key
        return part if which is None else f"{part} {which}"


@dataclass(frozen=True)
class Table:
    """A file that was read: rows in order of the architectures' numbers.

    Attributes:
        numbers: of the architectures, ``(n,)``, rising.
        sha256: of the bytes that were read, hex digits.
        columns: encoded values ``(n,)`` or ``(n, epochs)``, and the name of the encoding.
        texts: free columns as text, ``(n,)`` lists.
    """

    numbers: IntArray
    sha256: str
    columns: dict[str, tuple[NDArray[Any], str]]
    texts: dict[str, list[str]]


def find(paths: Sequence[Path], prefer: str | None = None) -> tuple[list[Source], list[Path]]:
    """The files to read, and those left out because another format has the same.

    Args:
        paths: folders, of which the files ``blox-*`` count, and files.
        prefer: the suffix to take where a file is there in several formats, such as ``"csv"``.

    Raises:
        ValueError: where there is nothing, a file is none of a release, or two say the same.
    """
    order = list(SUFFIXES)
    if prefer is not None:
        if f".{prefer}" not in SUFFIXES:
            known = (suffix[1:] for suffix in SUFFIXES)
            raise ValueError(unknown_name("format", prefer, known))
        order.sort(key=lambda suffix: suffix != f".{prefer}")
    chosen: dict[tuple[Any, ...], list[Source]] = {}
    for path in _files(paths):
        source = source_of(path)
        chosen.setdefault(source.key, []).append(source)
    sources, left_out = [], []
    for key in sorted(chosen, key=str):
        first, *others = sorted(chosen[key], key=lambda s: (order.index(s.path.suffix), s.path))
        if any(other.path.suffix == first.path.suffix for other in others):
            raise ValueError(f"{others[0].path} and {first.path} both hold {first.words}")
        sources.append(first)
        left_out += [other.path for other in others]
    if not sources:
        raise ValueError(
            f"no release file in {', '.join(map(str, paths))}: expected names as "
            "blox-base-0.csv, blox-ext-0.pickle, blox-info.blox, blox-bench-DEVICE.csv"
        )
    return sources, left_out


def read_chunks(source: Source) -> Iterator[Chunk]:
    """The rows of a file, some at a time.

    Raises:
        ValueError: names file and row, and says what was expected.
    """
    with opened(source.path) as file:
        check_same(source, file)
        file.seek(source.start)
        yield from _READERS[source.header.format](file, source.path, source.header)
        check_same(source, file)


def check_same(source: Source, file: BufferedReader) -> None:
    """Raise where a file is not the one any more whose header was read."""
    if stamp(os.fstat(file.fileno())) != source.stamp:
        raise ValueError(f"{source.path} was changed while it was read: import it again")


def _hashed(source: Source) -> str:
    """SHA-256 of the file that was read."""
    with opened(source.path) as file:
        check_same(source, file)
        found = hashlib.file_digest(file, "sha256").hexdigest()
        check_same(source, file)
    return found


def read_table(source: Source, progress: Progress = lambda _: None) -> Table:
    """A whole file: checked, encoded, in order of the architectures' numbers.

    Args:
        source: the file.
        progress: told how much of the file is read, a fraction.

    Raises:
        ValueError: names file and row, and says what was expected.
    """
    path = source.path
    found: list[IntArray] = []
    row_of = np.zeros(_SPACE.size, np.int32)  # of each architecture, 0 where it was not there yet
    pieces: dict[str, list[NDArray[Any]]] = {}
    texts = _Texts()
    for chunk in read_chunks(source):
        found.append(_numbers(chunk, path))
        _check_new(found[-1], chunk.start, row_of, path)
        for name, values in chunk.columns.items():
            if name == "arch_vec":
                _check_vectors(chunk, found[-1], path)
            elif name in COLUMNS:
                try:
                    encoded = encode(COLUMNS[name], values)
                except RowError as error:
                    row = chunk.start + error.row
                    raise ValueError(f"{path}, row {row}: {name}: {error}") from None
                pieces.setdefault(name, []).append(encoded)
            else:
                texts.add(name, values, path)
        progress(chunk.done)
    if not found:
        raise ValueError(f"{path}: the file has no rows")
    numbers = np.concatenate(found)
    order = np.argsort(numbers, kind="stable")
    columns = {}
    for name in list(pieces):
        values, encoding = join(COLUMNS[name], pieces.pop(name))
        columns[name] = (values[order], encoding)
    return Table(numbers[order], _hashed(source), columns, texts.ordered(order.tolist()))


class _Texts:
    """Free columns of a file, each text kept once however often it is there."""

    def __init__(self) -> None:
        self._columns: dict[str, list[str]] = {}
        self._known: dict[str, str] = {}
        self._size = 0

    def add(self, name: str, values: list[str], path: Path) -> None:
        """Take some rows of a column; ValueError for more text than memory has room for."""
        column, known = self._columns.setdefault(name, []), self._known
        for text in values:
            if text not in known:
                known[text] = text
                self._size += len(text)
            column.append(known[text])
        if self._size > _MOST_TEXT:
            raise ValueError(f"{path}: expected at most {_MOST_TEXT} characters of text")

    def ordered(self, rows: list[int]) -> dict[str, list[str]]:
        """The columns, their rows in another order."""
        return {name: [texts[row] for row in rows] for name, texts in self._columns.items()}


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            names = sorted(p for p in path.iterdir() if p.suffix in SUFFIXES)
            yield from (p for p in names if p.name.startswith("blox-"))
        else:
            yield path


def opened(path: Path) -> BufferedReader:
    """A file opened for reading; ValueError where it is none."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
            raise ValueError(f"{path}: expected a file, got something else")
        return path.open("rb")
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}") from None


def source_of(path: Path) -> Source:
    """A file and its header, which has to fit the file's name.

    Raises:
        ValueError: for another suffix or a header that says something else; names the file.
    """
    if path.suffix not in SUFFIXES:
        raise ValueError(f"{path}: {unknown_name('suffix', path.suffix, SUFFIXES)}")
    with opened(path) as file:
        now = stamp(os.fstat(file.fileno()))
        header, start = read_header(file, path), file.tell()
    if header.format != SUFFIXES[path.suffix]:
        raise ValueError(f"{path}: the header says format {header.format!r}")
    name = _NAME.fullmatch(path.stem)
    if name is not None:
        part = name[1] or name[3] or name[4]
        which: int | str | None = int(name[2][:12]) if name[2] else name[5]
        source = Source(path, header, start, now)
        if source.key != (part, which):
            said = part if which is None else f"{part} {which}"
            raise ValueError(f"{path}: the name says {shown(said)}, the header {source.words!r}")
    return Source(path, header, start, now)


def _numbers(chunk: Chunk, path: Path) -> IntArray:
    numbers = numbers_of(chunk.hashes)
    if (numbers < 0).any():
        row = int(np.argmax(numbers < 0))
        raise ValueError(
            f"{path}, row {chunk.start + row}: no architecture of Blox has the model_hash "
            f"{chunk.hashes[row].tobytes().hex()}"
        )
    return numbers


def _check_new(numbers: IntArray, start: int, row_of: NDArray[np.int32], path: Path) -> None:
    """Raise for an architecture that was there before, and note the others."""
    earlier = row_of[numbers]
    once = np.unique(numbers, return_index=True)[1]
    again = earlier > 0
    if len(once) < len(numbers):
        again |= ~np.isin(np.arange(len(numbers)), once)
    if again.any():
        row = int(np.argmax(again))
        first = int(earlier[row]) or start + int(np.argmax(numbers == numbers[row]))
        raise ValueError(f"{path}, row {start + row}: the same model_hash as in row {first}")
    row_of[numbers] = np.arange(start, start + len(numbers))


def _check_vectors(chunk: Chunk, numbers: IntArray, path: Path) -> None:
    vectors = chunk.columns["arch_vec"]
    try:
        rows = _SPACE.from_flat(vectors)
    except RowError as error:
        raise ValueError(
            f"{path}, row {chunk.start + error.row}: arch_vec: no architecture has "
            f"{vectors[error.row].tolist()}"
        ) from None
    wrong = _SPACE.index(rows) != numbers
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(
            f"{path}, row {chunk.start + row}: the arch_vec {vectors[row].tolist()} does not have "
            f"the model_hash {chunk.hashes[row].tobytes().hex()}"
        )
