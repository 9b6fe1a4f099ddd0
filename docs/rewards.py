"""Draws the pictures of docs/rewards.md and writes its tables.

    python docs/rewards.py

``rewards.png`` explains what each formula pushes an agent to do; ``rewards-digits.png`` and the
first table are what ``blox-env rewards`` gives for the formulas and targets below, and a test
compares them; the second table is what searches find of it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from blox_env.experiment.sweep import Sweep, sweep
from blox_env.ground.files import write_atomic
from blox_env.problem.reward import REWARDS, excess
from blox_env.report.sweep_figure import sweep_figure
from blox_env.report.themes import LIGHT
from blox_env.report.vector import to_png

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"(<!-- table -->\n).*?(<!-- /table -->)", re.DOTALL)
TARGETS = ("3ms", "3.5ms", "0.1", "0.5")
FORMULAS = (
    *("accuracy", "mnasnet", "mnasnet(exponent=-0.03)", "mnasnet-hard"),
    *("tunas", "linear", "linear(weight=0.03)", "chebyshev"),
    *("chebyshev(weight=0.13)", "constraint"),
)
SEARCHED = re.compile(r"(<!-- searches -->\n).*?(<!-- /searches -->)", re.DOTALL)
AGENT, BUDGET, SEEDS = "regularized-evolution", 500, 5
RATIO = (0.4, 2.0)  # latency over target
ACCURACY = (0.5, 1.0)
WORDS = {
    "accuracy": "up;\nlatency never counts",
    "mnasnet": "up and to the left, from everywhere;\nthe target is but a factor",
    "mnasnet-hard": "up while it is fast enough,\nabove the target back to it",
    "tunas": "up, and to the target\nfrom both sides",
    "linear": "up and to the left,\nat one price everywhere",
    "chebyshev": "left or up, whichever of the two\nis worse; the kink is where they are even",
    "constraint": "up while it is fast enough, else back,\nwhatever the accuracy",
    "cost": 'info["cost"] of the constraint:\nwhat constrained RL keeps small',
}


def main() -> None:
    """Write the pictures and the tables."""
    found = optima()
    write_atomic(ROOT / "docs" / "rewards.png", to_png(draw()))
    write_atomic(ROOT / "docs" / "rewards-digits.png", to_png(sweep_figure(found)))
    text = ROOT / "docs" / "rewards.md"
    sought = sweep(
        "digits", "x86-ort-1t", TARGETS, FORMULAS, agent=AGENT, budget=BUDGET, seeds=SEEDS
    )
    write_atomic(text, searched(filled(text.read_text(encoding="utf-8"), found), sought))


def optima() -> Sweep:
    """What each formula is best for on the embedded benchmark and device."""
    return sweep("digits", "x86-ort-1t", TARGETS, FORMULAS)


def filled(text: str, found: Sweep) -> str:
    """docs/rewards.md with its table brought up to date."""
    if not BLOCK.search(text):
        raise ValueError("docs/rewards.md has no table")
    heads = [f"{target.ms:.2f} ms ({target.label})" for target in found.targets]
    lines = [f"| formula | {' | '.join(heads)} |", "| --- |" + " --- |" * len(heads)]
    for name in found.rewards:
        cells = [
            f"{each.latency_ms:.2f} ms, {100 * each.val_acc:.2f} %, "
            + (f"{each.place} of {each.points}" if each.place else "off the front")
            for each in found.optima
            if each.reward == name
        ]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return BLOCK.sub(lambda match: match[1] + "\n".join(lines) + "\n" + match[2], text)


def searched(text: str, found: Sweep) -> str:
    """docs/rewards.md with the table of what searches found brought up to date."""
    if not SEARCHED.search(text):
        raise ValueError("docs/rewards.md has no table of searches")
    regrets = ", ".join(f"{target.ms:.2f}" for target in found.targets)
    lines = [
        f"| formula | meet the target | on the front | median regret at {regrets} ms |",
        "| --- | --- | --- | --- |",
    ]
    for name in found.rewards:
        own = [each for each in found.optima if each.reward == name and each.found_by == AGENT]
        meet = f"{sum(each.meets_target for each in own)} of {len(own)}"
        front = f"{sum(each.on_front for each in own)} of {len(own)}"
        by_target = [
            [float(each.regret or 0) for each in own if each.target == target.label]
            for target in found.targets
        ]
        cells = ", ".join(f"{np.median(each):.4f}" for each in by_target)
        lines.append(f"| `{name}` | {meet} | {front} | {cells} |")
    return SEARCHED.sub(lambda match: match[1] + "\n".join(lines) + "\n" + match[2], text)


def draw() -> Figure:
    """Small multiples: level lines of each formula over latency and accuracy, and its slope."""
    figure = Figure(figsize=(12.4, 7.0), layout="constrained", facecolor=LIGHT.paper)
    FigureCanvasAgg(figure)
    grid: Any = figure.subplots(2, 4, sharex=True, sharey=True)
    for axes, name in zip(grid.ravel(), WORDS, strict=True):
        panel(axes, name)
    for axes in grid[1]:
        axes.set_xlabel("latency / target")
    for axes in grid[:, 0]:
        axes.set_ylabel("accuracy")
    return figure


def panel(axes: Any, name: str) -> None:
    """One formula: darker is more, lines are equally good, arrows point to what is better."""
    x, y = np.meshgrid(np.linspace(*RATIO, 321), np.linspace(*ACCURACY, 241))
    value = values(name, y, x)
    axes.contourf(x, y, value, levels=18, cmap="Blues", alpha=0.75)
    axes.contour(
        x, y, value, levels=18, colors=LIGHT.ink, linewidths=0.6, linestyles="solid", alpha=0.8
    )
    axes.axvline(1.0, color=LIGHT.agents[1], linewidth=1.4, linestyle=(0, (4, 2)))
    px, py = np.meshgrid(np.linspace(0.5, 1.9, 8), np.linspace(0.54, 0.96, 6))
    wide, high = RATIO[1] - RATIO[0], ACCURACY[1] - ACCURACY[0]
    step = 1e-4
    # slopes as seen on the page, all of one length: where to, not how steeply
    sx = (values(name, py, px + step * wide) - values(name, py, px - step * wide)) / (2 * step)
    sy = (values(name, py + step * high, px) - values(name, py - step * high, px)) / (2 * step)
    sign = -1.0 if name == "cost" else 1.0
    length = np.hypot(sx, sy)
    some = length > 1e-9
    axes.quiver(
        px[some], py[some], sign * (sx / np.maximum(length, 1e-9))[some],
        sign * (sy / np.maximum(length, 1e-9))[some], color=LIGHT.agents[1], scale=17, width=0.008,
        headwidth=3.6, pivot="mid", zorder=4,
    )  # fmt: skip
    axes.set_xlim(*RATIO)
    axes.set_ylim(*ACCURACY)
    axes.set_title(name, fontsize=11, fontweight="bold", color=LIGHT.ink, pad=31)
    axes.text(
        0.5, 1.015, WORDS[name], fontsize=8.5, color=LIGHT.ink, transform=axes.transAxes,
        ha="center", va="bottom",
    )  # fmt: skip


def values(name: str, accuracy: Any, ratio: Any) -> Any:
    """Rewards, or the cost, of accuracies and latencies in targets."""
    if name == "cost":
        return excess(ratio, 1.0) + 0 * accuracy
    return REWARDS[name](accuracy, ratio, 1.0) + 0 * ratio


if __name__ == "__main__":
    main()
