"""Arrays in ``.npy`` and ``.npz`` files: the one place that reads and writes tables of them."""

from __future__ import annotations

import hashlib
import io
import tokenize
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

# what numpy raises for damaged headers, besides what one would expect
UNREADABLE = (
    *(OSError, ValueError, EOFError, SyntaxError, TypeError, OverflowError, MemoryError),
    tokenize.TokenError,
)
Shape = tuple[int | None, ...]


def read_array(
    path: Path, sha256: str, dtype: DTypeLike | None = None, shape: Shape = ()
) -> NDArray[Any]:
    """Read a file of one array whose checksum is known.

    It is read and not mapped: what was verified stays what it is whatever happens to the file, and
    a file that is cut while it is mapped ends the process.

    Args:
        path: of the file.
        sha256: its SHA-256, hex digits.
        dtype: it has to have, if given.
        shape: it has to have then; None stands for any length of an axis.

    Raises:
        FileNotFoundError: where there is no file.
        ValueError: for another checksum, dtype or shape, or what numpy cannot read; names the file.
    """
    data = path.read_bytes()
    got = hashlib.sha256(data).hexdigest()
    if got != sha256:
        raise ValueError(
            f"{path} is damaged: expected the SHA-256 {sha256} of card.json, got {got} "
            f"({len(data)} bytes)"
        )
    try:
        table: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
    except UNREADABLE as error:
        raise ValueError(
            f"{path}: expected a numpy array, got a file numpy cannot read: {error}"
        ) from None
    if dtype is not None:
        _check(path, table, np.dtype(dtype), shape)
    table.setflags(write=False)
    return table


def _check(path: Path, array: NDArray[Any], dtype: np.dtype[Any], shape: Shape) -> None:
    fits = array.ndim == len(shape) and all(
        want in (None, have) for want, have in zip(shape, array.shape, strict=False)
    )
    if array.dtype != dtype or not fits:
        wanted = tuple("any" if size is None else size for size in shape)
        raise ValueError(
            f"{path}: expected {dtype} of shape {wanted}, got {array.dtype} of shape {array.shape}"
        )


def array_bytes(values: NDArray[Any]) -> bytes:
    """The bytes of an ``.npy`` file."""
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(values), allow_pickle=False)
    return buffer.getvalue()


def arrays_bytes(columns: Mapping[str, NDArray[Any]]) -> bytes:
    """The bytes of a compressed ``.npz`` file of several arrays."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **columns)
    return buffer.getvalue()


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of an ``.npz`` file by their names."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}
