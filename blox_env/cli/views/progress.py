"""A progress bar on standard error for anything that takes longer than a moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from blox_env.ground.progress import Tell, Track


def progress_bar(
    console: Console | None = None,
    *,
    quiet: bool = False,
    estimate: bool = True,
    count: bool = True,
) -> Progress:
    """A bar with count, time taken, time left, and a ``{task.fields[note]}`` at the end.

    Without ``estimate`` the time left is not shown: the note says it, by somebody who knows more.

    Args:
        console: to draw on, standard error if not given.
        quiet: draw nothing.
        estimate: show the time left.
        count: show how many of how many are done, else the share.
    """
    left: tuple[ProgressColumn, ...] = (TextColumn("left"), TimeRemainingColumn())
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn() if count else TaskProgressColumn(),
        TimeElapsedColumn(),
        *(left if estimate else ()),
        TextColumn("{task.fields[note]}"),
        console=console or Console(stderr=True),
        speed_estimate_period=300,
        disable=quiet,
    )


@contextmanager
def shown(description: str) -> Iterator[Tell]:
    """Beneath a bar on standard error; gives what is to be told how far it is."""
    with progress_bar() as bar:
        task = bar.add_task(description, total=None, note="")

        def tell(done: int, total: int, note: str) -> None:
            bar.update(task, completed=done, total=total, note=note)

        yield tell


@contextmanager
def tracked() -> Iterator[Track]:
    """Beneath bars on standard error, one for each walk; gives what walks through steps."""
    with progress_bar() as bar:

        def track(title: str, steps: range) -> Iterator[int]:
            task = bar.add_task(title, total=len(steps), note="")
            for step in steps:
                yield step
                bar.advance(task)

        yield track


def duration(seconds: float) -> str:
    """Seconds as ``0:07``, ``12:34`` or ``1:02:03``."""
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
