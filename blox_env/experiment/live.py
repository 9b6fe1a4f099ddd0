"""A comparison as a terminal shows it: what runs, the best so far, then the table."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from blox_env.experiment.plan import Search, claim, make_plan, unfinished
from blox_env.experiment.progress import progress_bar
from blox_env.experiment.report import write_report
from blox_env.experiment.results import read_run, read_runs
from blox_env.experiment.runner import Progress, run_plan
from blox_env.experiment.tables import summary_table


def compare_live(
    console: Console,
    *,
    out: Path,
    workers: int | None = None,
    address: str = "local",
    **arguments: Any,  # noqa: ANN401
) -> int:
    """Run :func:`~blox_env.experiment.runner.compare` with a live display; number of failures."""
    plan = make_plan(out=out, max_queries=None, **arguments)
    claim(plan)
    left = unfinished(plan)
    state = {item.name: None for item in plan}
    board = Board(plan)
    for item in plan:
        if item not in left:
            board.finished(item)
    started = time.perf_counter()
    failed: list[Progress] = []
    bar = progress_bar(console)
    shown = bar.add_task("searches", total=len(plan), completed=len(plan) - len(left), note="")
    if left:
        console.print(f"{len(left)} of {len(state)} searches to run, starting Ray …")
        with Live(Group(board.table(), bar), console=console, refresh_per_second=4) as live:
            for progress in run_plan(left, workers=workers, address=address):
                if progress.error is None:
                    board.finished(progress.search)
                else:
                    failed.append(progress)
                note = f"{len(failed)} failed" if failed else ""
                bar.update(shown, advance=1, note=note)
                live.update(Group(board.table(), bar))
        console.print(f"searched for {time.perf_counter() - started:.1f} s, Ray's start included")
    for progress in failed:
        console.print(f"{progress.search.name} failed:\n{progress.error}", markup=False)
    if len(failed) < len(plan):
        paths = write_report(out)
        console.print(summary_table(read_runs(out)))
        for path in paths:
            console.print(str(path), highlight=False)
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


def _place(item: Search) -> tuple[str, str]:
    return item.agent, f"{item.benchmark}, {item.device or 'no device'}"
