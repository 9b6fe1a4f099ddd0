"""Upstream's calls on an imported release, for people who come with code for the Blox package.

One nested ``arch_vec`` a call, accuracies as percentages, best over epochs unless told otherwise:

>>> blox = load_benchmark("my-store").upstream()                          # doctest: +SKIP
>>> blox.val_acc([[[0], [1, 1, 0, 0]], [[2], [0, 0, 1, 1]], [[0], [1, 0, 1, 0]]])  # doctest: +SKIP
75.42

Differences: without a seed the answer is the mean over the seeds, where upstream draws one from a
global generator; what the release does not have is NaN; bad input is a ValueError.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

from numpy.typing import ArrayLike

from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.base import SearchSpace
from blox_env.spaces.blox import BloxSpace

_PERCENT = ("val_acc", "test_acc", "train_acc", "val_top5", "test_top5", "train_top5")
_LOSSES = ("val_loss", "test_loss", "train_loss")


class Release(Protocol):
    """The part of an imported release that these calls need."""

    space: SearchSpace
    seeds: tuple[int, ...]
    columns: tuple[str, ...]
    device_names: tuple[str, ...]

    def check_seed(self, seed: int | None) -> int | None:
        """``seed``, if the release has it."""

    def column(
        self, name: str, x: ArrayLike, *, epochs: int | None, best: bool, seed: int | None
    ) -> FloatArray:
        """One column ``(n,)``.

        Args:
            name: of the column.
            x: architectures ``(n, slots)``.
            epochs: value after so many.
            best: the best up to there.
            seed: one of the seeds.
        """

    def curves(self, name: str, x: ArrayLike, *, seed: int | None) -> FloatArray:
        """Learning curves ``(n, epochs)``.

        Args:
            name: of the column.
            x: architectures ``(n, slots)``.
            seed: one of the seeds.
        """

    def environment(self, x: ArrayLike, *, seed: int) -> list[dict[str, str]]:
        """Facts about the machines that trained, one dict an architecture.

        Args:
            x: architectures ``(n, slots)``.
            seed: one of the seeds.
        """

    def latency_ms(self, x: ArrayLike, device: str) -> FloatArray:
        """Latencies ``(n,)`` on a device of the release.

        Args:
            x: architectures ``(n, slots)``.
            device: its name.
        """


class UpstreamCalls:
    """A release of the Blox space behind upstream's names.

    Args:
        benchmark: an imported release of Blox.

    Raises:
        ValueError: for a release of another space.
    """

    def __init__(self, benchmark: Release) -> None:
        self.space = BloxSpace()
        if benchmark.space.name != self.space.name:
            raise ValueError(
                f"upstream's calls are for the space 'blox', got {benchmark.space.name!r}"
            )
        self.benchmark = benchmark

    def val_acc(
        self,
        arch_vec: Sequence[Any],
        epoch: int | None = None,
        best: bool = True,
        seed: int | None = None,
    ) -> float:
        """Validation accuracy in percent.

        Args:
            arch_vec: the architecture, ``[[[op1], [op2, prev, input, skip]], …]``.
            epoch: number of epochs trained, 1 and up; None for all.
            best: the best up to there, else the last.
            seed: of the training, None for the mean over the release's seeds.
        """
        return self._value("val_acc", self._row(arch_vec), epoch, best, seed)

    def test_acc(self, arch_vec: Sequence[Any], seed: int | None = None) -> float:
        """Test accuracy in percent, with the weights of the best validation accuracy.

        Args:
            arch_vec: upstream's nested lists.
            seed: one of the seeds, None for the mean over them.
        """
        return self._value("test_acc", self._row(arch_vec), None, False, seed)

    def train_time(
        self, arch_vec: Sequence[Any], epoch: int | None = None, seed: int | None = None
    ) -> float:
        """Seconds of training up to an epoch, linear in the epochs.

        Args:
            arch_vec: upstream's nested lists.
            epoch: counted from 1, None for the last.
            seed: one of the seeds, None for the mean over them.
        """
        return self._value("train_time_s", self._row(arch_vec), epoch, False, seed)

    def latency(
        self, arch_vec: Sequence[Any], devices: str | Sequence[str] | None = None
    ) -> float | dict[str, float]:
        """Latency in milliseconds: of one device, or of several (None: all) as a dict by name.

        Args:
            arch_vec: upstream's nested lists.
            devices: a name, or several.
        """
        row = self._row(arch_vec)
        if isinstance(devices, str):
            return self._latency(row, devices)
        names = self.benchmark.device_names if devices is None else devices
        return {name: self._latency(row, name) for name in names}

    def params(self, arch_vec: Sequence[Any]) -> float:
        """Number of parameters; NaN without an info file."""
        return self._value("params", self._row(arch_vec))

    def flops(self, arch_vec: Sequence[Any]) -> float:
        """Number of FLOPs; NaN without an info file."""
        return self._value("flops", self._row(arch_vec))

    def full_info(self, arch_vec: Sequence[Any], seed: int | None = None) -> dict[str, Any]:
        """Everything about one architecture: hash, sizes, latencies, and each training by its seed.

        A training has ``val_acc``, ``train_acc``, … as a list of percentages, the losses as lists,
        ``test_acc``, ``test_top5``, ``test_loss``, ``train_time_s`` and ``env``, as far as they
        are there.

        Args:
            arch_vec: upstream's nested lists.
            seed: one of the seeds, None for all of them.
        """
        row = self._row(arch_vec)
        chosen = self.benchmark.check_seed(seed)
        seeds = self.benchmark.seeds if chosen is None else (chosen,)
        return {
            "arch_vec": self.space.to_arch_vec(row),
            "model_hash": self.space.model_hash(row)[0],
            "params": self._value("params", row),
            "flops": self._value("flops", row),
            "latency": {name: self._latency(row, name) for name in self.benchmark.device_names},
            "seeds": {number: self._training(row, number) for number in seeds},
        }

    def _training(self, row: IntArray, seed: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in (*_PERCENT, *_LOSSES, "train_time_s"):
            if name not in self.benchmark.columns:
                continue
            if name.startswith("test_") or name == "train_time_s":
                found[name] = self._value(name, row, None, False, seed)
                continue
            curve = self.benchmark.curves(name, row, seed=seed)[0].tolist()
            found[name] = [_percent(v) for v in curve] if name in _PERCENT else curve
        env = self.benchmark.environment(row, seed=seed)[0]
        return {**found, "env": env} if env else found

    def _row(self, arch_vec: Sequence[Any]) -> IntArray:
        return self.space.from_arch_vec(arch_vec)

    def _latency(self, row: IntArray, device: str) -> float:
        return float(self.benchmark.latency_ms(row, device)[0])

    def _value(
        self,
        name: str,
        row: IntArray,
        epoch: int | None = None,
        best: bool = False,
        seed: int | None = None,
    ) -> float:
        if name not in _PERCENT or seed is not None or len(self.benchmark.seeds) < 2:
            value = self.benchmark.column(name, row, epochs=epoch, best=best, seed=seed)[0]
            return _percent(value) if name in _PERCENT else float(value)
        each = [self._value(name, row, epoch, best, number) for number in self.benchmark.seeds]
        there = [value for value in each if not math.isnan(value)]
        return math.fsum(there) / len(there) if there else math.nan


def _percent(fraction: float) -> float:
    """A fraction as upstream writes it: percent, rounded to three decimals."""
    return round(100 * float(fraction), 3)
