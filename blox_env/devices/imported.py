"""A device of an imported release: what was measured there, and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blox_env.devices.base import Device
from blox_env.ground.errors import unknown_name
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.numbering import Numbering
from blox_env.store.reader import Store, open_store


class ReleaseDevice(Device):
    """Latencies of a release; asking for one that was not measured is an error.

    A release need not have measured every architecture, and nothing is predicted here: a search
    on a device that is not ``complete`` has to keep to :meth:`measured` architectures. Quantiles,
    the median among them, are those of the measured ones.

    Args:
        store: the imported release.
        name: of the device in it.

    Attributes:
        card: unit and how it is known, and what was measured.

    Raises:
        ValueError: for a name that is not there.
    """

    def __init__(self, store: Store, name: str) -> None:
        devices = store.manifest["devices"]
        if name not in devices:
            raise ValueError(unknown_name("device", name, devices))
        self.name, self.space = name, store.space
        self.card: dict[str, Any] = devices[name]
        self.description = str(self.card.get("description", ""))
        self._key = f"devices/{name}/latency"
        self._sha256 = str(store.manifest["columns"][self._key]["sha256"])
        self._place = store.folder / "devices" / name
        self._store = store
        self._number = Numbering(self.space)

    @cached_property
    def table(self) -> FloatArray:
        """Latencies in milliseconds by number of the architecture, ``(size,)``, with NaN.

        Raises:
            ValueError: for a damaged file; names it.
        """
        table: FloatArray = self._store.dense(self._key) * float(self.card["factor"])
        low, high = np.fmin.reduce(table), np.fmax.reduce(table)
        if not 0 < low <= high < np.inf:  # both are NaN if all of them are
            path = self._store.path(self._key)
            raise ValueError(f"{path} is damaged: expected latencies above 0, finite")
        table.setflags(write=False)
        return table

    @cached_property
    def complete(self) -> bool:
        """True if every architecture of the space was measured."""
        return not np.isnan(self.table).any()

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and other processes open the store again."""
        return from_folder, (str(self._place.resolve()),)

    def latency_ms(self, x: ArrayLike) -> FloatArray:
        """Latency in milliseconds, ``(n, slots) -> (n,)``.

        Raises:
            ValueError: where one was not measured; names the first architecture.
        """
        latency: FloatArray = self._number.take(self.table, x)
        if not self.complete and np.isnan(latency).any():
            first = int(np.flatnonzero(np.isnan(latency))[0])
            row = self.space.check(x)[first].tolist()
            raise ValueError(
                f"device {self.name!r} has no latency of architecture {row}: the release measured "
                f"{self.card['measured']} of {self.space.size}, and measured(x) says which"
            )
        return latency

    def measured(self, x: ArrayLike) -> NDArray[np.bool_]:
        """Mask of the latencies that the release has, ``(n,)``; asking for others is an error."""
        known: NDArray[np.bool_] = ~np.isnan(self.table.take(self._number(x)))
        return known

    def known_rows(self) -> IntArray | None:
        """The measured architectures ``(k, slots)``; None for all of the space."""
        if self.complete:
            return None
        return self.space.from_index(np.flatnonzero(~np.isnan(self.table)))

    def median_ms(self) -> float:
        """Median latency of the measured architectures."""
        return float(self.quantiles_ms((0.5,))[0])

    def quantiles_ms(self, q: Sequence[float]) -> FloatArray:
        """Quantiles of the latency of the measured architectures, one for each of ``q``."""
        return np.asarray(np.nanquantile(self.table, q), dtype=np.float64)

    def checksum(self) -> str:
        """SHA-256 of the file of latencies, and the unit they are read in."""
        content = f"{self._sha256} {self.card['factor']!r}"
        return hashlib.sha256(content.encode()).hexdigest()


def from_folder(folder: str | Path) -> ReleaseDevice:
    """The device in ``STORE/devices/NAME``."""
    place = Path(folder)
    return ReleaseDevice(open_store(place.parent.parent), place.name)
