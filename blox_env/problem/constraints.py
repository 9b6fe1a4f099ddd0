"""Constraints by name: limits of sizes and of latency that an architecture has to keep to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from blox_env.benchmarks.base import Benchmark
from blox_env.devices.base import Device
from blox_env.ground.errors import unknown_name
from blox_env.ground.typing import BoolArray, FloatArray, IntArray
from blox_env.problem.bounds import MARGIN, Part, Term, UnboundedError
from blox_env.problem.objectives import SIZES, Objectives

CONSTRAINTS = ("latency_ms", "memory_mb", *SIZES)
_MEGABYTE = 1e6
_PARTS = {"memory_mb": (("params", 4 / _MEGABYTE), ("peak_activation_bytes", 1 / _MEGABYTE))}


class Constraints:
    """Upper limits by name; an architecture that keeps to all of them is *feasible*.

    Args:
        limits: by name: ``params``, ``macs``, ``flops``, ``peak_activation_bytes``; ``memory_mb``,
            parameters and activations of one image in fp32 in 10^6 bytes; ``latency_ms``.
        benchmark: for its space, which counts sizes, or for what its data say about them.
        device: where latencies are from.

    Attributes:
        limits: by name, in the order given.

    Raises:
        TypeError: for what is no mapping, or a limit that is no number.
        ValueError: for an unknown name, a limit that is not above 0, or what nothing here tells.
    """

    def __init__(
        self, limits: Mapping[str, float] | None, benchmark: Benchmark, device: Device | None
    ) -> None:
        given = {} if limits is None else limits
        if not isinstance(given, Mapping):
            raise TypeError(
                f'constraints must be limits by name, {{"params": 2.5e6}}, got {given!r}'
            )
        self.limits = {str(name): _checked(name, limit) for name, limit in given.items()}
        self.device = device
        if "latency_ms" in self.limits and device is None:
            raise ValueError("constraint 'latency_ms' needs a device, got device=None")
        needed = [name for name in self.limits if name in SIZES]
        if "memory_mb" in self.limits:
            needed += ["params", "peak_activation_bytes"]
        try:
            self._sizes = Objectives(tuple(dict.fromkeys(needed)) or ("val_acc",), benchmark, None)
        except ValueError as error:
            raise ValueError(str(error).replace("objective", "constraint", 1)) from None

    def __bool__(self) -> bool:
        """True if there is a constraint."""
        return bool(self.limits)

    def __str__(self) -> str:
        """All limits: ``params <= 2.5e+06, latency_ms <= 4``."""
        return in_words(self.limits)

    def value(self, name: str, x: IntArray, latency_ms: FloatArray | None = None) -> FloatArray:
        """The value that a limit is about, ``(n,)``.

        Args:
            name: of the constraint.
            x: architectures ``(n, slots)``.
            latency_ms: theirs, where they are known.
        """
        if name == "memory_mb":
            both = self._sizes.size_of("params", x) * 4
            return (both + self._sizes.size_of("peak_activation_bytes", x)) / _MEGABYTE
        if name != "latency_ms":
            return self._sizes.size_of(name, x)
        if latency_ms is not None:
            return latency_ms
        assert self.device is not None
        return self.device.latency_ms(x)

    def excess(self, x: IntArray, latency_ms: FloatArray | None = None) -> FloatArray:
        """Sum of the relative excesses over the limits, ``(n,)``: 0 for what is feasible.

        Args:
            x: architectures ``(n, slots)``.
            latency_ms: theirs, where they are known.
        """
        total = np.zeros(len(x))
        for name, limit in self.limits.items():
            over = self.value(name, x, latency_ms) / limit - 1.0
            total += np.where(over > MARGIN, over, 0.0)
        return total

    def within(self, x: IntArray, latency_ms: FloatArray | None = None) -> BoolArray:
        """Mask of the feasible architectures, ``(n,)``.

        Args:
            x: architectures ``(n, slots)``.
            latency_ms: theirs, where they are known.
        """
        return np.asarray(self.excess(x, latency_ms) == 0.0)

    def terms(self) -> list[Term]:
        """The limits in parts that are worked out slot by slot, for :class:`Bounds`.

        Raises:
            UnboundedError: names a constraint that cannot be bounded so.
        """
        return [
            Term(name, limit, {part: (weight, self._part(name, part)) for part, weight in of})
            for name, limit in self.limits.items()
            for of in [_PARTS.get(name, ((name, 1.0),))]
        ]

    def _part(self, name: str, part: str) -> Part:
        """A part of what is limited, slot by slot."""
        if part == "latency_ms":
            tables = None if self.device is None else self.device.slot_bounds_ms()
            if tables is not None:
                return Part(0.0, tuple(tables), exact=False)
            wanted = "a device with slot_bounds_ms()"
        else:
            found = self._sizes.benchmark.space.slotwise(part)
            if found is not None:
                tables = [table.astype(np.float64) for table in found.tables]
                return Part(found.base, tuple(tables), found.combined)
            wanted = f"one with slotwise({part!r})"
        raise UnboundedError(
            f"masks of constraint {name!r} need a space that can be listed, or {wanted}, got "
            f"{self._sizes.benchmark.space!r}: with enforce_constraints=False it is a cost"
        )


def in_words(limits: Mapping[str, float] | None) -> str:
    """Limits by name as a text, such as ``params <= 2.5e+06``; empty without any."""
    return ", ".join(f"{name} <= {limit:g}" for name, limit in (limits or {}).items())


def _checked(name: Any, limit: Any) -> float:
    if name not in CONSTRAINTS:
        raise ValueError(unknown_name("constraint", name, CONSTRAINTS))
    if isinstance(limit, bool) or not isinstance(limit, int | float | np.number):
        raise TypeError(f"constraint {name!r} must be a number, got {limit!r}")
    if not (np.isfinite(limit) and limit > 0):
        raise ValueError(f"constraint {name!r} must be above 0, got {limit!r}")
    return float(limit)
