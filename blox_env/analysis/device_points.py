"""A device as points: accuracy against latency, fronts of mixed and of uniform architectures.

A uniform architecture has the same block in every stage, as cell-based search spaces have it; the
others mix blocks. What mixing gains is how far the front of all architectures lies above the front
of the uniform ones (the comparison of Chau et al., *Blox*, NeurIPS 2022, on our data).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blox_env.benchmarks.base import Benchmark
from blox_env.devices.base import Device
from blox_env.ground.typing import FloatArray
from blox_env.problem.pareto import front

BoolArray = NDArray[np.bool_]
_DRAWN = 100_000


@dataclass(frozen=True)
class DevicePoints:
    """Latency in ms and mean validation accuracy of architectures, and which are special.

    Attributes:
        latency_ms: ``(n,)``.
        val_acc: ``(n,)``, fractions.
        front: on the front of all, ``(n,)`` bool.
        uniform: the same option in every slot, ``(n,)`` bool.
        uniform_front: on the front of the uniform ones, ``(n,)`` bool.
        complete: whether these are all architectures of the space.
    """

    latency_ms: FloatArray
    val_acc: FloatArray
    front: BoolArray
    uniform: BoolArray
    uniform_front: BoolArray
    complete: bool

    @classmethod
    def of(cls, benchmark: Benchmark, device: Device, *, seed: int = 0) -> DevicePoints:
        """All architectures of the space, or 100,000 drawn and all uniform ones of a large one.

        Args:
            benchmark: where the accuracies are from.
            device: where the latencies are from.
            seed: of the draw from a large space.

        Raises:
            ValueError: when the benchmark is for another space than the device.
        """
        space = device.space
        if benchmark.space != space:
            raise ValueError(
                f"benchmark {benchmark.name!r} is for the space {benchmark.space.name!r}, but "
                f"device {device.name!r} for {space.name!r}"
            )
        complete = space.listable
        if complete:
            rows = space.all()
        else:
            equal = np.repeat(np.arange(min(space.options))[:, None], space.slots, axis=1)
            rows = np.vstack([equal, space.sample(np.random.default_rng(seed), _DRAWN)])
        latency, accuracy = device.latency_ms(rows), benchmark.evaluate(rows).val_acc
        points = np.column_stack([latency, -accuracy])
        uniform = (rows == rows[:, :1]).all(axis=1)
        uniform_front = np.zeros(len(rows), bool)
        uniform_front[uniform] = front(points[uniform])
        return cls(latency, accuracy, front(points), uniform, uniform_front, complete)

    def gain(self) -> FloatArray:
        """Gain by mixing blocks at each latency of the front of all, ``(k,)``, by rising latency.

        Its accuracy minus the best of the uniform architectures that are no slower; a fraction, NaN
        where no uniform one is as fast.
        """
        latency, accuracy = along(self.latency_ms, self.val_acc, self.front)
        uniform, best = along(self.latency_ms, self.val_acc, self.uniform_front)
        place = np.searchsorted(uniform, latency, side="right") - 1
        return np.where(place < 0, np.nan, accuracy - best[place])


def along(
    latency_ms: FloatArray, val_acc: FloatArray, mask: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Chosen points by rising latency.

    Args:
        latency_ms: ``(n,)``.
        val_acc: ``(n,)``.
        mask: which to take, ``(n,)``.
    """
    order = np.argsort(latency_ms[mask], kind="stable")
    return latency_ms[mask][order], val_acc[mask][order]
