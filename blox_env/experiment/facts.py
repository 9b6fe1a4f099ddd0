"""Facts of a run file: everything that determines the run, and its result."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any

from blox_env.experiment.settings import SearchSettings
from blox_env.ground.errors import shown

# names that facts had in run files of schema 2
_SCHEMA_2 = {"seed": "repeat", "random": "seed", "settings": "agent_settings"}


@dataclass(frozen=True, kw_only=True)
class Origin(SearchSettings):
    """Everything that determines a run; equal origins give equal trials.

    The shared settings are as the problem resolved them: the reward's name, the target in ms (None
    without a device) and the number of queries.

    Attributes:
        agent: name of the agent.
        benchmark: name of the benchmark.
        device: name of the device, None for no latency.
        repeat: number of the search among those of its kind, from 0.
        seed: of the agent's random choices.
        noise_seed: which training ``noise="sampled"`` draws.
        options: arguments that the agent was given.
        agent_settings: all its arguments, defaults included, and a hash of its ``code``.
        space: name of the search space.
        epochs: of a full training.
        version: of blox-env.
        versions: of the libraries that the agent uses, by name.
        checksums: of the data of ``benchmark`` and ``device``.
    """

    agent: str
    benchmark: str
    device: str | None
    repeat: int
    seed: int = 0
    noise_seed: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    agent_settings: Mapping[str, Any] = field(default_factory=dict)
    space: str | None = None
    epochs: int | None = None
    version: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    checksums: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Facts(Origin):
    """An origin and the result of its run.

    Attributes:
        best: row of the history with the best architecture.
        test_acc: its test accuracy, a fraction.
        measured: whether its latency was measured, None where that is not known.
        latency_source: where its latency is from in words, as the device says; None where that is
            not known.
        queries: architectures that were asked for, repeats included.
        spent: full trainings that were paid for.
        optimum: reward of the best of the whole space, or of the part of it that is within the
            constraints; None where that is not known.
        best_values: what its best architecture has of what is limited, by name of the constraint.
    """

    best: int
    test_acc: float
    measured: bool | None = None
    latency_source: str | None = None
    queries: int | None = None
    spent: float | None = None
    optimum: float | None = None
    best_values: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, origin: Origin, **result: Any) -> Facts:
        """The facts of a run with this origin and these results, by name."""
        return cls(**{**_values(origin), **result})

    @classmethod
    def from_json(cls, said: Mapping[str, Any], schema: int) -> Facts:
        """The facts in a run file.

        Args:
            said: what stands in the file.
            schema: of the file, 2 or later.

        Raises:
            ValueError: names the first fact that is missing or of another type.
        """
        if schema == 2:
            said = {_SCHEMA_2.get(name, name): value for name, value in said.items()}
            said = {"noise_seed": said.get("repeat", 0), **said}
        hints = _hints()
        for name, hint in hints.items():
            if name in said and not _fits(said[name], hint):
                raise ValueError(f"fact {name!r} must be {_shown(hint)}, got {shown(said[name])}")
        try:
            return cls(**{name: value for name, value in said.items() if name in hints})
        except TypeError as error:  # says which are missing
            raise ValueError(str(error).partition("__init__() ")[2]) from None

    def to_json(self) -> dict[str, Any]:
        """The facts as :meth:`from_json` reads them."""
        return {
            name: dict(value) if isinstance(value, Mapping) else value
            for name, value in _values(self).items()
        }


def differing(one: Origin, other: Origin) -> list[str]:
    """Names of what determines a run and is not the same in both, sorted.

    Args:
        one: an origin.
        other: another one.
    """
    names = sorted(each.name for each in fields(Origin))
    return [name for name in names if getattr(one, name) != getattr(other, name)]


def _values(origin: Origin) -> dict[str, Any]:
    return {each.name: getattr(origin, each.name) for each in fields(origin)}


@cache
def _hints() -> dict[str, Any]:
    return typing.get_type_hints(Facts)


def _fits(value: object, hint: Any) -> bool:
    """True if a value from JSON is of a type."""
    origin = typing.get_origin(hint)
    if origin is Mapping:
        inner = typing.get_args(hint)[1]
        return isinstance(value, dict) and all(_fits(each, inner) for each in value.values())
    if origin is not None:  # a union
        return any(_fits(value, part) for part in typing.get_args(hint))
    if hint is Any:
        return True
    if hint in (int, float):
        return isinstance(value, (int, hint)) and not isinstance(value, bool)
    return isinstance(value, hint)


def _shown(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")
