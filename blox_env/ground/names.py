"""Names with settings in brackets, such as ``"cifar10(side=32, width=16)"``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from blox_env.ground.errors import unknown_name

_CALL = re.compile(r"\s*([^()]*?)\s*(?:\((.*)\))?\s*")


def split_name(name: str, what: str) -> tuple[str, dict[str, Any]]:
    """The word and the settings of a name; values are JSON where they can be, else text.

    Args:
        name: such as ``"cifar10(side=32)"``.
        what: what it names, for errors.

    Raises:
        ValueError: for another form.
    """
    match = _CALL.fullmatch(name)
    if match is None:
        raise ValueError(f"{what} must be NAME or NAME(setting=value, …), got {name!r}")
    given: dict[str, Any] = {}
    for pair in filter(str.strip, (match[2] or "").split(",")):
        key, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or key in given:
            raise ValueError(f"{what} {name!r}: expected setting=value once, got {pair.strip()!r}")
        try:
            given[key] = json.loads(value)
        except json.JSONDecodeError:
            given[key] = value
    return match[1], given


def join_name(word: str, settings: Mapping[str, Any]) -> str:
    """The name that :func:`split_name` takes apart.

    Args:
        word: what stands before the brackets.
        settings: what stands in them, in alphabetical order; without any there are no brackets.
    """
    inside = ", ".join(f"{key}={value}" for key, value in sorted(settings.items()))
    return f"{word}({inside})" if inside else word


def check_settings(given: Iterable[str], known: Iterable[str], what: str) -> None:
    """Raise for a setting that is not known, with the closest one that is.

    Args:
        given: names of settings.
        known: those that there are.
        what: what they are settings of, for errors.
    """
    names = list(known)
    for name in given:
        if name not in names:
            raise ValueError(unknown_name(f"setting of {what}", name, names))
