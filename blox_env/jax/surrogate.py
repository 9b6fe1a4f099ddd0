"""Accuracies of models worked out inside a program, and what only Python can tell beside them.

In a space too large to list there is no table. The model of the benchmark is carried over as
arrays (:mod:`blox_env.benchmarks.carried`). Latencies, excesses over constraints and sizes are
asked of the device and the space themselves, by a call out of the program, so that they are theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from blox_env.benchmarks.carried import Carried, CarriedNetwork, CarriedTrees, CarriedUnits
from blox_env.envs.episode.outcomes import Outcome
from blox_env.envs.episode.rewards import VectorReward
from blox_env.envs.episode.rules import Rules
from blox_env.ground.extras import extra
from blox_env.ground.typing import FloatArray
from blox_env.jax.onnx_graph import Graph

with extra("jax", "blox_env.jax"):
    import jax
    import jax.numpy as jnp
    from jax.custom_batching import custom_vmap

Array = Any
Program = Callable[[Any, Array], Array]  # arrays of the model, rows (n, slots) -> (n,)


class Told(NamedTuple):
    """Answers about one architecture, or about ``n`` with a first axis.

    Attributes:
        val_acc: accuracy.
        latency_ms: of each device, ``(devices,)``; NaN without one.
        excess: over the constraints on each device, ``(devices,)``.
        columns: of each device the objectives of a vector reward, ``(devices, objectives)``; those
            that depend on the accuracy are NaN.
    """

    val_acc: Array
    latency_ms: Array
    excess: Array
    columns: Array


class Surrogate:
    """Answers for architectures of a benchmark that is a model, as a pure function.

    However it is batched, an architecture is answered in one batch with all others, and none where
    nobody wants an answer, which is at most steps.

    Args:
        rules: of the numpy environment.

    Raises:
        ValueError: for a benchmark whose model cannot be carried over, or trainings that are drawn.

    Attributes:
        arrays: of the model.
    """

    def __init__(self, rules: Rules) -> None:
        problem = rules.problem
        carried = problem.benchmark.carried()
        if carried is None:
            raise ValueError(
                "a compiled environment needs a benchmark that is a table, or in a space too large "
                f"to list a model that is carried over, got {problem.benchmark.name!r}"
            )
        if problem.task.draw is not None:
            raise ValueError(
                "noise='sampled' needs a table in a compiled environment: deviation= draws errors"
            )
        self._rules = rules
        self._program, self.arrays = _program_of(carried)
        self._devices = len(rules.problems)
        self._objectives = 0
        if isinstance(rules.reward, VectorReward):
            self._objectives = len(rules.reward.objectives)
        self._calls = bool(problem.device is not None or problem.constraints or self._objectives)
        self._answer = self._batched()

    def of(self, arrays: Any, row: Array, wanted: Array) -> Told:
        """Answers about an architecture; zeros where none is wanted by anybody.

        Args:
            arrays: of the model.
            row: the architecture ``(slots,)``.
            wanted: whether the answer is looked at.
        """
        wide = self._answer(arrays, row[None], jnp.asarray(wanted)[None])
        return Told(*(part[0] for part in wide))

    def _batched(self) -> Any:
        """The function of many architectures ``(n, slots)``, which stays one when it is mapped."""

        @custom_vmap
        def answer(arrays: Any, rows: Array, wanted: Array) -> Told:
            nothing = jax.tree.map(
                lambda part: jnp.zeros(part.shape, part.dtype),
                jax.eval_shape(self._told, arrays, rows),
            )
            told = jax.lax.cond(wanted.any(), lambda: self._told(arrays, rows), lambda: nothing)
            return Told(*told)

        @answer.def_vmap
        def flat(size: int, mapped: Any, arrays: Any, rows: Array, wanted: Array) -> Any:
            of_arrays, of_rows, of_wanted = mapped
            if any(jax.tree.leaves(of_arrays)):  # models side by side: one after the other
                axes = (of_arrays, of_rows, of_wanted)
                given = (arrays, rows, wanted)
                every = [
                    jax.tree.map(
                        lambda value, own: (
                            value if own else jnp.broadcast_to(value, (size, *value.shape))
                        ),
                        part,
                        axis,
                    )
                    for part, axis in zip(given, axes, strict=True)
                ]
                told = jax.lax.map(lambda each: answer(*each), tuple(every))
            else:
                every_row = rows if of_rows else jnp.broadcast_to(rows, (size, *rows.shape))
                asked = wanted if of_wanted else jnp.broadcast_to(wanted, (size, *wanted.shape))
                n = every_row.shape[1]
                one = answer(arrays, every_row.reshape(size * n, -1), asked.reshape(size * n))
                told = jax.tree.map(lambda part: part.reshape(size, n, *part.shape[1:]), one)
            return told, jax.tree.map(lambda _: True, told)

        return answer

    def _told(self, arrays: Any, rows: Array) -> Told:
        n, devices, objectives = len(rows), self._devices, self._objectives
        val_acc = self._program(arrays, rows)
        if not self._calls:
            unknown = jnp.full((n, devices), jnp.nan, dtype=val_acc.dtype)
            return Told(val_acc, unknown, jnp.zeros_like(unknown), unknown[:, :, None][:, :, :0])
        struct: Any = jax.ShapeDtypeStruct
        shape = struct((n, devices, 2 + objectives), val_acc.dtype)
        beside = jax.pure_callback(self._beside, shape, rows)
        return Told(val_acc, beside[..., 0], beside[..., 1], beside[..., 2:])

    def _beside(self, rows: Any) -> FloatArray:
        """Latency, excess and objectives, as the numpy environment asks for them."""
        given = np.asarray(rows).astype(np.int64)
        kind = np.dtype(jnp.result_type(float))
        found = np.full((len(given), self._devices, 2 + self._objectives), np.nan, dtype=kind)
        unknown = np.full(len(given), np.nan)
        for number, problem in enumerate(self._rules.problems):
            task = problem.task
            latency = unknown
            if task.device is not None:
                latency = task.device.latency_ms(given)
            found[:, number, 0] = latency
            found[:, number, 1] = task.constraints.excess(given, latency)
            if self._objectives:
                outcome = Outcome(unknown, unknown, latency, unknown, np.full(len(given), None))
                found[:, number, 2:] = self._rules.reward.of(given, outcome)
        return found


def _program_of(carried: Carried) -> tuple[Program, Any]:
    """The program of a model, and its arrays."""
    if isinstance(carried, CarriedTrees):
        return _trees(carried)
    return _units(carried) if isinstance(carried, CarriedUnits) else _network(carried)


def _trees(carried: CarriedTrees) -> tuple[Program, Any]:
    trees = carried.trees
    # by the byte itself: a leaf's value where one bit is left, 0 where none is
    values = np.zeros((len(trees.values), 256))
    values[:, 1 << np.arange(8)] = trees.values[:, 1:]
    arrays = {
        "adds": tuple(jnp.asarray(part, jnp.int32) for part in carried.places.adds),
        "reach": tuple(map(jnp.asarray, trees.reach)),
        "values": jnp.asarray(values, dtype=jnp.result_type(float)),
        "scale": jnp.asarray([carried.scale, carried.shift], dtype=jnp.result_type(float)),
    }

    def program(arrays: Any, rows: Array) -> Array:
        there = [*rows.T]
        if arrays["adds"][0].shape[1]:
            there += [*sum(add[own] for add, own in zip(arrays["adds"], rows.T, strict=True)).T]
        left = arrays["reach"][0][there[0]]
        for reach, own in zip(arrays["reach"][1:], there[1:], strict=True):
            left &= reach[own]
        values = arrays["values"]
        said = values[jnp.arange(len(values)), left].sum(axis=1)
        scale, shift = arrays["scale"]
        return jnp.clip(1 - jnp.exp(said * scale + shift), 0.0, 1.0)

    return program, arrays


def _units(carried: CarriedUnits) -> tuple[Program, Any]:
    kind = jnp.result_type(float)
    parts = carried.base, carried.tables, carried.output, (carried.scale, carried.shift)
    arrays = jax.tree.map(lambda part: jnp.asarray(part, kind), parts)

    def program(arrays: Any, rows: Array) -> Array:
        base, tables, output, (scale, shift) = arrays
        units = sum((table[own] for table, own in zip(tables, rows.T, strict=True)), base)
        said = (jnp.maximum(units, 0.0) * output[:-1]).sum(axis=1) + output[-1]
        return jnp.clip(1 - jnp.exp(said * scale + shift), 0.0, 1.0)

    return program, arrays


def _network(carried: CarriedNetwork) -> tuple[Program, Any]:
    graph = Graph(carried.model, ("x_cat", "x_cont"))
    settings = tuple(jnp.asarray(part, jnp.int32) for part in carried.settings)

    def program(arrays: Any, rows: Array) -> Array:
        weights, settings = arrays
        given = sum(part[own] for part, own in zip(settings, rows.T, strict=True))
        epochs = jnp.full((len(rows), 1), carried.epoch, dtype=jnp.float32)
        said = graph(weights, {"x_cat": given, "x_cont": epochs})[:, carried.column]
        return said.astype(jnp.result_type(float))

    return program, (graph.weights, settings)
