"""The picture of a sweep: one panel a formula, its optima along the front, a colour a target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from blox_env.experiment.sweep import LISTING, Optimum, Sweep
from blox_env.report.themes import LIGHT, Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ACROSS = 4  # panels side by side


def sweep_figure(sweep: Sweep, theme: Theme = LIGHT) -> Figure:
    """Accuracy against latency, a panel a formula.

    Grey is the space, the line its front. A vertical line is a target, and the ring of its colour
    the formula's optimum for it; rings of several targets on one architecture are one in the other.
    Small dots are what searches found.

    Args:
        sweep: what to draw.
        theme: colours.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = sweep.rewards
    across = min(_ACROSS, len(names))
    down = -(-len(names) // across)
    figure = Figure(
        figsize=(3.1 * across, 2.7 * down + 0.5), layout="constrained", facecolor=theme.paper
    )
    FigureCanvasAgg(figure)
    grid: Any = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    for axes, name in zip(grid.ravel(), names, strict=False):
        _panel(axes, sweep, name, theme)
    spare = grid.ravel()[len(names) :]
    for axes in spare:
        axes.set_axis_off()
    for number, axes in enumerate(grid.ravel()[: len(names)]):
        lowest = number + across >= len(names)
        axes.tick_params(labelbottom=lowest)
        if lowest:
            axes.set_xlabel(f"latency on {sweep.device} (ms)", fontsize=9, color=theme.ink)
        if number % across == 0:
            axes.set_ylabel("validation accuracy (%)", fontsize=9, color=theme.ink)
    handles, labels = grid.ravel()[0].get_legend_handles_labels()
    style: dict[str, Any] = {"fontsize": 8.5, "labelcolor": theme.ink, "frameon": False}
    if len(spare):
        spare[-1].legend(handles, labels, loc="center", **style)
    else:
        figure.legend(handles, labels, loc="outside lower center", ncols=3, **style)
    return figure


def _panel(axes: Axes, sweep: Sweep, name: str, theme: Theme) -> None:
    axes.set_facecolor(theme.paper)
    axes.grid(True, color=theme.faint, linewidth=0.5, alpha=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=theme.ink, labelsize=8)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(theme.ink)
    axes.set_title(name, fontsize=10, color=theme.ink)
    low, high = _limits(sweep)
    shown = 100 * sweep.val_acc >= low
    space = "whole space" if sweep.exact else "all that was evaluated"
    axes.plot(
        sweep.latency_ms[shown], 100 * sweep.val_acc[shown], ",", color=theme.faint,
        rasterized=True,
    )  # fmt: skip
    axes.plot([], [], "s", markersize=6, color=theme.faint, label=space)
    axes.plot(
        sweep.front[:, 0], 100 * sweep.front[:, 1], color=theme.ink, linewidth=1.4, zorder=3,
        drawstyle="steps-post", label="Pareto front", marker=".", markersize=4,
    )  # fmt: skip
    own = [optimum for optimum in sweep.optima if optimum.reward == name]
    taken: dict[str, int] = {}  # rings on an architecture so far
    for number, target in enumerate(sweep.targets):
        colour = theme.agents[number % len(theme.agents)]
        axes.axvline(target.ms, color=colour, linewidth=1.0, linestyle=(0, (3, 2)), zorder=2)
        label = f"{target.ms:.2f} ms ({target.label})"
        if target.label.endswith("ms"):
            label = target.label
        label = f"target {label}, its optimum"
        for optimum in (o for o in own if (o.target_ms, o.target) == (target.ms, target.label)):
            _mark(axes, optimum, colour, taken)
        axes.plot(
            [], [], "o", markersize=8, markerfacecolor="none", markeredgewidth=2, color=colour,
            label=label,
        )  # fmt: skip
    if any(optimum.found_by != LISTING for optimum in sweep.optima):
        axes.plot([], [], "x", markersize=5, color=theme.ink, label="found by a search")
    axes.set_ylim(low, high)


def _mark(axes: Axes, optimum: Optimum, colour: str, taken: dict[str, int]) -> None:
    point = [optimum.latency_ms], [100 * optimum.val_acc]
    if optimum.found_by != LISTING:
        axes.plot(*point, "x", markersize=5, color=colour, zorder=6)
        return
    rings = taken[optimum.arch] = taken.get(optimum.arch, 0) + 1
    axes.plot(
        *point, "o", markersize=4.5 + 4.5 * rings, markerfacecolor="none", markeredgewidth=1.9,
        color=colour, zorder=5,
    )  # fmt: skip


def _limits(sweep: Sweep) -> tuple[float, float]:
    """Accuracies to show, in percent: the front and all optima, and a little on either side."""
    lowest = min(*sweep.front[:, 1], *(optimum.val_acc for optimum in sweep.optima))
    highest = float(sweep.front[:, 1].max())
    room = max(highest - lowest, 0.002)
    return 100 * (lowest - 0.3 * room), 100 * (highest + 0.15 * room)
