"""Reads pickles that hold plain data, and can do nothing else.

Python's own unpickler runs code that a file names. Refusing names is not enough: a pickle of ten
bytes can make it reserve gigabytes. So the opcodes are interpreted here, those that build lists,
tuples, dicts, text, numbers, booleans and None; any other is an error, and so are too many of them.

A run of floats, which is most of a release file, stays where it is: it becomes a :class:`Floats`,
a place in the file that :meth:`Floats.array` reads at once.
"""

from __future__ import annotations

import mmap
import pickletools
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_OPCODES = 96 * 91_125  # a run of floats counts as one
_LOOK = 256  # floats looked for at once
_FLOAT = 9  # bytes: the opcode and a big-endian double
_RUN = np.dtype([("opcode", "u1"), ("number", ">f8")])
_HIGHEST_PROTOCOL = 5
_MARK = object()
Data = bytes | mmap.mmap


class Floats:
    """Floats in a row in a pickle, as a place in its bytes."""

    __slots__ = ("_data", "_place", "count")

    def __init__(self, data: Data, place: int, count: int) -> None:
        self._data, self._place, self.count = data, place, count

    def array(self) -> NDArray[np.float64]:
        """The floats, ``(count,)``."""
        run = np.frombuffer(self._data, _RUN, self.count, self._place)
        return run["number"].astype(np.float64)


def load(data: Data, start: int = 0, *, runs: bool = False) -> Any:
    """The object in a pickle of protocol 2 to 5 that begins at byte ``start``.

    Args:
        data: the bytes, or a mapped file.
        start: where the pickle begins; it has to end where the bytes do.
        runs: give runs of floats in a list as one :class:`Floats` instead of floats.

    Raises:
        ValueError: for anything but plain data; says at which byte.
    """
    return run(_Machine(data, start, runs))


def run(machine: _Machine) -> Any:
    """The object that a machine builds; any damage is a ValueError that says at which byte."""
    try:
        return machine.run()
    except (IndexError, struct.error, TypeError, UnicodeError, KeyError) as error:
        raise ValueError(
            f"the pickle is damaged at byte {machine.place}: {str(error)[:100]}"
        ) from None


