"""View of ``blox-env search``: the best so far while it runs, and a table at the end."""

from __future__ import annotations

import math
import time
from typing import Any

from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.table import Table

from blox_env.agent import Agent, search
from blox_env.cli.screen import Listing
from blox_env.ground import defaults
from blox_env.problem import Problem
from blox_env.problem.history import History
from blox_env.problem.ledger import LATE


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
    problem: Problem,
    agent: Agent,
    name: str,
    seed: int,
    console: Console,
    time_limit_s: float | None = None,
) -> tuple[History, bool]:
    """Search with the best so far in sight; on ctrl-C what was found until then.

    Args:
        problem: to be searched.
        agent: ready to search.
        name: of the agent.
        seed: of the search.
        console: to draw on.
        time_limit_s: real seconds after which the search ends.

    Returns:
        The history, and whether the search came to its end.

    Raises:
        KeyboardInterrupt: when it is stopped before anything was found.
    """
    from rich.live import Live

    try:
        with Live(Watch(problem, name), console=console, transient=True):
            return search(problem, agent, seed=seed, time_limit_s=time_limit_s), True
    except KeyboardInterrupt:
        if problem.history is None or not math.isfinite(_top(problem.history)):
            raise
        return problem.history, False


def best_listing(problem: Problem, history: History) -> Listing:
    """The best architecture of a search and where its numbers come from.

    Args:
        problem: that was searched.
        history: of the search.
    """
    if history.ended == LATE and not math.isfinite(_top(history)):
        raise ValueError("the time limit was over before anything was trained in full")
    best = history.best.row
    row = history.x[best]
    test = float(problem.test_acc(row)[0])
    hours = float(history.train_time_s.sum()) / 3600
    source = str(history.column("source")[best])
    lines = [
        ("architecture", "-".join(str(v) for v in row)),
        ("", problem.space.describe(row)),
        ("reward", f"{history.reward[best]:.4f} ({problem.reward_name})"),
        ("validation accuracy", f"{history.val_acc[best]:.4f}"),
        ("test accuracy", f"{test:.4f}"),
        ("source of accuracy", source),
    ]
    value: dict[str, Any] = {
        "architecture": row.tolist(),
        "reward": float(history.reward[best]),
        "reward_name": problem.reward_name,
        "val_acc": float(history.val_acc[best]),
        "test_acc": test,
        "source": source,
        "evaluations": len(history),
        "train_hours": hours,
    }
    if problem.device is not None:
        measured = bool(problem.device.measured(row)[0])
        latency = float(history.latency_ms[best])
        shown = f"{latency:.3f} ms, {problem.device.provenance(row)[0]}"
        lines.append((f"latency on {problem.device.name}", shown))
        value |= {"device": problem.device.name, "latency_ms": latency, "measured": measured}
    for goal in history.goals:
        met = "met" if goal.met else "NOT MET"
        if goal.name == "latency target":
            lines.append((goal.name, f"{goal.limit:.3f} ms, {met}"))
            value |= {"latency_target_ms": goal.limit, "meets_target": goal.met}
            continue
        lines.append((goal.name, f"{goal.value:,.7g} of at most {goal.limit:,.7g}, {met}"))
        told = {"limit": goal.limit, "value": goal.value, "met": goal.met}
        value["constraints"] = {**value.get("constraints", {}), goal.name: told}
    lines.append(("simulated training", "not known" if math.isnan(hours) else f"{hours:.2f} h"))
    if history.ended:
        lines.append(("ended because", history.ended))
    value["ended"] = history.ended
    return Listing(("what", "value"), lines, [value], title=f"best of {len(history)} evaluations")


def no_device(problem: Problem) -> str:
    """Reason why a search that asked for the default device has none, and what there is."""
    space, benchmark = problem.space, problem.benchmark
    own = getattr(benchmark, "device_names", ())
    text = f"the default device {defaults.DEVICE} is not for the space {space.name!r}"
    if own:
        return f"{text}; the store has {', '.join(own)}: --device STORE/devices/NAME"
    return f"{text}, so accuracy alone counts"


def unmet(history: History, *, target: bool) -> list[str]:
    """A sentence for each limit that the best architecture does not keep to.

    Args:
        history: of the search.
        target: whether the latency target counts, too.
    """
    goals = history.goals
    return [str(g) for g in goals if not g.met and (target or g.name != "latency target")]


def _top(history: History) -> float:
    return float(history.incumbent()[-1]) if len(history) else -math.inf
