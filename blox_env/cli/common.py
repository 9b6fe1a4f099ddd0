"""Consoles and the forms of arguments that all commands share."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from blox_env.cli.screen import Screen
from blox_env.devices import base
from blox_env.devices.doubt import doubt
from blox_env.ground import defaults
from blox_env.ground.files import DATA_PLACE


def _remember(place: Path | None) -> Path | None:
    """Let this process and its workers look for pictures there."""
    if place is not None:
        if not place.exists():
            raise FileNotFoundError(f"--data: {place} does not exist")
        os.environ[DATA_PLACE] = str(place.resolve())
    return place


console = Screen()
errors = Screen(stderr=True)

PLUGINS = "BLOX_ENV_PLUGINS"
INTERRUPTED = 130  # status after ctrl-C, typer's and the shell's
Workers = Annotated[
    int | None, typer.Option(help="How many at once; all cores if not given, 0 without Ray.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Address = Annotated[str, typer.Option(help="Address of a Ray cluster.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", help="An option of the agent, as name=value.")
]
Data = Annotated[
    Path | None,
    typer.Option(
        help="File or folder of pictures for tasks that need them, else $BLOX_ENV_DATA.",
        callback=_remember,
    ),
]
Device = Annotated[
    str,
    typer.Option(
        help="Name of a device, 'none' for no latency; 'default' is "
        f"{defaults.DEVICE} where the benchmark has its space, and none elsewhere."
    ),
]


def names(text: str) -> list[str]:
    """``"a, b(c=1, d=2)"`` as a list, at least one; commas in brackets are part of a name."""
    found = [name.strip() for name in re.split(r",(?![^(]*\))", text) if name.strip()]
    if not found:
        raise ValueError(f"expected comma-separated names, got {text!r}")
    return found


def warn_of(device: str | base.Device | None) -> None:
    """Say on standard error that a device predicts poorly, where it does."""
    if device is None or device in ("none", defaults.DEFAULT):
        return
    if warning := doubt(base.load_device(device).card):
        errors.say(f"warning: {warning}")


def device_or_none(name: str) -> str | None:
    """A device's name; None for ``none``."""
    return None if name == "none" else name


def limits_of(pairs: list[str] | None) -> dict[str, float] | None:
    """``["params=2.5e6"]`` as constraints; None without any."""
    limits = options_of(pairs, "--constraint")
    for name, value in limits.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"--constraint {name} must be a number, got {value!r}")
    return limits or None


def options_of(pairs: list[str] | None, option: str = "--set") -> dict[str, Any]:
    """``["population=50"]`` as a dict; values are JSON where they can be, else text.

    Args:
        pairs: as they stand on the command line.
        option: its name, for messages.
    """
    options: dict[str, Any] = {}
    for pair in pairs or []:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"{option} must be name=value, got {pair!r}")
        parse: Callable[[str], Any] = json.loads
        try:
            options[name] = parse(value)
        except json.JSONDecodeError:
            options[name] = value
    return options