class _Machine:
    """The stack machine that a pickle is a program of; ``accepted`` says what it can build."""

    accepted = "lists, tuples, dicts, text and numbers"

    def __init__(self, data: Data, start: int, runs: bool) -> None:
        self.data, self.place, self.end, self.runs = data, start, len(data), runs
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.actions: dict[int, Callable[[], None]] = {
            ord("("): lambda: self.stack.append(_MARK),
            ord("]"): lambda: self.stack.append([]),
            ord(")"): lambda: self.stack.append(()),
            ord("}"): lambda: self.stack.append({}),
            ord("N"): lambda: self.stack.append(None),
            0x88: lambda: self.stack.append(True),
            0x89: lambda: self.stack.append(False),
            ord("K"): lambda: self.stack.append(self.take(1)[0]),
            ord("M"): lambda: self.stack.append(int.from_bytes(self.take(2), "little")),
            ord("J"): lambda: self.stack.append(
                int.from_bytes(self.take(4), "little", signed=True)
            ),
            0x8A: self.long,
            ord("G"): self.floats,
            0x8C: lambda: self.text(1),
            ord("X"): lambda: self.text(4),
            0x94: self.memoize,
            ord("q"): lambda: self.put(self.take(1)[0]),
            ord("r"): lambda: self.put(int.from_bytes(self.take(4), "little")),
            ord("h"): lambda: self.get(self.take(1)[0]),
            ord("j"): lambda: self.get(int.from_bytes(self.take(4), "little")),
            ord("a"): self.append,
            ord("e"): self.extend,
            ord("l"): lambda: self.stack.append(self.marked()),
            ord("t"): lambda: self.stack.append(tuple(self.marked())),
            0x85: lambda: self.tuple_of(1),
            0x86: lambda: self.tuple_of(2),
            0x87: lambda: self.tuple_of(3),
            ord("s"): self.set_item,
            ord("u"): self.set_items,
            0x95: lambda: self.skip(8),  # a frame says how much may be read at once
        }

    def run(self) -> Any:
        if self.take(1) != b"\x80" or not 2 <= self.take(1)[0] <= _HIGHEST_PROTOCOL:
            raise ValueError("expected a pickle of protocol 2 to 5")
        actions, data = [self.actions.get(code) for code in range(256)], self.data
        for _ in range(MOST_OPCODES):
            code = data[self.place]
            self.place += 1
            action = actions[code]
            if action is None:
                if code == ord("."):
                    return self.result()
                raise self.refusal(code)
            action()
        raise ValueError(f"the pickle has more than {MOST_OPCODES} opcodes")

    def result(self) -> Any:
        self.loosen()
        if len(self.stack) != 1 or self.stack[0] is _MARK:
            raise ValueError("the pickle ends before what it builds is complete")
        if self.place != self.end:
            raise ValueError(f"the file goes on after the pickle, at byte {self.place}")
        return self.stack[0]

    def refusal(self, code: int) -> ValueError:
        opcode = {op.code: op for op in pickletools.opcodes}.get(chr(code))
        name = f"the opcode {opcode.name}" if opcode else f"the unknown opcode {code:#x}"
        return ValueError(
            f"the pickle has {name} at byte {self.place - 1}: only {self.accepted} are read"
        )

    def take(self, size: int) -> bytes:
        start = self.place
        self.place = end = start + size
        if end > self.end:
            raise ValueError("the pickle is cut off")
        return self.data[start:end]

    def skip(self, size: int) -> None:
        self.place += size
        if self.place > self.end:
            raise ValueError("the pickle is cut off")

    def text(self, width: int) -> None:
        size = int.from_bytes(self.take(width), "little")
        self.stack.append(self.take(size).decode("utf-8"))

    def long(self) -> None:
        size = self.take(1)[0]
        if size > 16:
            raise ValueError(f"the pickle has a number of {size} bytes at byte {self.place}")
        self.stack.append(int.from_bytes(self.take(size), "little", signed=True))

    def floats(self) -> None:
        first, data = self.place - 1, self.data
        count = 1
        if data[first + _FLOAT : first + _FLOAT + 1] == b"G":  # a run: most of a release file
            more = _LOOK
            while more == _LOOK:  # as far as every ninth byte is the opcode again
                start = first + count * _FLOAT
                codes = data[start : start + _LOOK * _FLOAT : _FLOAT]
                more = len(codes) - len(codes.lstrip(b"G"))
                count += more
        self.skip(count * _FLOAT - 1)
        if count == 1:
            self.stack.append(struct.unpack_from(">d", data, first + 1)[0])
        elif self.runs:
            self.stack.append(Floats(data, first, count))
        else:
            self.stack += Floats(data, first, count).array().tolist()

    def memoize(self) -> None:
        self.put(len(self.memo))

    def put(self, number: int) -> None:
        top = self.stack[-1]
        if top is _MARK:
            raise ValueError(f"the pickle is damaged at byte {self.place}")
        if type(top) is Floats:
            self.loosen()
            top = self.stack[-1]
        self.memo[number] = top

    def get(self, number: int) -> None:
        self.stack.append(self.memo[number])

    def marked(self) -> list[Any]:
        """Take off everything above the last mark, and the mark."""
        stack = self.stack
        for place in range(len(stack) - 1, -1, -1):
            if stack[place] is _MARK:
                items = stack[place + 1 :]
                del stack[place:]
                return items
        raise ValueError(f"the pickle is damaged at byte {self.place}: there is no mark")

    def loosen(self) -> None:
        """Make single floats of a run on top, where one of them is meant."""
        if self.stack and isinstance(self.stack[-1], Floats):
            self.stack += self.stack.pop().array().tolist()

    def pop(self) -> Any:
        self.loosen()
        if self.stack[-1] is _MARK:
            raise ValueError(f"the pickle is damaged at byte {self.place}")
        return self.stack.pop()

    def top(self, kind: type) -> Any:
        if type(self.stack[-1]) is not kind:
            raise ValueError(
                f"the pickle is damaged at byte {self.place}: expected a {kind.__name__}"
            )
        return self.stack[-1]

    def append(self) -> None:
        item = self.pop()
        self.top(list).append(item)

    def extend(self) -> None:
        items = self.marked()
        self.top(list).extend(items)

    def tuple_of(self, size: int) -> None:
        items = [self.pop() for _ in range(size)]
        self.stack.append(tuple(items[::-1]))

    def set_item(self) -> None:
        value, key = self.pop(), self.pop()
        self.top(dict)[self.key(key)] = value

    def set_items(self) -> None:
        items: list[Any] = []
        for item in self.marked():
            items += item.array().tolist() if isinstance(item, Floats) else [item]
        if len(items) % 2:
            raise ValueError(f"the pickle is damaged at byte {self.place}: a key has no value")
        target = self.top(dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[self.key(key)] = value

    def key(self, key: object) -> object:
        if isinstance(key, bytes):  # text of Python 2
            return key.decode("latin1")
        if not isinstance(key, str | int | float | None):
            raise ValueError(f"expected text or a number as a key, got {type(key).__name__}")
        return key
