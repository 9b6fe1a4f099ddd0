"""The picture of accuracy against latency, and the points in it that can have the keyboard."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from blox_env.analysis.fronts import FrontPoint, Points
from blox_env.report.figures import legend, line_of, new_axes
from blox_env.report.themes import LIGHT, styles
from blox_env.report.vector import position

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (5.6, 4.7)  # inches
TABLE = "table"  # the name under which the whole space's front goes
_DOTS = 200_000  # that are drawn as they are
_TAIL = 0.05  # share of the space that a picture may leave out below where it would fill much of it


def front_figure(
    found: Mapping[str, Points],
    *,
    whole: Points | None = None,
    target_ms: float | None = None,
    device: str = "",
) -> Figure:
    """Accuracy against latency: what was evaluated, the fronts found, and the true one.

    Args:
        found: what the runs of each agent evaluated.
        whole: every architecture of the space, where it can be listed.
        target_ms: latency target of the reward, drawn as a thin line.
        device: name of the device for the axis.
    """
    figure, axes = new_axes(SIZE)
    lowest, right = _bottom(found, whole), _right(found, whole, target_ms)
    if whole is not None:
        _density(axes, whole, lowest, right)
    _scatter(axes, found)
    if whole is not None:
        label = "Pareto front of the table"
        _steps(axes, whole.front(), label, color=LIGHT.ink, linestyle="-", linewidth=2.2)
    for (agent, points), style, wider in zip(
        found.items(), styles(), reversed(range(len(found))), strict=False
    ):  # those below are wider, so that equal fronts are all seen
        look = {
            **line_of(style),
            "marker": style["marker"],
            "linewidth": 1.3 + 0.5 * wider,
            "markersize": 4.5 + 1.0 * wider,
        }
        _steps(axes, points.front(), f"front found by {agent}", zorder=4, **look)
    if target_ms is not None:
        label = f"latency target, {target_ms:.4g} ms"
        axes.axvline(target_ms, color=LIGHT.ink, linewidth=0.9, linestyle=(0, (2, 3)), label=label)
    room = 0.03 * (axes.dataLim.y1 - 100 * lowest)
    axes.set_ylim(100 * lowest - room, axes.dataLim.y1 + 2 * room)
    side = 0.02 * (right - axes.dataLim.x0)
    axes.set_xlim(axes.dataLim.x0 - side, right + side)
    axes.set_xlabel(f"latency on {device} (ms)" if device else "latency (ms)")
    axes.set_ylabel("validation accuracy (%)")
    legend(axes, figure)
    return figure


def overlay(
    figure: Figure,
    fronts: Mapping[str, Sequence[FrontPoint]],
    names: Mapping[tuple[int, ...], str],
) -> str:
    """Points as SVG buttons that show their architecture, agent after agent, fastest first.

    Args:
        figure: from :func:`front_figure`, drawn before.
        fronts: by agent, and the true one under :data:`TABLE`.
        names: id of the element that holds what a point shows, by its row.
    """
    (axes,) = figure.axes
    agents = [agent for agent in fronts if agent != TABLE]
    variables = {colour: name for name, colour in LIGHT.variables().items()}
    fills = {
        agent: variables[style["color"]] for agent, style in zip(agents, styles(), strict=False)
    }
    parts = []
    first = True
    for agent, points in fronts.items():
        fill = fills.get(agent, "ink")
        for point in points:
            x, y = position(axes, point.latency_ms, 100 * point.val_acc)
            parts.append(
                f'<g class="point" role="button" tabindex="{0 if first else -1}" '
                f'data-shows="{names[point.row]}" '
                f'data-found="{html.escape(found_by(agent, point))}" '
                f'data-values="{html.escape(values_of(point))}" '
                f'aria-label="{html.escape(f"{found_by(agent, point)}: {values_of(point)}")}">'
                f'<circle class="reach" cx="{x:.1f}" cy="{y:.1f}" r="7"/>'
                f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3.4" fill="var(--{fill})"/></g>'
            )
            first = False
    return "".join(parts)


def found_by(agent: str, point: FrontPoint) -> str:
    """Name of the front that a point is on.

    Args:
        agent: whose front, or :data:`TABLE`.
        point: of that front.
    """
    if agent == TABLE:
        return "Front of the whole table"
    return f"Front found by {agent}, seed {point.seed}"


def values_of(point: FrontPoint) -> str:
    """Accuracy and latency of a point with where they come from."""
    return (
        f"validation accuracy {point.val_acc:.2%} ({point.source}), "
        f"latency {point.latency_ms:.4g} ms ({point.latency_source})"
    )


def _density(axes: Axes, whole: Points, lowest: float, right: float) -> None:
    """The whole space as shades of grey, denser where more architectures are."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgba

    shown = (whole.val_acc >= lowest) & (whole.latency_ms <= right)
    counts, x, y = np.histogram2d(
        whole.latency_ms[shown], 100 * whole.val_acc[shown], bins=(180, 120)
    )
    # half transparent, so that it fits light and dark paper
    ends = [to_rgba("#7d8794", 0.12), to_rgba("#7d8794", 0.55)]
    shades = LinearSegmentedColormap.from_list("density", ends)
    axes.pcolormesh(x, y, np.ma.masked_equal(np.log1p(counts.T), 0), cmap=shades, rasterized=True)
    label = f"whole space, {len(whole):,} architectures"
    if not shown.all():
        label += f"\n({np.mean(~shown):.1%} are outside the picture)"
    axes.plot([], [], marker="s", markersize=7, linestyle="none", color=LIGHT.faint, label=label)


