"""Arrays of an environment: those that the numpy environments look things up in, as JAX arrays."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from blox_env.envs.episode.building import Build, BuildWhole
from blox_env.envs.episode.edits import Edits
from blox_env.envs.episode.outcomes import Outcome
from blox_env.envs.episode.rules import Rules
from blox_env.ground.extras import extra
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem.reward import check_finite

with extra("jax", "blox_env.jax"):
    import jax
    import jax.numpy as jnp

Array = Any  # a jax.Array, or what a transformation of JAX puts in its place


class Choices(NamedTuple):
    """Arrays that building by decisions looks things up in; see ``Build.tables``."""

    after: Array
    slot: Array
    follow: Array
    masks: Array
    first: Array
    prefixes: Array
    divisor: Array
    weight: Array


class Changes(NamedTuple):
    """Arrays of editing; see ``Edits.tables``. ``starts`` are masks of blocks."""

    results: Array
    slot: Array
    starts: tuple[Array, ...]


class Known(NamedTuple):
    """Known quantities of every architecture, by device and index: ``(devices, size)``.

    Attributes:
        reward: what finishing it earns, ``(devices, size)`` or ``(devices, size, objectives)``.
        val_acc: as fractions.
        latency_ms: NaN without a device.
        excess: over constraints, relative.
        floor: reward of each device that excesses are subtracted from.
        target_ms: target of each device, ``(devices,)``.
    """

    reward: Array
    val_acc: Array
    latency_ms: Array
    excess: Array
    floor: Array
    target_ms: Array


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class EnvParams:
    """All that an environment looks up; the same shapes with other numbers are another task.

    Attributes:
        max_steps_in_episode: after so many steps gymnax truncates.
        deviation: of the error that evaluations have; 0 for none.
        known: what architectures are worth.
        feasible: which architectures may be finished, ``(size,)``; one of them where all may.
        seen: columns of the observation by cell, slot by slot.
        cells: cell of each option of each slot, ``(options,)`` one slot after the other.
        option: option by cell.
        model: arrays of a benchmark that is a model, in a space too large to list; else None.
        choices: of building, None for others.
        changes: of editing, None for others.
        whole: mask of all options, for ``granularity="whole"``.
        goal_range: lowest and highest goal, ``(2,)``.
        goal_shown: columns of the observation by device; ``(1, 0)`` where there are none.
    """

    max_steps_in_episode: int
    deviation: Array
    known: Known
    feasible: Array
    seen: tuple[Array, ...]
    cells: Array
    option: Array
    model: Any
    choices: Choices | None
    changes: Changes | None
    whole: Array
    goal_range: Array
    goal_shown: Array

    def replace(self, **changes: Any) -> EnvParams:
        """A copy with other values."""
        return dataclasses.replace(self, **changes)


def tables_of(rules: Rules, max_steps: int, deviation: float = 0.0, model: Any = None) -> EnvParams:
    """The arrays of an environment of these rules.

    Args:
        rules: put together from its arguments.
        max_steps: after which an episode is truncated.
        deviation: standard deviation of the error of an evaluation's accuracy.
        model: arrays of the benchmark's model; None where there is a table of everything.

    Raises:
        ValueError: for a benchmark that is neither table nor model, and for masks that are worked
            out as they are needed.
    """
    _check(rules)
    moves, table = rules.moves, rules.moves.table
    choices = changes = None
    if isinstance(moves, Build):
        choices = Choices(**{name: _whole(part) for name, part in moves.tables().items()})
    elif isinstance(moves, Edits):
        starts = moves.blocks.stacked()
        ends = [*starts[1].tolist()[1:], len(starts[0])]
        pieces = zip(starts[1].tolist(), ends, strict=True)
        blocks = tuple(_whole(starts[0][begin:end]) for begin, end in pieces)
        parts = moves.tables()
        changes = Changes(_whole(parts["results"]), _whole(parts["slot"]), blocks)
    low, high = (rules.goals.low, rules.goals.high) if _aims(rules) else (0.0, 1.0)
    every = np.arange(len(rules.problems), dtype=float)
    shown = rules.goals.shown(every) if rules.goals.goal == "device" else np.zeros((1, 0))
    rows = rules.problem.space.all() if rules.problem.space.listable else None
    feasible = np.ones(1, dtype=bool)
    if moves.limits.limited and rows is not None:
        feasible = moves.limits.feasible(rows)
    return EnvParams(
        max_steps_in_episode=max_steps,
        deviation=_real(np.array(deviation)),
        known=_known(rules, rows),
        feasible=jnp.asarray(feasible),
        seen=tuple(jnp.asarray(part) for part in rules.observer.tables()),
        cells=_whole(np.concatenate(table.complete)),
        option=_whole(table.option),
        model=model,
        choices=choices,
        changes=changes,
        whole=_whole(moves.limits.whole if isinstance(moves, BuildWhole) else np.zeros(0)),
        goal_range=_real(np.array([low, high])),
        goal_shown=jnp.asarray(shown, dtype=jnp.float32),
    )


def _aims(rules: Rules) -> bool:
    return rules.goals.goal == "latency_target"


def _check(rules: Rules) -> None:
    """Refuse what has no table."""
    problem = rules.problem
    if problem.space.listable and "table" not in problem.benchmark.provides:
        raise ValueError(
            "a compiled environment needs a benchmark that is a table, got "
            f"{problem.benchmark.name!r}"
        )
    if rules.moves.limits.worked_out:
        raise ValueError(
            "a compiled environment needs masks in a table, which limits of architectures in a "
            f"space as large as {problem.space!r} do not have"
        )


def _known(rules: Rules, rows: IntArray | None) -> Known:
    """Ask the numpy environment's rules for everything, device by device; nothing of no rows."""
    floors = [p.task.floor if p.constraints else 0.0 for p in rules.problems]
    targets = [p.latency_target_ms for p in rules.problems]
    if rows is None:
        nothing = np.zeros((len(rules.problems), 0))
        every = [nothing] * 4 + [np.array(floors), np.array(targets)]
        return Known._make(map(_real, every))
    known = rules.problem.task.known.contains(rows)
    columns: list[tuple[FloatArray, ...]] = []
    for problem in rules.problems:
        task, asked = problem.task, rows[known]
        value = task.benchmark.evaluate(asked, seed=task.draw)
        latency = np.full(len(asked), np.nan)
        if task.device is not None:
            latency = task.device.latency_ms(asked)
        reward = task.rewards(value.val_acc, latency, x=asked)
        check_finite(asked, reward, value.val_acc, latency)
        sources = value.source.astype(object)
        found = Outcome(reward, value.val_acc, latency, value.train_time_s, sources)
        reward = rules.reward.of(asked, found)
        excess = task.constraints.excess(asked, latency)
        parts = (reward, value.val_acc, latency, excess)
        columns.append(tuple(_spread(part, known) for part in parts))
    stacked = [np.stack(each) for each in zip(*columns, strict=True)]
    every = [*stacked, np.array(floors), np.array(targets)]
    return Known._make(map(_real, every))


def _spread(values: FloatArray, known: Any) -> FloatArray:
    full = np.full((len(known), *values.shape[1:]), np.nan)
    full[known] = values
    return full


def _real(values: Any) -> Array:
    """Numbers in JAX's precision: 32 bits, or 64 where that is switched on."""
    return jnp.asarray(values, dtype=jnp.result_type(float))


def _whole(values: Any) -> Array:
    """Whole numbers of 32 bits; larger ones only mean more than there are architectures."""
    wide = np.asarray(values, dtype=np.int64)
    return jnp.asarray(np.minimum(wide, np.iinfo(np.int32).max), dtype=jnp.int32)
