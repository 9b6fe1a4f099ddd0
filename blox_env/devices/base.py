"""The interface of every device: latency of a batch of architectures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blox_env.ground import registry
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.base import SearchSpace


class Device(ABC):
    """Latency of every architecture of a space on one target device.

    Attributes:
        name: how results call it.
        space: what it knows the latency of.
        description: what was measured how, in a sentence; empty if nobody says.
        card: the data card as it is stored; empty where there is none.
    """

    name: str
    space: SearchSpace
    description: str = ""
    card: Mapping[str, Any] = MappingProxyType({})
    _sorted_ms: FloatArray | None = None

    @abstractmethod
    def latency_ms(self, x: ArrayLike) -> FloatArray:
        """Latency of one inference in milliseconds, ``(n, slots) -> (n,)``."""

    @abstractmethod
    def measured(self, x: ArrayLike) -> NDArray[np.bool_]:
        """Mask of the latencies that were measured, ``(n,)``; the others are predicted."""

    def provenance(self, x: ArrayLike) -> list[str]:
        """Origin of each latency in words: ``measured``, ``predicted``, or by which tool."""
        return ["measured" if flag else "predicted" for flag in self.measured(x)]

    def known_rows(self) -> IntArray | None:
        """The architectures ``(k, slots)`` that it has a latency of; None: all of its space."""
        return None

    def median_ms(self) -> float:
        """Median latency over the space, the default latency target."""
        return float(self.quantiles_ms((0.5,))[0])

    def quantiles_ms(self, q: Sequence[float]) -> FloatArray:
        """Quantiles of the latency over the space, one for each of ``q`` in 0 … 1.

        Computed over all architectures where there are at most 10^6, else over 100,000 drawn ones.
        """
        known = self._sorted_ms
        if known is None:  # environments ask for it at every start
            if self.space.listable:
                rows = self.space.all()
            else:
                rows = self.space.sample(np.random.default_rng(0), 100_000)
            known = np.sort(self.latency_ms(rows))
            self._sorted_ms = known
        return np.quantile(known, q)

    def slot_bounds_ms(self) -> list[FloatArray] | None:
        """The least that each option of each slot adds to a latency, ``(options,)`` a slot.

        The sum over the slots is a lower bound of the latency. Latency budgets in spaces too large
        to list need it; None where there is none, as here.
        """
        return None

    def checksum(self) -> str:
        """Identity of the data in result files; the class's name where there is no data."""
        return f"{type(self).__module__}.{type(self).__qualname__}"


def load_device(device: str | Device) -> Device:
    """The device of a registered name, a folder, or ``"module:Class"``; made once a process.

    A folder is one that ``blox-env measure --build`` wrote, or ``STORE/devices/NAME`` of a store
    that ``blox-env import`` wrote.

    Raises:
        ValueError: for an unknown name, with the closest known one.
    """
    if isinstance(device, Device):
        return device
    return registry.load("device", device, Device)


def list_devices(space: str | None = None) -> list[str]:
    """Names that :func:`load_device` knows; with ``space``, those for the space of that name."""
    known = registry.names("device")
    return [n for n in known if space is None or load_device(n).space.name == space]
