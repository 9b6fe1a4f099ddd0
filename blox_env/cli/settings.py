"""The options of ``compare``: they follow from the fields of the settings of an experiment."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping, Sequence
from dataclasses import Field, fields
from typing import Annotated, Any

import typer

from blox_env.cli.common import device_or_none, limits_of, names, options_of
from blox_env.experiment.settings import ExperimentSettings
from blox_env.ground.errors import check_positive_int

_CALLED = {
    "latency_target_ms": "target",
    "constraints": "constraint",
    "options": "set",
}  # options with another name
_SET = "An option of an agent, as agent.name=value."


def settings_parameters() -> list[inspect.Parameter]:
    """Parameters of a command that takes all settings, as typer wants them."""
    hints = typing.get_type_hints(ExperimentSettings)
    order = ["agents", "benchmarks", "devices", "seeds", *hints]
    by_name = {each.name: each for each in fields(ExperimentSettings)}
    return [_parameter(by_name[name], hints[name]) for name in dict.fromkeys(order)]


def settings_from(given: Mapping[str, Any]) -> ExperimentSettings:
    """The settings that were given on a command line.

    Args:
        given: values by name of the field; names are one text, separated by commas.

    Raises:
        ValueError: names the option that is wrong.
    """
    values: dict[str, Any] = {}
    for each in fields(ExperimentSettings):
        value = given[each.name]
        if each.name == "devices":
            value = tuple(device_or_none(name) for name in names(value))
        elif each.name in ("agents", "benchmarks"):
            value = tuple(names(value))
        elif each.name == "options":
            value = _by_agent(value)
        elif each.name == "constraints":
            value = limits_of(value)
        elif each.metadata["minimum"] is not None and value is not None:
            check_positive_int(_option(each.name), value, each.metadata["minimum"])
        values[each.name] = value
    return ExperimentSettings(**values)


def _option(name: str) -> str:
    return "--" + _CALLED.get(name, name).replace("_", "-")


def _parameter(each: Field[Any], hint: Any) -> inspect.Parameter:
    default: Any = each.default
    meaning: str = each.metadata["help"]
    if typing.get_origin(hint) is Sequence:
        hint, default = str, ",".join("none" if name is None else name for name in default)
        meaning = meaning.replace(".", ", comma-separated.") if each.name == "agents" else meaning
    elif each.name == "options":
        hint, meaning = list[str] | None, _SET
    elif each.name == "constraints":
        hint = list[str] | None
    option = typer.Option(_option(each.name), help=meaning)
    return inspect.Parameter(
        each.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[hint, option],
    )


def _by_agent(pairs: list[str] | None) -> dict[str, dict[str, Any]] | None:
    """``["ppo.epochs=3"]`` as options by agent."""
    found: dict[str, dict[str, Any]] = {}
    for name, value in options_of(pairs).items():
        agent, dot, option = name.rpartition(".")
        if not dot:
            raise ValueError(f"--set must be agent.name=value, got {name}={value}")
        found.setdefault(agent, {})[option] = value
    return found or None
