"""Pictures of an experiment: regret over evaluations, accuracy against latency.

What is drawn comes in as plain arrays; :mod:`~blox_env.experiment.statistics` and
:class:`Points` make them. Figures are made with matplotlib's objects, so that no global setting
is read for colours or changed, and nothing needs a display.
"""

from __future__ import annotations

import base64
import io
import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from blox_env.errors import missing_extra
from blox_env.experiment.results import Run
from blox_env.experiment.statistics import full_trainings
from blox_env.pareto import front
from blox_env.spaces.base import FloatArray, IntArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LINES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)))
_MARKERS = ("o", "s", "^", "D", "v")
_SIZE = (7.2, 4.6)  # inches
PIXELS = (round(96 * _SIZE[0]), round(96 * _SIZE[1]))  # on a page
_TAIL = 0.05  # share of the space that a picture may leave out below where it would fill much of it


@dataclass(frozen=True)
class Theme:
    """Colours: of the paper, of text and lines on it, of what stands back, of the agents."""

    paper: str
    ink: str
    faint: str
    agents: tuple[str, ...]


# Okabe and Ito's colours, distinct under the usual colour vision deficiencies, and lighter ones of
# the same hues. Lines and markers differ as well.
LIGHT = Theme(
    paper="#ffffff",
    ink="#1f2328",
    faint="#bcc3cd",
    agents=("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"),
)
DARK = Theme(
    paper="#16191d",
    ink="#e3e6ea",
    faint="#454c55",
    agents=("#4AA3DF", "#F0803C", "#35C49A", "#DD93BD", "#F0B429", "#9AD3F7"),
)


@dataclass(frozen=True)
class Points:
    """Architectures as points: latency in milliseconds and validation accuracy as a fraction."""

    latency_ms: FloatArray
    val_acc: FloatArray

    @classmethod
    def of(cls, runs: Sequence[Run]) -> Points:
        """All full trainings of the runs that have a latency."""
        keep = [full_trainings(run) & ~np.isnan(run.columns["latency_ms"]) for run in runs]
        pairs = list(zip(runs, keep, strict=True))
        return cls(
            np.concatenate([run.columns["latency_ms"][rows] for run, rows in pairs]),
            np.concatenate([run.columns["val_acc"][rows] for run, rows in pairs]),
        )

    def front(self) -> Points:
        """The distinct points that none is both faster and more accurate than, fastest first."""
        both = np.stack([self.latency_ms, self.val_acc], axis=1)
        best = np.unique(both[front(both, maximise=(False, True))], axis=0)
        return Points(best[:, 0], best[:, 1])

    def __len__(self) -> int:
        """Number of points."""
        return len(self.latency_ms)


def regret_figure(
    curves: Mapping[str, FloatArray],
    evaluations: IntArray,
    *,
    to: str = "best of the whole table",
    theme: Theme = LIGHT,
) -> Figure:
    """Median simple regret over evaluations, a line an agent, with a band between the quartiles.

    The axis is logarithmic down to the smallest positive regret in the picture and linear from
    there to 0, so that a regret of 0 is drawn where it belongs.

    Args:
        curves: regret ``(runs, b)`` in units of the reward by agent; NaN is not drawn.
        evaluations: full trainings paid for, ``(b,)``.
        to: what the regret is measured to.
        theme: colours.
    """
    figure, axes = _axes(theme)
    quartiles = {
        agent: np.quantile(regret, (0.25, 0.5, 0.75), axis=0) for agent, regret in curves.items()
    }
    for (agent, (low, median, high)), style in zip(quartiles.items(), _styles(theme), strict=False):
        label = f"{agent} ({_runs(len(curves[agent]))})"
        axes.fill_between(
            evaluations, low, high, step="post", color=style["color"], alpha=0.16, linewidth=0
        )
        line = {**_line(style), "label": label, "drawstyle": "steps-post", "linewidth": 1.9}
        axes.plot(evaluations, median, **line)
    drawn = np.concatenate([values.ravel() for values in quartiles.values()])
    positive = drawn[drawn > 0]  # NaN is not
    if len(positive):
        smallest = 10.0 ** math.floor(math.log10(positive.min()))
        axes.set_yscale("symlog", linthresh=smallest, linscale=0.4, subs=range(2, 10))
        lowest = float(np.nanmin(drawn))
        axes.set_ylim(min(2 * lowest, -0.12 * smallest) if lowest <= 0 else smallest)
    axes.set_xlim(0, evaluations[-1] * 1.01)
    axes.set_xlabel("evaluations (full trainings)")
    axes.set_ylabel(f"simple regret to the\n{to} (units of reward)")
    _legend(axes, figure, theme)
    return figure


