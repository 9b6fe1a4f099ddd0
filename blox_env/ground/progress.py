"""Progress of long work, told to whoever shows it; only the command shows anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable

Tell = Callable[[int, int, str], None]  # done, total, a note such as "2 failed"
Track = Callable[[str, range], Iterable[int]]  # a title and the steps to walk through


def silent(done: int, total: int, note: str) -> None:
    """Tell nobody.

    Args:
        done: steps that are done.
        total: steps in all.
        note: anything else to say.
    """


def untracked(title: str, steps: range) -> range:
    """Walk through the steps and show nothing.

    Args:
        title: of the work.
        steps: to walk through.
    """
    return steps
