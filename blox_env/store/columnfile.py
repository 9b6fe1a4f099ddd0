"""One column of a store on disk: compared with its checksum before any value of it is used.

A column is read, never mapped: a file that is cut while it is mapped ends the process. Of a curve
one epoch is read at a time. What was verified is remembered by what the system says about the file
(device, inode, size, times), and looked at again at each reading: a file that is another one since
is verified anew, and what does not have the checksum of the manifest is an error.
"""

from __future__ import annotations

import hashlib
import os
import time
from io import FileIO
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from blox_env.store.arrays import UNREADABLE, Shape
from blox_env.store.encodings import Bounds

Stamp = tuple[int, ...]
_AT_ONCE = 2**20  # bytes that are read and hashed together
_MOST_REMEMBERED = 4096
_TICKS = (100_000_000, 2_000_000_000)  # ns in which a file may change twice at one time of a clock
_verified: dict[tuple[object, ...], None] = {}  # what this process has verified


def stamp(status: os.stat_result) -> Stamp:
    """Marks of a file that change when it is another one or is written to."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _may_change_unseen(now: Stamp) -> bool:
    """Tell whether a file is so new that another change could have the same time."""
    fine, coarse = _TICKS
    changed = now[4]
    return time.time_ns() - changed < (fine if changed % 10**9 else coarse)


class ColumnFile:
    """A file of one array, read-only.

    Args:
        path: of the file.
        dtype: it has to have.
        shape: it has to have; None stands for any length of an axis.
        sha256: of the file, hex digits.
        bounds: what its values can be.
        whole: what is incomplete without the file, as the beginning of a message.
    """

    def __init__(
        self,
        path: str,
        dtype: DTypeLike,
        shape: Shape,
        sha256: str,
        bounds: Bounds,
        whole: str,
    ) -> None:
        self.path, self.sha256, self.bounds = path, sha256, bounds
        self.dtype, self.shape = np.dtype(dtype), shape
        self._lacking = whole
        self._offset = 0
        self._stamp: Stamp = ()
        self._all: NDArray[Any] | None = None

    def line(self, number: int) -> NDArray[Any]:
        """One line of the array, ``(rows,)``, counted from 0; a new array if nothing is kept.

        Raises:
            ValueError: for a file that is not the one whose checksum is known; names it.
        """
        if self._all is not None and self._same():
            found: NDArray[Any] = self._all[number]
            return found
        with self._opened() as file:
            if not self._known(file):
                self._verify(file, keep=False)
            values: NDArray[Any] = np.empty([size or 0 for size in self.shape[1:]], self.dtype)
            file.seek(self._offset + number * values.nbytes)
            self._fill(file, values)
            if stamp(os.fstat(file.fileno())) != self._stamp:
                raise self._other()
        return values

    def everything(self) -> NDArray[Any]:
        """The whole array, kept, read-only.

        Raises:
            ValueError: for a file that is not the one whose checksum is known; names it.
        """
        if self._all is None or not self._same():
            with self._opened() as file:
                kept = self._verify(file, keep=True)
            kept.setflags(write=False)
            self._all = kept
        return self._all

    def verify(self) -> None:
        """Compare the file with its checksum, whatever is remembered of it.

        Raises:
            ValueError: when it differs, or holds what cannot be; names the file.
        """
        with self._opened() as file:
            self._verify(file, keep=False)

    def _opened(self) -> FileIO:
        try:
            return FileIO(self.path)
        except FileNotFoundError:
            name = os.path.basename(self.path)
            raise ValueError(f"{self._lacking}: {name} is missing") from None
        except OSError as error:
            raise ValueError(f"{self.path}: {error.strerror or error}") from error

    def _same(self) -> bool:
        """Tell whether the file is still the one that was verified."""
        try:
            return stamp(os.stat(self.path)) == self._stamp
        except OSError:
            return False

    def _known(self, file: FileIO) -> bool:
        """Tell whether this process has verified the file that is open."""
        now = stamp(os.fstat(file.fileno()))
        if self._identity(now) not in _verified:
            return False
        if now != self._stamp:
            self._header(file)
            self._stamp = now
        return True

    def _identity(self, now: Stamp) -> tuple[object, ...]:
        bounds = self.bounds
        return (now, self.sha256, self.dtype.str, bounds.kind, bounds.encoding, bounds.top)

    def _verify(self, file: FileIO, *, keep: bool) -> NDArray[Any]:
        """Read all of it, some lines at a time; returns the array, or a part where not ``keep``."""
        before = stamp(os.fstat(file.fileno()))
        found = hashlib.sha256()
        try:
            shape = self._header(file)
            values = self._read(file, shape, found, keep)
        except OSError as error:
            raise ValueError(f"{self.path}: {error.strerror or error}") from error
        if stamp(os.fstat(file.fileno())) != before or found.hexdigest() != self.sha256:
            raise self._other()
        self._stamp = before
        if not _may_change_unseen(before):
            while len(_verified) >= _MOST_REMEMBERED:
                del _verified[next(iter(_verified))]
            _verified[self._identity(before)] = None
        return values

    def _header(self, file: FileIO) -> tuple[int, ...]:
        """The shape that the file's header says, which has to be what was expected."""
        file.seek(0)
        try:
            version = np.lib.format.read_magic(file)
            if version != (1, 0):
                raise ValueError(f"expected version (1, 0) of the format, got {version}")
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
        except UNREADABLE as error:
            raise ValueError(f"{self.path} is damaged: {error}") from error
        fits = len(shape) == len(self.shape) and all(
            want in (None, have) for want, have in zip(self.shape, shape, strict=True)
        )
        if dtype != self.dtype or not fits or (fortran and len(shape) > 1):
            wanted = tuple("any" if size is None else size for size in self.shape)
            raise ValueError(
                f"{self.path}: expected {self.dtype} of shape {wanted}, got {dtype} of shape "
                f"{shape}"
            )
        self._offset = file.tell()
        size = self._offset + int(np.prod(shape, dtype=object)) * self.dtype.itemsize
        if (got := os.fstat(file.fileno()).st_size) != size:
            raise ValueError(f"{self.path} is damaged: expected {size} bytes, got {got}")
        self.shape = shape
        return tuple(shape)

    def _read(self, file: FileIO, shape: tuple[int, ...], found: Any, keep: bool) -> NDArray[Any]:
        file.seek(0)
        found.update(file.read(self._offset))
        width = int(np.prod(shape[1:], dtype=int)) * self.dtype.itemsize
        lines = max(1, _AT_ONCE // max(1, width))
        every = np.empty(shape if keep else (min(lines, shape[0]), *shape[1:]), self.dtype)
        for first in range(0, shape[0], lines):
            count = min(lines, shape[0] - first)
            some = every[first : first + count] if keep else every[:count]
            self._fill(file, some)
            found.update(some.data)
            if (reason := self.bounds.broken(some)) is not None:
                raise ValueError(f"{self.path} is damaged: {reason}")
        return every

    def _fill(self, file: FileIO, values: NDArray[Any]) -> None:
        if not values.size:
            return
        left = values.data.cast("B")
        while left:
            count = file.readinto(left)
            if not count:
                raise self._other()
            left = left[count:]

    def _other(self) -> ValueError:
        return ValueError(
            f"{self.path} is damaged: its SHA-256 is not that of manifest.json, or the file was "
            "changed or replaced since the store was opened"
        )
