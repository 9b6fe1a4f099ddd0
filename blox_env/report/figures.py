"""Pictures of an experiment but for the front: curves, probabilities of improvement, profiles.

What is drawn comes in as plain arrays, which :mod:`~blox_env.analysis.curves` and
:mod:`~blox_env.analysis.scores` make. Figures are made with matplotlib's objects, so that no
global setting is read for colours or changed, and nothing needs a display. They are as wide as a
column of the page or of a paper.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from blox_env.analysis.curves import Axis, Curve, is_geometric
from blox_env.analysis.intervals import Estimate
from blox_env.ground.extras import extra
from blox_env.ground.typing import FloatArray
from blox_env.report.themes import LIGHT, styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (5.4, 4.0)  # inches


def curves_figure(
    curves: Mapping[str, Curve], axis: Axis, *, label: str, logarithmic: bool = True
) -> Figure:
    """Interquartile means along one axis, a line an agent, with bands of their 95 % intervals.

    A logarithmic axis reaches down to the smallest positive value in the picture and is linear from
    there to 0, so that a regret of 0 is drawn where it belongs.

    Args:
        curves: by agent; NaN is not drawn.
        axis: what they run along.
        label: of the axis upwards.
        logarithmic: whether small values matter, as with regret.
    """
    figure, axes = new_axes()
    draw_curves(axes, curves, logarithmic=logarithmic)
    axes.set_xlabel(axis.label)
    axes.set_ylabel(label)
    legend(axes, figure)
    return figure


def draw_curves(axes: Axes, curves: Mapping[str, Curve], *, logarithmic: bool = True) -> None:
    """Draw interquartile means and their bands, a line an agent.

    Args:
        axes: where to.
        curves: by agent; NaN is not drawn.
        logarithmic: whether small values matter, as with regret.
    """
    for (agent, curve), style in zip(curves.items(), styles(), strict=False):
        if not np.isnan(curve.low).all():
            axes.fill_between(
                curve.x, curve.low, curve.high, color=style["color"], alpha=0.15, linewidth=0
            )
        name = f"{agent} ({runs_in_words(curve.runs)})"
        axes.plot(curve.x, curve.value, label=name, linewidth=1.9, **line_of(style))
    drawn = np.concatenate([curve.value for curve in curves.values()])
    positive = drawn[drawn > 0]  # NaN is not
    if logarithmic and len(positive):
        smallest = 10.0 ** math.floor(math.log10(positive.min()))
        axes.set_yscale("symlog", linthresh=smallest, linscale=0.4, subs=range(2, 10))
        axes.set_ylim(min(2 * float(np.nanmin(drawn)), -0.12 * smallest))  # 0 is in the picture
    x = next(iter(curves.values())).x
    if is_geometric(x):
        axes.set_xscale("log")
        axes.set_xlim(float(x[0]), float(x[-1]) * 1.02)
    else:
        axes.set_xlim(0, float(x[-1]) * 1.01)


def improvement_figure(found: Mapping[str, Estimate], other: str) -> Figure:
    """Probability that a run of each agent is better than one of ``other``, with 95 % intervals.

    Args:
        found: probabilities by agent.
        other: the agent that the others are compared with.
    """
    height = 1.1 + 0.36 * len(found)
    figure, axes = new_axes((SIZE[0], height))
    y = np.arange(len(found))[::-1]
    axes.axvline(0.5, color=LIGHT.ink, linewidth=0.9, linestyle=(0, (2, 3)))
    for level, estimate, style in zip(y, found.values(), styles(), strict=False):
        reach = [[estimate.value - estimate.low], [estimate.high - estimate.value]]
        bar = None if math.isnan(estimate.low) else np.array(reach)
        axes.errorbar(
            estimate.value, level, xerr=bar, fmt=style["marker"], color=LIGHT.agents[0],
            markersize=6, capsize=3, linewidth=1.6,
        )  # fmt: skip
    axes.set_yticks(y, list(found))
    axes.set_ylim(-0.6, len(found) - 0.4)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel(f"probability to be better than\n{other} (0.5: no difference)")
    axes.grid(False, axis="y")
    return figure


def profile_figure(
    profiles: Mapping[str, tuple[FloatArray, FloatArray, FloatArray]],
    thresholds: FloatArray,
    *,
    label: str,
    logarithmic: bool,
) -> Figure:
    """Share of runs with at most a value, a line an agent, with pointwise 95 % bands.

    Args:
        profiles: share, lower and upper limit, ``(t,)`` each, by agent.
        thresholds: ``(t,)``, ascending.
        label: of the values.
        logarithmic: whether the thresholds are spaced like that.
    """
    figure, axes = new_axes()
    for (agent, (share, low, high)), style in zip(profiles.items(), styles(), strict=False):
        band: dict[str, Any] = {"step": "post", "color": style["color"], "linewidth": 0}
        axes.fill_between(thresholds, low, high, alpha=0.12, **band)
        line = {"drawstyle": "steps-post", "linewidth": 1.9, **line_of(style)}
        axes.plot(thresholds, share, label=agent, **line)
    if logarithmic:
        axes.set_xscale("log")
    axes.set_xlim(thresholds[0], thresholds[-1])
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel(label)
    axes.set_ylabel("share of runs that end at most there")
    legend(axes, figure)
    return figure


def new_axes(size: tuple[float, float] = SIZE) -> tuple[Figure, Axes]:
    """An empty figure in the colours of :data:`~blox_env.report.themes.LIGHT`."""
    figure, (axes,) = new_panels(1, size)
    return figure, axes


def new_panels(number: int, size: tuple[float, float] = SIZE) -> tuple[Figure, list[Axes]]:
    """An empty figure with panels side by side.

    Args:
        number: of panels.
        size: of one panel, in inches.
    """
    with extra("experiment", "a picture of results"):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    figure = Figure(
        figsize=(size[0] * number, size[1]), layout="constrained", facecolor=LIGHT.paper
    )
    FigureCanvasAgg(figure)
    panels = [figure.add_subplot(1, number, at + 1) for at in range(number)]
    for axes in panels:
        _plain(axes)
    return figure, panels


def _plain(axes: Axes) -> None:
    axes.set_facecolor(LIGHT.paper)
    axes.grid(True, color=LIGHT.faint, linewidth=0.5, alpha=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", colors=LIGHT.ink, labelsize=9)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color(LIGHT.ink)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(LIGHT.ink)
        label.set_fontsize(10)


def line_of(style: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an agent's style that is about lines."""
    return {name: style[name] for name in ("color", "linestyle")}


def runs_in_words(number: int) -> str:
    """Such as ``20 runs``."""
    return f"{number} run{'s' if number != 1 else ''}"


def legend(axes: Axes, figure: Figure) -> None:
    """Put the legend below the picture, so that it hides nothing.

    Args:
        axes: have the lines.
        figure: gets the legend.
    """
    handles, labels = axes.get_legend_handles_labels()
    longest = max((len(line) for label in labels for line in label.split("\n")), default=0)
    columns = 1 if longest > 40 else 2
    figure.legend(
        handles, labels, loc="outside lower center", ncols=columns, fontsize=8.5,
        labelcolor=LIGHT.ink, frameon=False,
    )  # fmt: skip
