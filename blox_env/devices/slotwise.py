"""A device of a space too large to list: latency as a sum of what each slot adds."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blox_env.devices.base import Device
from blox_env.devices.embedded import DATA
from blox_env.ground.errors import unknown_name
from blox_env.ground.typing import FloatArray
from blox_env.spaces import BloxXLSpace
from blox_env.spaces.base import SearchSpace
from blox_env.store.arrays import read_array

CARD = "slots.json"
TABLE = "slots.npy"
SPACES = {"bloxxl": BloxXLSpace}


class SlotwiseDevice(Device):
    """Latency of any architecture, predicted: a constant and one number for each slot's option.

    An inference runs the blocks one after another, so that this is close; the card says how close.
    Every value is a prediction, also of the networks that were measured.

    Args:
        name: how results call it.
        space: of the architectures.
        base_ms: what every architecture has.
        tables_ms: of each slot, what its options add, ``(options,)``.
        card: protocol, machine, versions and statistics, as in ``slots.json``.

    Raises:
        ValueError: for tables of another space, or latencies that are not above 0.
    """

    def __init__(
        self,
        name: str,
        space: SearchSpace,
        base_ms: float,
        tables_ms: Iterable[ArrayLike],
        card: Mapping[str, Any] | None = None,
    ) -> None:
        self.name, self.space = name, space
        self.card = {} if card is None else dict(card)
        self.description = str(self.card.get("description", ""))
        self._base = float(base_ms)
        self._tables = [np.array(table, dtype=np.float64) for table in tables_ms]
        sizes = tuple(len(table) for table in self._tables)
        if sizes != space.options:
            raise ValueError(f"expected a table for each of {space.options} options, got {sizes}")
        least = self._base + sum(table.min() for table in self._tables)
        if not (np.isfinite(least) and least > 0):
            raise ValueError(f"expected latencies above 0, got at least {least:.6g} ms")

    def latency_ms(self, x: ArrayLike) -> FloatArray:
        """Latency of one inference in milliseconds, ``(n, slots) -> (n,)``."""
        rows = self.space.check(x)
        total = np.full(len(rows), self._base)
        for slot, table in enumerate(self._tables):
            total += table[rows[:, slot]]
        return total

    def measured(self, x: ArrayLike) -> NDArray[np.bool_]:
        """False for every architecture ``(n,)``: all of it is predicted."""
        return np.zeros(len(self.space.check(x)), dtype=bool)

    def slot_bounds_ms(self) -> list[FloatArray]:
        """Exact ones: the sum over the slots is the latency."""
        first, *others = self._tables
        return [first + self._base, *others]

    def checksum(self) -> str:
        """SHA-256 of all tables."""
        return hashlib.sha256(table_of(self._base, self._tables).tobytes()).hexdigest()

    def __repr__(self) -> str:
        """Name, and on how many networks it rests."""
        return f"SlotwiseDevice({self.name!r}, from {self.card.get('measured', 0)} measured)"


def table_of(base_ms: float, tables_ms: Sequence[FloatArray]) -> FloatArray:
    """The constant and all tables in one array, as in ``slots.npy``.

    Args:
        base_ms: the constant.
        tables_ms: the tables.
    """
    return np.concatenate([[base_ms], *tables_ms])


def from_folder(folder: str | os.PathLike[str]) -> SlotwiseDevice:
    """The device that :func:`blox_env.devices.slotwise_build.build_slotwise` wrote.

    Raises:
        ValueError: for a file that is missing or damaged; names it.
    """
    path = Path(folder) / CARD
    try:
        card = json.loads(path.read_text())
        name, known, sha256 = card["name"], card["space"], card["files"][TABLE]
    except FileNotFoundError:
        raise ValueError(f"{folder} is not a device: {CARD} is missing") from None
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path} is damaged: {error!r}") from None
    if known not in SPACES:
        raise ValueError(f"{path}: {unknown_name('space', known, SPACES)}")
    space = SPACES[known]()
    try:
        table = read_array(Path(folder) / TABLE, str(sha256), np.float64, (1 + sum(space.options),))
        parts = np.split(table[1:], np.cumsum(space.options)[:-1])
        return SlotwiseDevice(str(name), space, float(table[0]), parts, card)
    except FileNotFoundError:
        raise ValueError(f"{folder} is not whole: {TABLE} is missing") from None
    except ValueError as error:
        raise ValueError(f"{folder}: {error}") from None


x86_ort_int8_1t_xl = partial(from_folder, DATA / "x86-ort-int8-1t-xl")
