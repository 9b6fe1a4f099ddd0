"""A device as one table: own latencies where there are some, predicted ones elsewhere.

Own ones are measured, or estimated by a tool (:mod:`blox_env.devices.estimated`).
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blox_env.devices.base import Device
from blox_env.ground.errors import unknown_name
from blox_env.ground.typing import FloatArray
from blox_env.spaces import SPACES
from blox_env.spaces.base import SearchSpace
from blox_env.store.arrays import read_array

DATA = Path(__file__).resolve().parent.parent / "data" / "devices"
TABLES = ("latency.npy", "measured.npy")
ESTIMATED = "estimated.npy"


class MeasuredDevice(Device):
    """Latency of every architecture of an enumerable space, in memory, read-only.

    Args:
        name: how results call it.
        space: what the table is about.
        latency_ms: latency by architecture number, ``(space.size,)``, finite and above 0.
        measured: numbers of the measured architectures, distinct; the others are predicted.
        card: protocol, machine, versions and statistics, as in ``card.json``.
        estimated: numbers of the architectures that a tool estimated, none of them measured; then
            the card has its ``tool``.
    """

    def __init__(
        self,
        name: str,
        space: SearchSpace,
        latency_ms: ArrayLike,
        measured: ArrayLike,
        card: dict[str, Any] | None = None,
        estimated: ArrayLike = (),
    ) -> None:
        self.name = name
        self.space = space
        self.card: dict[str, Any] = {} if card is None else card
        self.description = str(self.card.get("description", ""))
        self._latency: FloatArray = np.array(latency_ms, dtype=np.float64)
        numbers = np.asarray(measured)
        guessed = np.asarray(estimated if np.size(estimated) else np.empty(0, dtype=np.int64))
        _check_table(self._latency, numbers, space)
        _check_numbers("estimated", guessed, space)
        self._measured: NDArray[np.bool_] = np.zeros(space.size, dtype=np.bool_)
        self._measured[numbers] = True
        self._own = self._measured.copy()
        self._own[guessed] = True
        for table in (self._latency, self._measured, self._own):
            table.setflags(write=False)
        content = self._latency.tobytes() + np.packbits(self._measured).tobytes()
        if (self._own & ~self._measured).any():
            content += np.packbits(self._own).tobytes()
        self._checksum = hashlib.sha256(content).hexdigest()

    @classmethod
    def from_folder(
        cls, folder: str | os.PathLike[str], space: SearchSpace | None = None
    ) -> MeasuredDevice:
        """The device that :func:`blox_env.devices.build.build_device` wrote.

        Args:
            folder: with ``card.json`` and the tables.
            space: of the architectures, the one that the card names if not given.

        Raises:
            FileNotFoundError: a file of the folder is missing.
            ValueError: a file is damaged; names it, what was expected and what came.
        """
        path = Path(folder) / "card.json"
        card = _read_card(path)
        if space is None and card["space"] not in SPACES:
            raise ValueError(f"{path}: {unknown_name('space', card['space'], SPACES)}")
        space = SPACES[card["space"]]() if space is None else space
        if card["space"] != space.name:
            raise ValueError(f"{path}: expected the space {space.name!r}, got {card['space']!r}")
        tables = [*TABLES, *([ESTIMATED] if ESTIMATED in card["files"] else [])]
        latency, measured, *estimated = (
            read_array(Path(folder) / name, str(card["files"].get(name))) for name in tables
        )
        try:
            device = cls(card["name"], space, latency, measured, card, *estimated)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{folder}: {error}") from None
        if int(device._measured.sum()) != card["measured"]:
            raise ValueError(
                f"{Path(folder) / 'measured.npy'}: expected {card['measured']} architectures as in "
                f"card.json, got {len(measured)}"
            )
        return device

    def latency_ms(self, x: ArrayLike) -> FloatArray:
        """Latency of one inference in milliseconds, ``(n, slots) -> (n,)``."""
        return self._latency[self.space.index(x)]

    def measured(self, x: ArrayLike) -> NDArray[np.bool_]:
        """Mask of the latencies that were measured, ``(n,)``; the others are predicted."""
        return self._measured[self.space.index(x)]

    def first_hand(self, x: ArrayLike) -> NDArray[np.bool_]:
        """Mask of what was measured or estimated, ``(n,)``; the others are predicted from that."""
        return self._own[self.space.index(x)]

    def provenance(self, x: ArrayLike) -> list[str]:
        """Origin of each latency in words, with the tool where it is from estimates.

        ``measured and shrunk``: moved towards the held-out prediction by its noise, see the card.
        """
        if "estimated" not in self.card:
            shrunk = "kept_of_difference" in self.card.get("noise", {})
            own = "measured and shrunk" if shrunk else "measured"
            return [own if flag else "predicted" for flag in self.measured(x)]
        tool = self.card["tool"]
        words = f"estimated by {tool}", f"predicted from estimates by {tool}"
        return [words[0] if own else words[1] for own in self.first_hand(x)]

    def checksum(self) -> str:
        """SHA-256 of all latencies and of which of them were measured."""
        return self._checksum

    def __repr__(self) -> str:
        """Name, and how many of how many are measured or estimated."""
        kind = "estimated" if "estimated" in self.card else "measured"
        return f"MeasuredDevice({self.name!r}, {self._own.sum()} of {self.space.size} {kind})"


def from_folder(folder: str | os.PathLike[str]) -> MeasuredDevice:
    """The device in a folder that ``blox-env measure --build`` wrote."""
    return MeasuredDevice.from_folder(folder)


# what the registry names; each of these gives the device anew
ethos_u55_128 = partial(MeasuredDevice.from_folder, DATA / "ethos-u55-128")
ethos_u55_256 = partial(MeasuredDevice.from_folder, DATA / "ethos-u55-256")
ethos_u65_256 = partial(MeasuredDevice.from_folder, DATA / "ethos-u65-256")
h100_torch_graph = partial(MeasuredDevice.from_folder, DATA / "h100-torch-graph")
h100_torch_graph_b64 = partial(MeasuredDevice.from_folder, DATA / "h100-torch-graph-b64")
h100_torch_graph_bf16 = partial(MeasuredDevice.from_folder, DATA / "h100-torch-graph-bf16")
x86_chromium_wasm_1t = partial(MeasuredDevice.from_folder, DATA / "x86-chromium-wasm-1t")
x86_ncnn_1t = partial(MeasuredDevice.from_folder, DATA / "x86-ncnn-1t")
x86_openvino_1t = partial(MeasuredDevice.from_folder, DATA / "x86-openvino-1t")
x86_ort_1t = partial(MeasuredDevice.from_folder, DATA / "x86-ort-1t")
x86_ort_b16_1t = partial(MeasuredDevice.from_folder, DATA / "x86-ort-b16-1t")
x86_ort_int8_1t = partial(MeasuredDevice.from_folder, DATA / "x86-ort-int8-1t")
x86_torch_1t = partial(MeasuredDevice.from_folder, DATA / "x86-torch-1t")


def _check_table(latency: FloatArray, numbers: NDArray[Any], space: SearchSpace) -> None:
    if latency.shape != (space.size,):
        raise ValueError(
            f"expected latency_ms as an array of shape ({space.size},), got shape {latency.shape}"
        )
    bad = ~(np.isfinite(latency) & (latency > 0))
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise ValueError(
            f"expected latencies that are finite and above 0, got {latency[first]} for "
            f"architecture number {first}"
        )
    _check_numbers("measured", numbers, space)


def _check_numbers(name: str, numbers: NDArray[Any], space: SearchSpace) -> None:
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
        raise TypeError(
            f"expected {name} as an integer array (m,) of architecture numbers, "
            f"got {numbers.dtype} of shape {numbers.shape}"
        )
    if len(np.unique(numbers)) != len(numbers):
        raise ValueError(f"expected {name} to hold distinct architecture numbers, got duplicates")
    if numbers.size and not 0 <= numbers.min() <= numbers.max() < space.size:
        raise ValueError(
            f"expected {name} to hold numbers in 0 … {space.size - 1}, "
            f"got values from {numbers.min()} to {numbers.max()}"
        )


def _read_card(path: Path) -> dict[str, Any]:
    try:
        card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(
            f"{path}: expected JSON, got a file that does not parse: {error}"
        ) from None
    wanted = {"name": str, "space": str, "measured": int, "files": dict}
    for key, kind in wanted.items():
        if not isinstance(card, dict) or not isinstance(card.get(key), kind):
            got = card.get(key) if isinstance(card, dict) else card
            raise ValueError(f"{path}: expected {key!r} to be {kind.__name__}, got {got!r}")
    return card
