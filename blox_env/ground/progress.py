"""How long work tells whoever shows it how far it is; showing is the command's."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[int, int, str], None]  # done, total, a note such as "2 failed"


def silent(done: int, total: int, note: str) -> None:
    """Tell nobody."""
