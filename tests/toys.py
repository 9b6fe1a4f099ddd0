"""A small made-up benchmark and device, for tests that are about neither."""

from __future__ import annotations

import numpy as np

from blox_env import Benchmark, BloxSpace, Device, Evaluation, SearchSpace
from blox_env.benchmarks.blocks import TaughtBlocks
from blox_env.networks.signatures import Signatures


class ToyBenchmark(Benchmark):
    """Smooth accuracies with curves of ten epochs."""

    name = "toy"
    epochs = 10
    provides = frozenset({"curves", "table"})

    def __init__(self, space: SearchSpace | None = None) -> None:
        self.space = space or BloxSpace()
        if self.space.options == BloxSpace().options:
            self.provides = self.provides | {"blocks"}
        self.calls = 0  # architectures asked for
        self.batches = 0

    def evaluate(self, x, *, epochs=None, best=False, seed=None):
        x = self.space.check(x)
        self.batches += 1
        length = self.check_epochs(epochs)
        self.calls += len(x)
        slope = np.linspace(0.1, 0.3, self.space.slots)
        acc = (0.5 + 0.4 * np.cos((x * slope).sum(axis=1)) ** 2) * length / self.epochs
        if seed is not None:
            acc = acc + 1e-3 * ((x.sum(axis=1) + seed) % 7)
        n = len(x)
        test = acc - 0.01 if length == self.epochs else np.full(n, np.nan)
        return Evaluation(acc, test, np.zeros(n), np.full(n, 6.0 * length), np.full(n, "trained"))

    def blocks(self):
        return toy_blocks() if "blocks" in self.provides else ()


def toy_blocks(names=("round0", "round1", "mediocre")) -> tuple[TaughtBlocks, ...]:
    """Made-up signatures; those of a teacher cost 135 s, which is three trainings of a toy."""
    found = []
    for number, name in enumerate(names):
        rng = np.random.default_rng(number)
        nsr, mse, swap_acc = rng.uniform(0.01, 0.9, (3, 3, 45))
        signatures = Signatures(nsr, mse, swap_acc, seconds=np.ones((3, 45)))
        found.append(TaughtBlocks(name, (0, 0, 0), 0.5, 0.0, 135.0, 0.0, signatures))
    return tuple(found)


class ToyDevice(Device):
    """Latency that grows with the option numbers: 2 ms and up."""

    name = "toy-device"
    factor = 1.0

    def __init__(self, space: SearchSpace | None = None) -> None:
        self.space = space or BloxSpace()

    def latency_ms(self, x):
        return self.factor * (2.0 + self.space.check(x).sum(axis=1) / 45)

    def measured(self, x):
        return np.zeros(len(self.space.check(x)), bool)


class BoundedDevice(ToyDevice):
    """One that knows a lower bound, a little below the truth."""

    def slot_bounds_ms(self):
        return [1.9 / self.space.slots + np.arange(count) / 45 for count in self.space.options]


def huge_space() -> SearchSpace:
    """45^12 architectures: too many for an integer index."""
    return SearchSpace((45,) * 12, name="huge")


class PartBenchmark(ToyBenchmark):
    """Knows some architectures of its space; says that others are NaN."""

    def __init__(self, space: SearchSpace | None, rows) -> None:
        super().__init__(space)
        self.rows = np.asarray(rows)
        self._known = set(map(tuple, self.rows.tolist()))

    def known_rows(self, *, seed=None):
        return self.rows

    def evaluate(self, x, **arguments):
        value = super().evaluate(x, **arguments)
        for number, row in enumerate(self.space.check(x).tolist()):
            if tuple(row) not in self._known:
                value.val_acc[number] = np.nan
        return value
