"""How long work tells whoever shows it how far it is; showing is the command's."""

from __future__ import annotations

from collections.abc import Callable, Iterable

Tell = Callable[[int, int, str], None]  # done, total, a note such as "2 failed"
Track = Callable[[str, range], Iterable[int]]  # a title and the steps to walk through


def silent(done: int, total: int, note: str) -> None:
    """Tell nobody."""


def untracked(title: str, steps: range) -> range:
    """Walk through the steps and show nothing."""
    return steps
