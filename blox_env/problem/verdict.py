"""Verdict on a search: its best architecture, and whether targets and constraints were met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from blox_env.ground.typing import IntArray

if TYPE_CHECKING:
    from blox_env.devices.base import Device
    from blox_env.problem.candidates import Candidates
    from blox_env.spaces.base import SearchSpace


class Limits(Protocol):
    """The parts of constraints that are needed here."""

    limits: dict[str, float]

    def value(self, name: str, x: IntArray, latency_ms: Any = None) -> Any:
        """The value that a limit is about, ``(n,)``."""

    def within(self, x: IntArray, latency_ms: Any = None) -> Any:
        """Mask of the architectures that keep to all limits, ``(n,)``."""


class Asked(Protocol):
    """The parts of a task that a history tells of."""

    @property
    def space(self) -> SearchSpace:
        """The space that is searched."""

    @property
    def device(self) -> Device | None:
        """The device, None for none."""

    @property
    def reward_name(self) -> str:
        """Name of the formula."""

    @property
    def latency_target_ms(self) -> float:
        """Target of the formula, NaN without a device."""

    @property
    def constraints(self) -> Limits:
        """Limits that architectures have to keep to."""

    @property
    def known(self) -> Candidates:
        """Architectures that can be evaluated."""


@dataclass(frozen=True)
class Goal:
    """A limit that a search was to keep to.

    Attributes:
        name: ``"latency target"``, or that of the constraint.
        limit: what is allowed at most.
        value: that of the best architecture.
        met: whether it keeps to the limit.
        reached: how many of the evaluated architectures do.
        least: the least that any architecture has, None where that is not known.
    """

    name: str
    limit: float
    value: float
    met: bool
    reached: int
    least: float | None = None

    @property
    def possible(self) -> bool | None:
        """False if no architecture can meet it, None where that is not known."""
        return None if self.least is None else bool(self.least <= self.limit * (1 + 1e-9))

    def __str__(self) -> str:
        """A sentence about it."""
        timed = self.name in ("latency target", "latency_ms")

        def shown(value: float) -> str:
            return f"{value:.4g} ms" if timed else f"{value:,.7g}"

        head = f"the limit of {shown(self.limit)} on {self.name}"
        if self.name == "latency target":
            head = f"the latency target of {shown(self.limit)}"
        if self.met:
            return f"{head} is met: {shown(self.value)}"
        text = (
            f"{head} was not met: the best architecture {'takes' if timed else 'has'} "
            f"{shown(self.value)}"
        )
        if self.least is not None and not self.possible:
            least = f"the {'fastest takes' if timed else 'least is'} {shown(self.least)}"
            return f"{text}, and no architecture meets it: {least}"
        return f"{text}; {self.reached} of the evaluated meet it"


@dataclass(frozen=True)
class Best:
    """The best architecture of a search.

    It stands for its row: ``history.x[history.best]`` is the architecture.

    Attributes:
        row: in the history.
        architecture: its options, ``(slots,)``.
        reward: its reward.
        val_acc: validation accuracy, a fraction.
        latency_ms: milliseconds, NaN without a device.
        source: of the accuracy.
        text: the architecture in words.
        goals: targets and constraints, and whether it meets them.
    """

    row: int
    architecture: IntArray
    reward: float
    val_acc: float
    latency_ms: float
    source: str
    text: str = ""
    goals: tuple[Goal, ...] = ()
    _space: Any = field(default=None, repr=False)

    @property
    def met(self) -> bool:
        """True if it meets all targets and constraints."""
        return all(goal.met for goal in self.goals)

    def build(self, **network: int) -> Any:
        """The network as a ``torch.nn.Module``, weights random.

        Args:
            network: sizes, as :func:`blox_env.build_network` takes them.
        """
        if self._space is None:
            raise ValueError("the history does not know its space: use blox_env.build_network")
        return self._space.build_network(self.architecture, **network)

    def __index__(self) -> int:
        """Its row."""
        return self.row

    def __call__(self) -> int:
        """Its row, as ``history.best()`` gives it."""
        return self.row

    def __str__(self) -> str:
        """A line about it."""
        latency = "" if np.isnan(self.latency_ms) else f", {self.latency_ms:.4g} ms"
        name = self.text or "-".join(map(str, self.architecture.tolist()))
        unmet = "".join(f"; {goal}" for goal in self.goals if not goal.met)
        return f"{name}: reward {self.reward:.4f}, accuracy {self.val_acc:.4f}{latency}{unmet}"

    def _repr_html_(self) -> str:
        """A table, for notebooks."""
        rows = [
            ("architecture", "-".join(map(str, self.architecture.tolist()))),
            ("", self.text),
            ("reward", f"{self.reward:.4f}"),
            ("validation accuracy", f"{self.val_acc:.4f} ({self.source})"),
        ]
        if not np.isnan(self.latency_ms):
            rows.append(("latency", f"{self.latency_ms:.4g} ms"))
        rows += [(goal.name, str(goal)) for goal in self.goals]
        cells = (f"<tr><th>{escape(a)}</th><td>{escape(b)}</td></tr>" for a, b in rows)
        return f"<table>{''.join(cells)}</table>"


def goals_of(asked: Asked, x: IntArray, columns: Mapping[str, Any], best: int) -> tuple[Goal, ...]:
    """Targets and constraints of a search, and whether its best architecture meets them.

    Args:
        asked: what was asked.
        x: the evaluated architectures ``(n, slots)``.
        columns: of the history.
        best: row of the best.
    """
    goals: list[Goal] = []
    latency = columns["latency_ms"]
    if asked.device is not None and asked.reward_name != "accuracy":
        target = asked.latency_target_ms
        least = float(asked.device.quantiles_ms((0.0,))[0]) if asked.known.listable else None
        goals.append(_goal("latency target", target, latency, best, least))
    for name, limit in asked.constraints.limits.items():
        least = None
        if asked.known.listable:
            least = float(asked.constraints.value(name, asked.known.all()).min())
        goals.append(_goal(name, limit, asked.constraints.value(name, x, latency), best, least))
    return tuple(goals)


def _goal(name: str, limit: float, values: Any, best: int, least: float | None) -> Goal:
    kept = values <= limit * (1 + 1e-9)
    return Goal(name, limit, float(values[best]), bool(kept[best]), int(kept.sum()), least)
