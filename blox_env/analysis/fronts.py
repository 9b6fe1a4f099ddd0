"""Accuracy against latency: what runs evaluated, and the fronts of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from blox_env.analysis.statistics import answers
from blox_env.devices.base import Device
from blox_env.experiment.results import Run
from blox_env.ground.typing import FloatArray
from blox_env.problem.pareto import front


@dataclass(frozen=True)
class Points:
    """Architectures as points: latency in milliseconds and validation accuracy as a fraction."""

    latency_ms: FloatArray
    val_acc: FloatArray

    @classmethod
    def of(cls, runs: Sequence[Run]) -> Points:
        """All full trainings of the runs that have a latency and keep to the constraints."""
        keep = [answers(run) & ~np.isnan(run.columns["latency_ms"]) for run in runs]
        pairs = list(zip(runs, keep, strict=True))
        return cls(
            np.concatenate([run.columns["latency_ms"][rows] for run, rows in pairs]),
            np.concatenate([run.columns["val_acc"][rows] for run, rows in pairs]),
        )

    def front(self) -> Points:
        """The distinct points that none is both faster and more accurate than, fastest first."""
        best = np.unique(self._both()[self.on_front()], axis=0)
        return Points(best[:, 0], best[:, 1])

    def distinct(self) -> Points:
        """Each of the points once, fastest first."""
        each = np.unique(self._both(), axis=0)
        return Points(each[:, 0], each[:, 1])

    def on_front(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Mask ``(n,)`` of the points of the front, copies included."""
        return front(self._both(), maximise=(False, True))

    def reference(self) -> FloatArray:
        """Reference point of hypervolumes: accuracy and latency, ``(2,)``.

        A tenth of the span beyond the worst of these points, in each of the two.
        """
        spans = [np.ptp(self.val_acc) or 10.0, np.ptp(self.latency_ms) or 10.0]
        return np.array(
            [self.val_acc.min() - 0.1 * spans[0], self.latency_ms.max() + 0.1 * spans[1]]
        )

    def _both(self) -> FloatArray:
        return np.stack([self.latency_ms, self.val_acc], axis=1)

    def __len__(self) -> int:
        """Number of points."""
        return len(self.latency_ms)


@dataclass(frozen=True)
class FrontPoint:
    """One architecture of a front.

    ``row`` holds its options; ``val_acc`` is a fraction with its ``source``; ``latency_source``
    says in words where the latency is from; ``seed`` is the search that found it, None for the
    front of the whole table.
    """

    row: tuple[int, ...]
    latency_ms: float
    val_acc: float
    source: str
    latency_source: str
    seed: int | None


def found_front(runs: Sequence[Run], device: Device | None = None) -> list[FrontPoint]:
    """The front of all full trainings of the runs, fastest first; of equal points the first.

    What breaks a constraint is not among it.

    Args:
        runs: of one agent on one problem.
        device: tells where latencies are from.
    """
    kept = []
    for run in runs:
        rows = np.flatnonzero(answers(run) & ~np.isnan(run.columns["latency_ms"]))
        own = Points(run.columns["latency_ms"][rows], run.columns["val_acc"][rows])
        kept += [(run, int(row)) for row in rows[own.on_front()]]
    if not kept:
        return []
    both = Points(
        np.array([run.columns["latency_ms"][row] for run, row in kept]),
        np.array([run.columns["val_acc"][row] for run, row in kept]),
    )
    chosen = np.flatnonzero(both.on_front())
    _, first = np.unique(both.latency_ms[chosen], return_index=True)
    chosen = chosen[first]
    x = np.stack([run.x[row] for run, row in (kept[i] for i in chosen)])
    origins = ["source not recorded"] * len(x) if device is None else device.provenance(x)
    return [
        FrontPoint(
            row=tuple(int(option) for option in run.x[row]),
            latency_ms=float(run.columns["latency_ms"][row]),
            val_acc=float(run.columns["val_acc"][row]),
            source=str(run.columns["source"][row]),
            latency_source=origin,
            seed=int(run.facts.repeat),
        )
        for (run, row), origin in zip((kept[i] for i in chosen), origins, strict=True)
    ]