def _bottom(found: Mapping[str, Points], whole: Points | None) -> float:
    """The lowest accuracy to draw: all, unless few outliers would take much of the picture."""
    every = [points.val_acc for points in found.values()]
    every += [] if whole is None else [whole.val_acc]
    accuracies = np.concatenate(every)
    lowest, highest = float(accuracies.min()), float(accuracies.max())
    bulk = float(np.quantile(accuracies if whole is None else whole.val_acc, _TAIL))
    fronts = [points.front().val_acc.min() for points in found.values() if len(points)]
    bulk = min(bulk, *fronts)
    return bulk if bulk - lowest > 0.25 * (highest - lowest) else lowest


def _right(found: Mapping[str, Points], whole: Points | None, target_ms: float | None) -> float:
    """The largest latency to draw: beyond the fronts, the target and most of the space.

    The few slower architectures are less accurate than one on a front and would only take room.
    """
    every = [points for points in (*found.values(), whole) if points is not None and len(points)]
    slowest = max(float(points.latency_ms.max()) for points in every)
    fastest = min(float(points.latency_ms.min()) for points in every)
    ends = [float(points.front().latency_ms[-1]) for points in every]
    needed = max(*ends, 0.0 if target_ms is None else target_ms)
    needed += 0.15 * (needed - fastest)
    if whole is not None:
        needed = max(needed, float(np.quantile(whole.latency_ms, 1 - _TAIL)))
    return min(slowest, needed)


def _scatter(axes: Axes, found: Mapping[str, Points]) -> None:
    """Evaluated architectures of all agents, mixed so that none hides the others.

    Of very many, those of an agent that lie on each other are drawn once.
    """
    if sum(map(len, found.values())) > _DOTS:
        found = {agent: points.distinct() for agent, points in found.items()}
    x = np.concatenate([points.latency_ms for points in found.values()])
    y = np.concatenate([points.val_acc for points in found.values()])
    colours = [style["color"] for _, style in zip(found, styles(), strict=False)]
    owner = np.repeat(np.arange(len(found)), [len(points) for points in found.values()])
    order = np.random.default_rng(0).permutation(len(x))
    axes.scatter(
        x[order], 100 * y[order], c=np.array(colours)[owner[order]], s=5, alpha=0.35, linewidths=0,
        rasterized=True,
    )  # fmt: skip


def _steps(axes: Axes, points: Points, label: str, **style: Any) -> None:
    axes.plot(points.latency_ms, 100 * points.val_acc, drawstyle="steps-post", label=label, **style)
