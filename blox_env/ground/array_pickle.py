"""Arrays in pickles of Python 2 and 3, read without importing or calling what the file names.

A pickle of an array names ``numpy.core.multiarray._reconstruct`` and lets the unpickler call it.
Here such a name is only a word: a few are known, and what they would do is done by hand
for plain arrays of bytes and integers. Any other name is an error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.safe_pickle import Data, _Machine, run

_RECONSTRUCT = "_reconstruct"
_NAMES = {
    ("numpy.core.multiarray", _RECONSTRUCT): _RECONSTRUCT,
    ("numpy._core.multiarray", _RECONSTRUCT): _RECONSTRUCT,
    ("numpy", "ndarray"): "ndarray",
    ("numpy", "dtype"): "dtype",
    ("_codecs", "encode"): "encode",
    ("__builtin__", "bytes"): "bytes",
}
_KINDS: dict[object, np.dtype[Any]] = {
    "u1": np.dtype("u1"),
    "i4": np.dtype("<i4"),
    "i8": np.dtype("<i8"),
}
_LONGEST_NAME = 100
_DTYPE_STATE, _ARRAY_STATE = 8, 5  # values in the state of a dtype and of an array


class Name:
    """A name in a pickle: a word, nothing that could be called."""

    def __init__(self, word: str) -> None:
        self.word = word


class Array:
    """An array in a pickle; ``values`` is None until the pickle has said what is in it."""

    def __init__(self) -> None:
        self.values: NDArray[Any] | None = None


class Kind:
    """The type of an array's numbers."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype


def load_arrays(data: Data) -> Any:
    """The object in a pickle of protocol 2 to 5, with arrays as :class:`Array`.

    Strings of Python 2 are bytes, except as keys of a dict, where they are text.

    Raises:
        ValueError: for anything but plain data and arrays of integers; says at which byte.
    """
    return run(_ArrayMachine(data))


class _ArrayMachine(_Machine):
    """The stack machine of plain data, with byte strings and arrays."""

    accepted = "plain data and arrays of integers"
    names: ClassVar[Mapping[Any, str]] = _NAMES
    kinds: ClassVar[Mapping[object, np.dtype[Any]]] = _KINDS

    def __init__(self, data: Data) -> None:
        super().__init__(data, 0, False)
        self.actions |= {
            ord("U"): lambda: self.bytes_of(1),
            ord("C"): lambda: self.bytes_of(1),
            ord("T"): lambda: self.bytes_of(4),
            ord("B"): lambda: self.bytes_of(4),
            0x8E: lambda: self.bytes_of(8),
            ord("c"): self.name,
            0x93: self.name_of_stack,
            ord("R"): self.call,
            ord("b"): self.build,
        }

    def bytes_of(self, width: int) -> None:
        size = int.from_bytes(self.take(width), "little")
        self.stack.append(self.take(size))

    def name(self) -> None:
        module, word = self.line(), self.line()
        self.push_name(module, word)

    def line(self) -> str:
        end = self.data.find(b"\n", self.place, self.place + _LONGEST_NAME)
        if end < 0:
            raise ValueError(f"the pickle is damaged at byte {self.place}: a name does not end")
        return self.take(end + 1 - self.place)[:-1].decode("ascii")

    def name_of_stack(self) -> None:
        word, module = self.pop(), self.pop()
        self.push_name(module, word)

    def push_name(self, module: object, word: object) -> None:
        known = self.names.get((module, word)) if isinstance(module, str) else None
        if known is None:
            raise ValueError(
                f"the pickle names {str(module)[:50]}.{str(word)[:50]} before byte {self.place}: "
                f"only {self.accepted} are read, nothing is called"
            )
        self.stack.append(Name(known))

    def call(self) -> None:
        arguments, function = self.pop(), self.pop()
        if not isinstance(function, Name) or not isinstance(arguments, tuple):
            raise self.unread("a call")
        made: Any = None
        if function.word == _RECONSTRUCT and len(arguments) == 3:
            of, shape, code = arguments
            if isinstance(of, Name) and of.word == "ndarray" and shape == (0,) and code == b"b":
                made = Array()
        elif function.word == "dtype" and arguments:
            code, *flags = arguments
            kind = self.kinds.get(code.decode("ascii") if isinstance(code, bytes) else code)
            if kind is not None and len(flags) == 2 and not flags[0]:
                made = Kind(kind)
        elif function.word == "encode" and len(arguments) == 2:  # bytes as Python 3 writes them
            text, coding = arguments
            if isinstance(text, str) and coding == "latin1":
                made = text.encode("latin1")
        elif function.word == "bytes" and not arguments:
            made = b""
        else:
            made = self.called(function.word, arguments)
        if made is None:
            raise self.unread(f"{function.word} with unknown arguments")
        self.stack.append(made)

    def called(self, word: str, arguments: tuple[Any, ...]) -> Any:
        """The value that another known name makes of its arguments; None for nothing."""
        return None

    def build(self) -> None:
        state, target = self.pop(), self.stack[-1]
        if isinstance(target, Kind):
            self.check_order(state)
        elif isinstance(target, Array) and isinstance(state, tuple) and len(state) == _ARRAY_STATE:
            target.values = self.values(*state[1:])
        else:
            raise self.unread("an object")

    def check_order(self, state: object) -> None:
        fields_ = state[2:5] if isinstance(state, tuple) and len(state) >= _DTYPE_STATE else None
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
        if fields_ != (None, None, None) or order not in (b"|", b"<", "|", "<"):
            raise self.unread("an array of another type")

    def values(self, shape: object, kind: object, columns: object, data: object) -> NDArray[Any]:
        sizes = shape if isinstance(shape, tuple) else ()
        fits = isinstance(kind, Kind) and isinstance(data, bytes)
        if not fits or not all(type(size) is int and size >= 0 for size in sizes):
            raise self.unread("an array of another type")
        assert isinstance(kind, Kind)
        assert isinstance(data, bytes)
        if math.prod(sizes) * kind.dtype.itemsize != len(data):
            raise ValueError(
                f"the pickle is damaged at byte {self.place}: an array of shape {sizes} has "
                f"{len(data)} bytes"
            )
        return np.frombuffer(data, kind.dtype).reshape(sizes, order="F" if columns else "C")

    def unread(self, what: str) -> ValueError:
        return ValueError(
            f"the pickle has {what} before byte {self.place}: only {self.accepted} are read"
        )
