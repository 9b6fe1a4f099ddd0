"""Messages for bad input: the argument, what was expected, what came, and a near miss."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable
from typing import Any

_LONGEST = 200
_brief = reprlib.Repr()
_brief.maxlevel, _brief.maxdict = 4, 3
_brief.maxlist = _brief.maxtuple = _brief.maxset = _brief.maxfrozenset = 5
_brief.maxstring = _brief.maxother = _brief.maxlong = 60


def shown(value: object) -> str:
    """A value from outside for a message, shortened before it is written out.

    A list of a few bytes in a file may hold itself a million times: its ``repr`` has gigabytes,
    whatever is cut off it afterwards.
    """
    try:
        text = _brief.repr(value)
    except ValueError:  # a number that Python does not write out
        text = f"a large {type(value).__name__}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def unknown_name(argument: str, value: object, known: Iterable[str]) -> str:
    """Say that ``value`` is not one of ``known``, and which of them is the closest.

    Args:
        argument: what the name is of, such as ``"device"``.
        value: the name that came.
        known: the names that there are.
    """
    names = sorted(known)
    said = f"{value!r}" if isinstance(value, str) and len(value) <= _LONGEST else shown(value)
    message = f"unknown {argument} {said}, expected one of {', '.join(names) or '(none there)'}"
    close = difflib.get_close_matches(
        value[:_LONGEST] if isinstance(value, str) else said, names, n=1
    )
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
            f"{argument} must be a whole number, got {shown(value)} ({type(value).__name__})"
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
