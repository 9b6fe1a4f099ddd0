"""A comparison as a terminal shows it: what runs where, the best so far, then the table."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from blox_env.cli.views.progress import duration, progress_bar
from blox_env.cli.views.summary import summary_table
from blox_env.experiment.plan import Search, claim, make_plan, unfinished
from blox_env.experiment.results import read_run, read_runs
from blox_env.experiment.runner import Progress, run_plan
from blox_env.ground.parallel import Worker
from blox_env.report import write_report, written

MOST = 12  # workers that are listed one by one


def compare_live(
    console: Console,
    *,
    out: Path,
    workers: int | None = None,
    address: str = "local",
    **arguments: Any,
) -> int:
    """Run :func:`~blox_env.experiment.runner.compare` with a live display; number of failures."""
    plan = make_plan(out=out, max_queries=None, **arguments)
    claim(plan)
    left = unfinished(plan)
    board, crew = Board(plan), Crew(left)
    waiting = set(left)
    for item in plan:
        if item not in waiting:
            board.finished(item)
    began = time.perf_counter()
    failed: list[Progress] = []
    bar = progress_bar(console, estimate=False)
    shown = bar.add_task("searches", total=len(plan), completed=len(plan) - len(left), note="")
    if left:
        console.print(f"{len(left)} of {len(plan)} searches to run, starting Ray …")
        with Live(console=console, refresh_per_second=4) as live:

            def show(item: Search | None = None, worker: Worker | None = None) -> None:
                if item is not None and worker is not None:
                    crew.started(item, worker)
                note = crew.left() + (f", {len(failed)} failed" if failed else "")
                bar.update(shown, note=note)
                live.update(Group(board.table(), crew.table(), bar))

            show()
            for progress in run_plan(left, workers=workers, address=address, started=show):
                crew.ended(progress.search)
                if progress.error is None:
                    board.finished(progress.search)
                else:
                    failed.append(progress)
                bar.advance(shown)
                show()
            live.update(Group(board.table(), bar))
        console.print(f"searched for {time.perf_counter() - began:.1f} s, Ray's start included")
    for progress in failed:
        console.print(f"{progress.search.name} failed:\n{progress.error}", markup=False)
        console.print(f"error: {progress.search.error_path}", highlight=False)
    if failed:
        console.print(f"{len(failed)} searches failed; the same command tries them again")
    if len(failed) < len(plan):
        paths = write_report(out)
        console.print(summary_table(read_runs(out)))
        console.print(written(paths), highlight=False)
    return len(failed)


class Board:
    """One line an agent: how many searches are done, and the best of them."""

    def __init__(self, plan: list[Search]) -> None:
        self._total: dict[tuple[str, str], int] = {}
        self._best: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
        for item in plan:
            self._total[_place(item)] = self._total.get(_place(item), 0) + 1
            self._best.setdefault(_place(item), [])

    def finished(self, item: Search) -> None:
        """Take over the result of a search that has ended."""
        run = read_run(item.path)
        best = run.facts["best"]
        self._best[_place(item)].append(
            tuple(float(run.columns[c][best]) for c in ("reward", "val_acc", "latency_ms"))  # type: ignore[arg-type]
        )

    def table(self) -> Table:
        """The lines as a table."""
        table = Table("agent", "on", "done", "best reward", "accuracy", "latency (ms)", "median")
        for place, total in self._total.items():
            ended = self._best[place]
            cells = ["", "", "", ""]
            if ended:
                reward, accuracy, latency = max(ended)
                median = float(np.median([e[0] for e in ended]))
                cells = [f"{reward:.4f}", f"{accuracy:.4f}", f"{latency:.3f}", f"{median:.4f}"]
            table.add_row(*place, f"{len(ended)}/{total}", *cells)
        return table


class Crew:
    """What runs on which worker since when, and how long the rest will take.

    The rest is estimated by what the searches of each kind that have ended took.
    """

    def __init__(self, left: list[Search]) -> None:
        self._left = dict.fromkeys(left)
        self._running: dict[Worker, tuple[Search, float]] = {}
        self._seconds: dict[Any, list[float]] = {}  # by kind

    def started(self, item: Search, worker: Worker) -> None:
        """A worker begins with a search; what it did before has ended or is tried again."""
        for other in [w for w, (there, _) in self._running.items() if there == item]:
            del self._running[other]
        self._running[worker] = item, time.monotonic()

    def ended(self, item: Search) -> None:
        """A search is done, or failed for good."""
        self._left.pop(item, None)
        for worker, (running, since) in list(self._running.items()):
            if running == item:
                self._seconds.setdefault(item.kind, []).append(time.monotonic() - since)
                del self._running[worker]

    def left(self) -> str:
        """How long the rest will take."""
        known = [seconds for kind in self._seconds.values() for seconds in kind]
        if not known or not self._left:
            return ""
        usual = float(np.mean(known))
        means = {kind: float(np.mean(seconds)) for kind, seconds in self._seconds.items()}
        rest = sum(means.get(item.kind, usual) for item in self._left)
        now = time.monotonic()
        rest -= sum(
            min(now - since, means.get(item.kind, usual)) for item, since in self._running.values()
        )
        return f"about {duration(rest / max(1, len(self._running)))} left"

    def table(self) -> Table:
        """One line a worker that is at work, and what waits."""
        table = Table.grid(padding=(0, 2))
        now = time.monotonic()
        for worker, (item, since) in sorted(self._running.items())[:MOST]:
            table.add_row(f"  {worker}", item.name.replace("__", " "), duration(now - since))
        more = len(self._running) - MOST
        if more > 0:
            table.add_row(f"  and {more} more", "", "")
        waiting = len(self._left) - len(self._running)
        table.add_row(f"  {len(self._running)} at work", f"{waiting} waiting", "")
        return table


def _place(item: Search) -> tuple[str, str]:
    return item.agent, f"{item.benchmark}, {item.device or 'no device'}"
