"""View of ``blox-env search``: the best so far while it runs, and a table at the end."""

from __future__ import annotations

import math
import time

from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.table import Table

from blox_env.agent import Agent, search
from blox_env.problem import Problem
from blox_env.problem.history import History


class Watch:
    """A line about a search that is running: how much is spent, and the best reward so far.

    rich draws it from a thread of its own, so it only reads.
    """

    def __init__(self, problem: Problem, agent: str) -> None:
        self.problem = problem
        self.agent = agent
        self.started = time.monotonic()

    def __rich__(self) -> Table:
        """The line as it stands now."""
        problem, history = self.problem, self.problem.history
        line = Table.grid(padding=(0, 1))
        best = ""
        if history is not None and len(history):
            top = float(history.incumbent()[-1])
            best = f"best reward {top:.4f}" if math.isfinite(top) else ""
        seconds = int(time.monotonic() - self.started)
        line.add_row(
            self.agent,
            ProgressBar(total=problem.budget or 1, completed=problem.spent, width=30),
            f"{problem.spent:g} of {problem.budget}",
            best,
            f"{seconds // 60}:{seconds % 60:02}",
        )
        return line


def watched_search(
    problem: Problem, agent: Agent, name: str, seed: int, console: Console
) -> tuple[History, bool]:
    """Search with the best so far in sight; on ctrl-C what was found until then.

    Args:
        problem: to be searched.
        agent: ready to search.
        name: of the agent.
        seed: of the search.
        console: to draw on.

    Returns:
        The history, and whether the search came to its end.

    Raises:
        KeyboardInterrupt: when it is stopped before anything was found.
    """
    from rich.live import Live

    try:
        with Live(Watch(problem, name), console=console, transient=True):
            return search(problem, agent, seed=seed), True
    except KeyboardInterrupt:
        if problem.history is None or not math.isfinite(_top(problem.history)):
            raise
        return problem.history, False


def best_table(problem: Problem, history: History) -> Table:
    """The best architecture of a search and where its numbers come from.

    Args:
        problem: that was searched.
        history: of the search.
    """
    best = history.best()
    row = history.x[best]
    table = Table("what", "value", title=f"best of {len(history)} evaluations")
    table.add_row("architecture", "-".join(str(v) for v in row))
    table.add_row("", problem.space.describe(row))
    table.add_row("reward", f"{history.reward[best]:.4f} ({problem.reward_name})")
    table.add_row("validation accuracy", f"{history.val_acc[best]:.4f}")
    table.add_row("test accuracy", f"{problem.test_acc(row)[0]:.4f}")
    table.add_row("source of accuracy", str(history.column("source")[best]))
    if problem.device is not None:
        source = "measured" if problem.device.measured(row)[0] else "predicted"
        latency = f"{history.latency_ms[best]:.3f} ms, {source}"
        table.add_row(f"latency on {problem.device.name}", latency)
    hours = float(history.train_time_s.sum()) / 3600
    table.add_row("simulated training", "not known" if math.isnan(hours) else f"{hours:.2f} h")
    return table


def _top(history: History) -> float:
    return float(history.incumbent()[-1]) if len(history) else -math.inf