def front_figure(
    found: Mapping[str, Points],
    *,
    whole: Points | None = None,
    target_ms: float | None = None,
    device: str = "",
    theme: Theme = LIGHT,
) -> Figure:
    """Accuracy against latency: what was evaluated, the fronts found, and the true one.

    Args:
        found: what the runs of each agent evaluated.
        whole: every architecture of the space, where it can be listed.
        target_ms: latency target of the reward, drawn as a thin line.
        device: name of the device for the axis.
        theme: colours.
    """
    figure, axes = _axes(theme)
    lowest = _bottom(found, whole)
    if whole is not None:
        _density(axes, whole, lowest, theme)
    _scatter(axes, found, theme)
    if whole is not None:
        label = "Pareto front of the table"
        _steps(axes, whole.front(), label, color=theme.ink, linestyle="-", linewidth=2.2)
    for (agent, points), style in zip(found.items(), _styles(theme), strict=False):
        style = {**_line(style), "marker": style["marker"], "linewidth": 1.3, "markersize": 4.5}
        _steps(axes, points.front(), f"front found by {agent}", zorder=4, **style)
    if target_ms is not None:
        label = f"latency target, {target_ms:.4g} ms"
        axes.axvline(target_ms, color=theme.ink, linewidth=0.9, linestyle=(0, (2, 3)), label=label)
    room = 0.03 * (axes.dataLim.y1 - 100 * lowest)
    axes.set_ylim(100 * lowest - room, axes.dataLim.y1 + 2 * room)
    side = 0.02 * axes.dataLim.width
    axes.set_xlim(axes.dataLim.x0 - side, axes.dataLim.x1 + side)
    axes.set_xlabel(f"latency on {device} (ms)" if device else "latency (ms)")
    axes.set_ylabel("validation accuracy (%)")
    _legend(axes, figure, theme)
    return figure


def to_png(figure: Figure, dpi: int = 160) -> bytes:
    """The figure as a PNG file."""
    return _save(figure, "png", dpi)


def to_svg(figure: Figure, dpi: int = 110) -> str:
    """The figure as an SVG file with clouds of points as pixels; equal figures are equal texts."""
    text = _save(figure, "svg", dpi).decode()
    # matplotlib names its clips and markers at random unless a global setting says otherwise
    for number, name in enumerate(dict.fromkeys(re.findall(r'id="([a-z]*[0-9a-f]{10})"', text))):
        text = text.replace(f'"{name}"', f'"n{number}"').replace(f"#{name}", f"#n{number}")
    return text


def data_url(content: str | bytes, kind: str = "image/svg+xml") -> str:
    """A file as a ``data:`` URL that a page can hold."""
    raw = content.encode() if isinstance(content, str) else content
    return f"data:{kind};base64,{base64.b64encode(raw).decode()}"


def _axes(theme: Theme) -> tuple[Figure, Axes]:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 (an extra)
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise missing_extra("a picture of results", "experiment", error) from error
    figure = Figure(figsize=_SIZE, layout="constrained", facecolor=theme.paper)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(facecolor=theme.paper)
    axes.grid(True, color=theme.faint, linewidth=0.5, alpha=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", colors=theme.ink, labelsize=9)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color(theme.ink)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(theme.ink)
        label.set_fontsize(10)
    return figure, axes


def _density(axes: Axes, whole: Points, lowest: float, theme: Theme) -> None:
    """The whole space as shades of grey, darker where more architectures are."""
    from matplotlib.colors import LinearSegmentedColormap  # noqa: PLC0415

    shown = whole.val_acc >= lowest
    counts, x, y = np.histogram2d(
        whole.latency_ms[shown], 100 * whole.val_acc[shown], bins=(180, 120)
    )
    shades = LinearSegmentedColormap.from_list("density", [theme.paper, theme.faint])
    axes.pcolormesh(
        x, y, np.ma.masked_equal(np.log1p(counts.T), 0), cmap=shades, vmin=-2, rasterized=True
    )
    label = f"whole space, {len(whole):,} architectures"
    if not shown.all():
        label += f"\n({np.mean(~shown):.1%} are below the picture)"
    axes.plot([], [], marker="s", markersize=7, linestyle="none", color=theme.faint, label=label)


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


def _scatter(axes: Axes, found: Mapping[str, Points], theme: Theme) -> None:
    """Evaluated architectures of all agents, mixed so that none hides the others."""
    x = np.concatenate([points.latency_ms for points in found.values()])
    y = np.concatenate([points.val_acc for points in found.values()])
    colours = [style["color"] for _, style in zip(found, _styles(theme), strict=False)]
    owner = np.repeat(np.arange(len(found)), [len(points) for points in found.values()])
    order = np.random.default_rng(0).permutation(len(x))
    axes.scatter(
        x[order], 100 * y[order], c=np.array(colours)[owner[order]], s=5, alpha=0.35, linewidths=0,
        rasterized=True,
    )  # fmt: skip


def _steps(axes: Axes, points: Points, label: str, **style: Any) -> None:  # noqa: ANN401
    axes.plot(points.latency_ms, 100 * points.val_acc, drawstyle="steps-post", label=label, **style)


def _styles(theme: Theme) -> Iterator[dict[str, Any]]:
    """Colour, line and marker of one agent after the other, without end."""
    for number in itertools.count():
        yield {
            "color": theme.agents[number % len(theme.agents)],
            "linestyle": _LINES[number % len(_LINES)],
            "marker": _MARKERS[number % len(_MARKERS)],
        }


def _line(style: Mapping[str, Any]) -> dict[str, Any]:
    return {name: style[name] for name in ("color", "linestyle")}


def _runs(number: int) -> str:
    return f"{number} run{'s' if number > 1 else ''}"


def _legend(axes: Axes, figure: Figure, theme: Theme) -> None:
    """Below the picture, where it hides nothing."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=2 if len(handles) > 3 else 3,
        fontsize=8.5,
        labelcolor=theme.ink,
        frameon=False,
    )


def _save(figure: Figure, kind: str, dpi: int) -> bytes:
    buffer = io.BytesIO()
    metadata: dict[str, NDArray[Any] | None] = {"Date": None} if kind == "svg" else {}
    figure.savefig(
        buffer, format=kind, dpi=dpi, facecolor=figure.get_facecolor(), metadata=metadata
    )
    return buffer.getvalue()
