"""A device in one picture: accuracy against latency, fronts of mixed and of uniform blocks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from blox_env.analysis.device_points import BoolArray, DevicePoints, along
from blox_env.ground.extras import extra
from blox_env.ground.files import write_atomic
from blox_env.ground.typing import FloatArray
from blox_env.report.vector import encoded, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK, _FAINT, _MIXED, _UNIFORM = "#1f2328", "#8a94a0", "#0072B2", "#D55E00"


def draw_device(points: DevicePoints, path: str | Path, *, title: str, unit: str = "ms") -> None:
    """Write the picture, as PNG, SVG or PDF by the name of the file.

    Args:
        points: what to draw.
        path: of the file.
        title: above the picture.
        unit: of the latencies.

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
    x, y = along(latency, accuracy, mask)
    axes.plot(
        np.append(x, latency.max()), np.append(y, y[-1]), drawstyle="steps-post", color=colour,
        linewidth=1.3, zorder=3,
    )  # fmt: skip
    axes.plot(x, y, linestyle="none", color=colour, marker=marker, markersize=4.5, label=label)
