"""Messages for bad input: the argument, what was expected, what came, and a near miss."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


def unknown_name(argument: str, value: object, known: Iterable[str]) -> str:
    """Say that ``value`` is not one of ``known``, and which of them is the closest.

    Args:
        argument: what the name is of, such as ``"device"``.
        value: the name that came.
        known: the names that there are.
    """
    names = sorted(known)
    message = f"unknown {argument} {value!r}, expected one of {', '.join(names) or '(none there)'}"
    close = difflib.get_close_matches(str(value), names, n=1)
    return f"{message}; did you mean {close[0]!r}?" if close else message


def check_positive_int(argument: str, value: Any, minimum: int = 1) -> int:
    """Return ``value`` as an int, or raise when it is no whole number of at least ``minimum``.

    Args:
        argument: its name, for the message.
        value: what came.
        minimum: the smallest that is allowed.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(
            f"{argument} must be a whole number, got {value!r} ({type(value).__name__})"
        )
    number = int(value)
    if number < minimum:
        raise ValueError(f"{argument} must be at least {minimum}, got {number}")
    return number


class RowError(ValueError):
    """An error in one row of many, before anybody has said where the rows are from.

    Args:
        row: counted from 0 in what was being read.
        reason: what was expected and what came.
    """

    def __init__(self, row: int, reason: str) -> None:
        super().__init__(reason)
        self.row = row
