"""Figures of a history and of a comparison, for notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from blox_env.analysis.curves import EVALUATIONS, curves, regret_along
from blox_env.analysis.statistics import by_agent, by_problem, reference, summary
from blox_env.experiment.results import Run
from blox_env.problem.history import History
from blox_env.report.columns import problem_title
from blox_env.report.figures import draw_curves, legend, new_axes, new_panels
from blox_env.report.themes import LIGHT

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def regret_figure(runs: Sequence[Run]) -> Figure:
    """Simple regret over evaluations, a panel a problem, a line an agent.

    Raises:
        ValueError: without runs, or when they cannot be compared.
        ImportError: without the extra ``experiment``.
    """
    if not runs:
        raise ValueError("there are no runs to draw")
    problems = by_problem(runs)
    figure, panels = new_panels(len(problems))
    for axes, own in zip(panels, problems.values(), strict=True):
        best, known = reference(own)
        found = curves(
            by_agent(own),
            EVALUATIONS,
            lambda run, where, x, best=best: regret_along(run, where, x, best),  # type: ignore[misc]
        )
        if found is not None:
            draw_curves(axes, found)
        axes.set_title(problem_title(summary(own)[0]), fontsize=9, color=LIGHT.ink)
        axes.set_xlabel(EVALUATIONS.label)
        space = "best of the whole table" if known else "best that any run found"
        axes.set_ylabel(f"simple regret to the\n{space} (reward)")
    legend(panels[0], figure)
    return figure


def history_figure(history: History) -> Figure:
    """The rewards of a search in order of evaluation, and the best so far.

    Raises:
        ImportError: without the extra ``experiment``.
    """
    figure, axes = new_axes()
    spent = np.cumsum(history.column("cost"))
    best = history.incumbent()
    best = np.where(np.isfinite(best), best, np.nan)
    axes.plot(
        spent, history.reward, linestyle="none", marker="o", markersize=3, alpha=0.5,
        color=LIGHT.agents[1], label="each evaluation",
    )  # fmt: skip
    axes.plot(
        spent, best, drawstyle="steps-post", linewidth=1.9, color=LIGHT.agents[0],
        label="best so far",
    )  # fmt: skip
    axes.set_xlabel(EVALUATIONS.label)
    axes.set_ylabel("reward")
    legend(axes, figure)
    return figure
