"""Named objectives: what several goals of a search are called, and their values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.benchmarks.base import Benchmark
from blox_env.devices.base import Device
from blox_env.ground.errors import unknown_name
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem.history import Trials

# What needs no device; the first three are the usual proxies of energy where nothing is measured.
SIZES = ("params", "macs", "peak_activation_bytes", "flops")
OBJECTIVES = ("reward", "val_acc", "latency_ms", *SIZES)
GAINS = ("reward", "val_acc")  # the others are costs


class Objectives:
    """One or several objectives, all to be maximised: costs count with a minus.

    Args:
        names: different ones of ``reward, val_acc, latency_ms, params, macs,
            peak_activation_bytes, flops``.
        benchmark: for its space, which counts parameters, multiply-adds and activations, or for
            what its data say about them.
        device: where ``latency_ms`` is from.

    Raises:
        ValueError: for unknown or repeated names, or what nothing here tells.
    """

    def __init__(
        self, names: str | Sequence[str], benchmark: Benchmark, device: Device | None
    ) -> None:
        if not isinstance(names, str | list | tuple):
            raise TypeError(f"objectives must be a name or names, got {names!r}")
        self.names = (names,) if isinstance(names, str) else tuple(names)
        self.benchmark, self.device = benchmark, device
        for name in self.names:
            if name not in OBJECTIVES:
                raise ValueError(unknown_name("objective", name, OBJECTIVES))
        if not self.names or len(set(self.names)) != len(self.names):
            raise ValueError(f"objectives must be different names, got {names!r}")
        if "latency_ms" in self.names and device is None:
            raise ValueError("objective 'latency_ms' needs a device, got device=None")
        for name in set(self.names) & set(SIZES):
            known = benchmark.known_rows()
            some = benchmark.space.sample(np.random.default_rng(0), 1)
            self.size_of(name, some if known is None else known[:1])

    def __len__(self) -> int:
        """Number of objectives."""
        return len(self.names)

    def values(
        self, rows: IntArray, *, reward: FloatArray, val_acc: FloatArray, latency_ms: FloatArray
    ) -> FloatArray:
        """Values ``(n, objectives)`` of architectures ``(n, slots)``; higher is better.

        Args:
            rows: the architectures.
            reward: theirs, ``(n,)``.
            val_acc: theirs, ``(n,)``.
            latency_ms: theirs, ``(n,)``.
        """
        known = {"reward": reward, "val_acc": val_acc, "latency_ms": -latency_ms}
        columns: list[NDArray[Any]] = [
            known[name] if name in known else -self.size_of(name, rows) for name in self.names
        ]
        return np.column_stack(columns).astype(float)

    def in_units(self, values: FloatArray) -> FloatArray:
        """Values ``(…, objectives)`` as users read them: costs are positive."""
        signs = [1.0 if name in GAINS else -1.0 for name in self.names]
        return np.asarray(values * np.array(signs))

    def to_maximise(self, values: FloatArray) -> FloatArray:
        """Values that a user gave, costs with a minus, which they may have already."""
        cost = np.array([name not in GAINS for name in self.names])
        return np.where(cost, -np.abs(values), values)

    def of(self, trials: Trials) -> FloatArray:
        """Values ``(n, objectives)`` of trials; higher is better."""
        return self.values(
            trials.x, reward=trials.reward, val_acc=trials.val_acc, latency_ms=trials.latency_ms
        )

    def size_of(self, name: str, rows: IntArray) -> FloatArray:
        """``params``, ``macs``, ``peak_activation_bytes`` or ``flops``, ``(n,)``.

        Args:
            name: of the size.
            rows: architectures ``(n, slots)``.

        Raises:
            ValueError: where neither the space counts them nor the benchmark tells them.
        """
        space = self.benchmark.space
        if name in space.sizes:
            return np.asarray(space.size_of(name, rows), dtype=float)
        if name in self.benchmark.columns:
            sizes = np.asarray(self.benchmark.column(name, rows), dtype=float)
            if not np.isnan(sizes).any():
                return sizes
        raise ValueError(
            f"objective {name!r}: neither {space!r} nor benchmark {self.benchmark.name!r} "
            "tells it of every architecture"
        )
