"""A comparison as a terminal shows it: what runs where, the best so far, then the table."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
from rich.console import Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from blox_env.cli.screen import Screen, print_table
from blox_env.cli.views.progress import duration, progress_bar
from blox_env.cli.views.summary import summary_table
from blox_env.experiment.comparison import Ended
from blox_env.experiment.plan import Search
from blox_env.experiment.results import read_run, read_runs
from blox_env.experiment.runner import run_experiment
from blox_env.experiment.settings import ExperimentSettings
from blox_env.ground.parallel import Worker
from blox_env.report import write_report, written

MOST = 12  # workers that are listed one by one
Kind = tuple[str, str, str | None]  # of searches, see Search.kind


def compare_live(
    console: Screen,
    settings: ExperimentSettings,
    out: Path,
    *,
    workers: int | None = None,
    address: str = "local",
    time_limit_s: float | None = None,
) -> int:
    """Run :func:`blox_env.compare` with a live display; number of failures.

    Args:
        console: where it is shown.
        settings: of the experiment.
        out: folder for results.
        workers: how many searches run at once.
        address: of a Ray cluster.
        time_limit_s: of each search.
    """
    with LiveComparison(console, ray=workers != 0) as shown:
        done = run_experiment(
            settings,
            out,
            workers=workers,
            address=address,
            time_limit_s=time_limit_s,
            watcher=shown,
        )
    for ended in done.failed:
        console.say(f"{ended.search.name} failed:\n{ended.error}")
        console.say(f"error: {ended.search.error_path}")
    if done.failed:
        console.print(f"{len(done.failed)} searches failed; the same command tries them again")
    if len(done.failed) < len(done.plan):
        runs = read_runs(out)
        paths = write_report(out, runs)
        print_table(console, summary_table(runs))
        console.say(written(paths))
    return len(done.failed)


class LiveComparison:
    """The display of an experiment that runs, told what happens as a watcher.

    Args:
        console: where it is shown.
        ray: whether the searches run on Ray.
    """

    def __init__(self, console: Screen, *, ray: bool) -> None:
        self._console, self._ray = console, ray
        self._bar = progress_bar(console, estimate=False)
        self._searching = False
        self._live: Live | None = None  # nothing moves where nobody looks
        self._began = time.perf_counter()
        self._failed = 0

    def __enter__(self) -> LiveComparison:
        """Begin; nothing is shown before :meth:`planned`."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the display; the board stays."""
        if not self._searching:
            return
        if self._live is None:
            print_table(self._console, self._board.table())
        else:
            self._live.update(Group(self._board.table(), self._bar))
            self._live.stop()
        if kind is None:
            included = ", Ray's start included" if self._ray else ""
            seconds = time.perf_counter() - self._began
            self._console.print(f"searched for {seconds:.1f} s{included}")

    def planned(self, plan: Sequence[Search], left: Sequence[Search]) -> None:
        """Show the board, with what is there already.

        Args:
            plan: all searches.
            left: those that are still to be run.
        """
        self._board, self._crew = Board(plan), Crew(left)
        waiting = {item.name for item in left}
        for item in plan:
            if item.name not in waiting:
                self._board.finished(item)
        done = len(plan) - len(left)
        self._task = self._bar.add_task("searches", total=len(plan), completed=done, note="")
        if left:
            start = ", starting Ray" if self._ray else ""
            self._console.print(f"{len(left)} of {len(plan)} searches to run{start} ...")
            self._searching = True
            if self._console.is_terminal:
                self._live = Live(console=self._console, refresh_per_second=4)
                self._live.start()
                self._show()

    def started(self, search: Search, worker: Worker) -> None:
        """Show who does what.

        Args:
            search: that begins.
            worker: that does it.
        """
        self._crew.started(search, worker)
        self._show()

    def ended(self, ended: Ended) -> None:
        """Show the result of a search."""
        self._crew.ended(ended.search)
        if ended.error is None:
            self._board.finished(ended.search)
        else:
            self._failed += 1
        self._bar.advance(self._task)
        self._show()

    def _show(self) -> None:
        note = self._crew.left() + (f", {self._failed} failed" if self._failed else "")
        self._bar.update(self._task, note=note)
        if self._live is not None:
            self._live.update(Group(self._board.table(), self._crew.table(), self._bar))


class Board:
    """One line an agent: how many searches are done, and the best of them."""

    def __init__(self, plan: Sequence[Search]) -> None:
        self._total: dict[tuple[str, str], int] = {}
        self._best: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
        for item in plan:
            self._total[_place(item)] = self._total.get(_place(item), 0) + 1
            self._best.setdefault(_place(item), [])

    def finished(self, item: Search) -> None:
        """Take over the result of a search that has ended."""
        run = read_run(item.path)
        best = run.facts.best
        reward, accuracy, latency = (
            float(run.columns[name][best]) for name in ("reward", "val_acc", "latency_ms")
        )
        self._best[_place(item)].append((reward, accuracy, latency))

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
            table.add_row(*map(escape, place), f"{len(ended)}/{total}", *cells)
        return table


class Crew:
    """Searches at work, by worker, and an estimate of the time left.

    The rest is estimated by what the searches of each kind that have ended took. Only counts are
    kept: what is shown again and again must not go through thousands of searches.
    """

    def __init__(self, left: Sequence[Search]) -> None:
        self._left = set(left)
        self._waiting = Counter(item.kind for item in left)  # those at work among them
        self._running: dict[Worker, tuple[Search, float]] = {}
        self._ended: Counter[Kind] = Counter()  # whose seconds are known
        self._seconds: dict[Kind, float] = {}  # of these together

    def started(self, item: Search, worker: Worker) -> None:
        """A worker begins with a search; what it did before has ended or is tried again.

        Args:
            item: the search.
            worker: that does it.
        """
        for other in [w for w, (there, _) in self._running.items() if there == item]:
            del self._running[other]
        self._running[worker] = item, time.monotonic()

    def ended(self, item: Search) -> None:
        """A search is done, or failed for good."""
        if item in self._left:
            self._left.remove(item)
            self._waiting[item.kind] -= 1
        for worker, (running, since) in list(self._running.items()):
            if running == item:
                took = time.monotonic() - since
                self._ended[item.kind] += 1
                self._seconds[item.kind] = self._seconds.get(item.kind, 0.0) + took
                del self._running[worker]

    def left(self) -> str:
        """Estimate of the time left, in words."""
        if not self._ended or not self._left:
            return ""
        usual = sum(self._seconds.values()) / self._ended.total()
        means = {kind: seconds / self._ended[kind] for kind, seconds in self._seconds.items()}
        rest = sum(means.get(kind, usual) * count for kind, count in self._waiting.items())
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
            table.add_row(
                f"  {worker}", escape(item.name.replace("__", " ")), duration(now - since)
            )
        more = len(self._running) - MOST
        if more > 0:
            table.add_row(f"  and {more} more", "", "")
        waiting = len(self._left) - len(self._running)
        table.add_row(f"  {len(self._running)} at work", f"{waiting} waiting", "")
        return table


def _place(item: Search) -> tuple[str, str]:
    return item.agent, f"{item.benchmark}, {item.device or 'no device'}"
