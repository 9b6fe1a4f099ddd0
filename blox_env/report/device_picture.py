"""A device in one picture: accuracy against latency, fronts of mixed and of uniform blocks.

A uniform architecture has the same block in every stage, as cell-based search spaces have it; the
others mix blocks. What mixing gains is how far the front of all architectures lies above the front
of the uniform ones (the comparison of Chau et al., *Blox*, NeurIPS 2022, on our data).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from blox_env.benchmarks.base import Benchmark
from blox_env.devices.base import Device
from blox_env.ground.extras import extra
from blox_env.ground.files import write_atomic
from blox_env.ground.typing import FloatArray
from blox_env.problem.pareto import front
from blox_env.report.vector import encoded, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BoolArray = NDArray[np.bool_]
_MOST = 10**6  # larger spaces are drawn from
_DRAWN = 100_000
_INK, _FAINT, _MIXED, _UNIFORM = "#1f2328", "#8a94a0", "#0072B2", "#D55E00"


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

        Raises:
            ValueError: when the benchmark is for another space than the device.
        """
        space = device.space
        if benchmark.space != space:
            raise ValueError(
                f"benchmark {benchmark.name!r} is for the space {benchmark.space.name!r}, but "
                f"device {device.name!r} for {space.name!r}"
            )
        complete = space.size <= _MOST
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
        """What mixing gains at each latency of the front of all, ``(k,)``, by rising latency.

        Its accuracy minus the best of the uniform architectures that are no slower; a fraction, NaN
        where no uniform one is as fast.
        """
        latency, accuracy = _sorted(self.latency_ms, self.val_acc, self.front)
        uniform, best = _sorted(self.latency_ms, self.val_acc, self.uniform_front)
        place = np.searchsorted(uniform, latency, side="right") - 1
        return np.where(place < 0, np.nan, accuracy - best[place])


def draw_device(points: DevicePoints, path: str | Path, *, title: str, unit: str = "ms") -> None:
    """Write the picture, as PNG, SVG or PDF by the name of the file.

    Raises:
        ImportError: without the extra ``experiment``.
    """
    with extra("experiment", "drawing a device"):
        from matplotlib.colors import LogNorm
        from matplotlib.figure import Figure
    figure = Figure(figsize=(7.2, 4.6), layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    accuracy = 100 * points.val_acc
    floor = np.quantile(accuracy, 0.02)
    low = min(floor, accuracy[points.uniform_front].min()) - 1
    axes.set_ylim(low, accuracy.max() + 1.5)
    seen = accuracy >= low
    axes.hexbin(
        points.latency_ms[seen], accuracy[seen], gridsize=90, norm=LogNorm(), cmap="Greys",
        mincnt=1, linewidths=0.1, zorder=1,
    )  # fmt: skip
    _front(axes, points.latency_ms, accuracy, points.front, _MIXED, "o", "front of mixed blocks")
    axes.plot(
        points.latency_ms[points.uniform], accuracy[points.uniform], linestyle="none", marker="s",
        markersize=3.5, markerfacecolor="none", markeredgecolor=_UNIFORM, alpha=0.7, zorder=2,
        label="uniform blocks",
    )  # fmt: skip
    _front(
        axes, points.latency_ms, accuracy, points.uniform_front, _UNIFORM, "s",
        "front of uniform blocks",
    )  # fmt: skip
    axes.set_xlabel(f"latency ({unit})", color=_INK)
    axes.set_ylabel("validation accuracy (%)", color=_INK)
    axes.set_title(title, loc="left", fontsize=10, color=_INK)
    axes.grid(color=_FAINT, linewidth=0.3, alpha=0.5)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    target = Path(path)
    kind = target.suffix.removeprefix(".") or "png"
    write_atomic(target, to_svg(figure) if kind == "svg" else encoded(figure, kind, dpi=120))


def _front(
    axes: Axes, latency: FloatArray, accuracy: FloatArray, mask: BoolArray, colour: str,
    marker: str, label: str,
) -> None:  # fmt: skip
    x, y = _sorted(latency, accuracy, mask)
    axes.plot(
        np.append(x, latency.max()), np.append(y, y[-1]), drawstyle="steps-post", color=colour,
        linewidth=1.3, zorder=3,
    )  # fmt: skip
    axes.plot(x, y, linestyle="none", color=colour, marker=marker, markersize=4.5, label=label)


def _sorted(x: FloatArray, y: FloatArray, mask: BoolArray) -> tuple[FloatArray, FloatArray]:
    order = np.argsort(x[mask], kind="stable")
    return x[mask][order], y[mask][order]
