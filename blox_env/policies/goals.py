"""Latency targets as a policy sees them: what environments show of them, and inputs of that."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.typing import FloatArray, IntArray

Columns = NDArray[np.float32]


class Place:
    """The target's place in a range, as environments with ``goal="latency_target"`` show it.

    The network gets it as hat functions on even knots, at most two of them above 0: weights of its
    own for every piece of the range.

    Args:
        low: of the range, in milliseconds.
        high: of the range.
        knots: number of hat functions.
    """

    reference: IntArray | None = None

    def __init__(self, low: float, high: float, knots: int) -> None:
        self.low, self.high, self.knots = float(low), float(high), int(knots)
        self.columns, self.features = 1, self.knots

    def shown(self, targets_ms: FloatArray, reference_ms: FloatArray | None) -> Columns:
        """Columns of an observation, ``(n, 1)``; targets beyond the range are at its end.

        Args:
            targets_ms: ``(n,)``.
            reference_ms: nothing, here.
        """
        del reference_ms
        place = (np.clip(targets_ms, self.low, self.high) - self.low) / (self.high - self.low)
        shown: Columns = place[:, None].astype(np.float32)
        return shown

    def inputs(self, columns: Columns) -> Columns:
        """Inputs of the network, ``(n, knots)``."""
        place = columns * np.float32(self.knots - 1)
        far = np.abs(place - np.arange(self.knots, dtype=np.float32))
        return np.maximum(np.float32(1) - far, np.float32(0))

    def unit_ms(self, targets_ms: FloatArray) -> FloatArray:
        """The unit of the network's latencies, ``(n,)``: a millisecond."""
        return np.ones_like(targets_ms)


class Probes:
    """A device by the latencies of reference networks relative to the target, ``t / (t + T)``.

    Environments with ``goal="device"`` and ``goal_probes`` show it so; the network gets the
    logarithms of ``t / T``.

    Args:
        reference: the reference networks ``(k, slots)``.
        scale: what the logarithms are multiplied by.
    """

    def __init__(self, reference: IntArray, scale: float) -> None:
        self.reference: IntArray | None = reference
        self.scale = np.float32(scale)
        self.columns = self.features = len(reference)

    def shown(self, targets_ms: FloatArray, reference_ms: FloatArray | None) -> Columns:
        """Columns of an observation, ``(n, k)``.

        Args:
            targets_ms: ``(n,)``.
            reference_ms: latencies of the reference networks, ``(n, k)``.
        """
        assert reference_ms is not None
        shown: Columns = (reference_ms / (reference_ms + targets_ms[:, None])).astype(np.float32)
        return shown

    def inputs(self, columns: Columns) -> Columns:
        """Inputs of the network, ``(n, k)``."""
        odds: Columns = np.clip(columns, 1e-4, 1 - 1e-4).astype(np.float32)
        logarithms: Columns = np.log(odds / (1 - odds)) * self.scale
        return logarithms

    def unit_ms(self, targets_ms: FloatArray) -> FloatArray:
        """The unit of the network's latencies, ``(n,)``: the target."""
        return targets_ms


Goal = Place | Probes


def made(settings: dict[str, Any], reference: IntArray) -> Goal:
    """The goal of a card.

    Args:
        settings: its ``goal``.
        reference: the reference networks, where it has some.
    """
    if settings["kind"] == "latency_target":
        return Place(settings["low_ms"], settings["high_ms"], settings["knots"])
    return Probes(reference, settings["scale"])
