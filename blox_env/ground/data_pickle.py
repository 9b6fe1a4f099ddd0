"""Pickles of results: plain data, sets, ordered dicts, arrays and single numbers of numpy.

As in :mod:`blox_env.ground.array_pickle`, nothing that a file names is imported or called.
"""

from __future__ import annotations

import bz2
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from blox_env.ground.array_pickle import _KINDS, _NAMES, Array, Kind, Name, _ArrayMachine
from blox_env.ground.safe_pickle import Data, run

LONGEST = 2**26  # bytes of a file when it is unpacked
_FLOAT = np.dtype("<f8")
_NUMBERS = ("f4", "f8", "i2", "i4", "i8", "u1", "u4", "u8", "b1")


def load_data(data: Data) -> Any:
    """The object in a pickle of protocol 2 to 5; sets are lists, arrays those of numpy.

    Raises:
        ValueError: for anything but such data; says at which byte.
    """
    return run(_DataMachine(data))


def load_bz2(path: Path) -> Any:
    """The object in a file that bzip2 packed, as :func:`load_data` gives it.

    Raises:
        ValueError: for anything but such data, or too much of it; names the file.
    """
    unpacker = bz2.BZ2Decompressor()
    try:
        data = unpacker.decompress(path.read_bytes(), LONGEST)
        if not unpacker.eof:
            raise ValueError(f"cut off, or more than {LONGEST} bytes when unpacked")
        return load_data(data)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None


class _DataMachine(_ArrayMachine):
    """The stack machine of results; numbers of numpy become those of Python."""

    accepted = "plain data and numbers of numpy"
    names: ClassVar[Mapping[Any, str]] = {
        **_NAMES,
        ("collections", "OrderedDict"): "OrderedDict",
        ("numpy.core.multiarray", "scalar"): "scalar",
        ("numpy._core.multiarray", "scalar"): "scalar",
    }
    kinds: ClassVar[Mapping[object, np.dtype[Any]]] = {
        **_KINDS,
        **{kind: np.dtype(f"<{kind}") for kind in _NUMBERS},
        "O8": np.dtype(object),
    }

    def __init__(self, data: Data) -> None:
        super().__init__(data)
        self.actions |= {0x8F: lambda: self.stack.append([]), 0x90: self.extend}  # sets

    def called(self, word: str, arguments: tuple[Any, ...]) -> Any:
        if word == "OrderedDict" and not arguments:
            return {}
        if word == "scalar" and len(arguments) == 2:
            kind, raw = arguments
            fits = isinstance(kind, Kind) and isinstance(raw, bytes)
            if fits and len(raw) == kind.dtype.itemsize:
                return np.frombuffer(raw, kind.dtype)[0].item()
        return None

    def build(self) -> None:
        super().build()
        top = self.stack[-1]
        if isinstance(top, Array) and top.values is not None:
            values = top.values
            self.stack[-1] = values
            for number, known in self.memo.items():
                if known is top:  # the memo has it from before it had values
                    self.memo[number] = values

    def values(self, shape: object, kind: object, columns: object, data: object) -> Any:
        """Also arrays of Python's numbers, as floats."""
        if not isinstance(kind, Kind) or kind.dtype != object or not isinstance(data, list):
            return super().values(shape, kind, columns, data)
        if not all(type(each) in (int, float) for each in data):
            raise self.unread("an array of other things than numbers")
        return super().values(shape, Kind(_FLOAT), columns, np.array(data, _FLOAT).tobytes())

    def key(self, key: object) -> object:
        """Also tuples of text and numbers; no names and arrays, which are not hashed alike."""
        if isinstance(key, tuple):
            return tuple(super(_DataMachine, self).key(each) for each in key)
        return super().key(key)

    def result(self) -> Any:
        made = super().result()
        if isinstance(made, Array | Kind | Name):
            raise self.unread("an object")
        return made
