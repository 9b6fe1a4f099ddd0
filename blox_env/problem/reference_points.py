"""Reference points of hypervolumes: one documented rule, and the values it froze.

Hypervolumes compare only under the same reference point. The rule needs the whole space: with the
worst and the best value of an objective over all architectures,

    reference = worst - 0.1 · (best - worst)

in the sense of :meth:`blox_env.problem.Problem.values`, where more is better; an objective that is
the same everywhere gets its value minus 1. So every architecture adds something, the ends of the
front too, and each objective has its coordinate whatever it is combined with.

``data/reference_points.json`` holds what the rule gives for the embedded data, with the checksums
of the data that it was computed from (``python docs/reference_points.py`` writes it). Data that are
not in the file, one's own, get what the rule gives for them. Data under a name of the file that are
not those of the file are refused: their hypervolumes would pass for comparable.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from blox_env.benchmarks.base import Benchmark
from blox_env.devices.base import Device
from blox_env.ground.typing import FloatArray
from blox_env.problem.objectives import Objectives
from blox_env.spaces.base import SearchSpace

FROZEN = Path(__file__).resolve().parents[1] / "data" / "reference_points.json"
SCHEMA = 1
MARGIN = 0.1


def rule(values: FloatArray) -> FloatArray:
    """The reference point ``(m,)`` of the values ``(n, m)`` of a whole space; more is better.

    Raises:
        ValueError: for values that are not finite.
    """
    if not np.isfinite(values).all():
        raise ValueError("a reference point needs finite values of all architectures")
    worst, best = values.min(axis=0), values.max(axis=0)
    point: FloatArray = np.where(best > worst, worst - MARGIN * (best - worst), worst - 1.0)
    return point


def reference_point(objectives: Objectives, values: Callable[[], FloatArray]) -> FloatArray:
    """The reference point ``(m,)`` of objectives: frozen where it can be, else by the rule.

    Args:
        objectives: names, benchmark and device.
        values: gives the values of the whole space ``(size, m)``; called only where needed.

    Raises:
        ValueError: for other data under a name of the file.
    """
    known = [_frozen_value(name, objectives) for name in objectives.names]
    if any(value is None for value in known):
        computed = rule(values())
        known = [c if value is None else value for value, c in zip(known, computed, strict=True)]
    return np.array(known, dtype=float)


def _frozen_value(name: str, objectives: Objectives) -> float | None:
    """Coordinate of one objective in the file; None where the file says nothing about its data."""
    kind, source = _source(name, objectives)
    entry = frozen()[kind].get(source.name) if source is not None else None
    if entry is None or source is None:
        return None
    if not isinstance(source, SearchSpace) and entry["checksum"] != (got := source.checksum()):
        raise ValueError(
            f"the frozen reference point of {name!r} belongs to the {kind[:-1]} {source.name!r} "
            f"with the checksum {entry['checksum']}, but this one has {got}: give your own data "
            "another name, or pass reference="
        )
    value = entry["objectives"].get(name)
    return None if value is None else float(value["reference"])


def _source(
    name: str, objectives: Objectives
) -> tuple[str, Benchmark | Device | SearchSpace | None]:
    """The thing an objective's values depend on; None for several, as with the reward."""
    if name == "val_acc":
        return "benchmarks", objectives.benchmark
    if name == "latency_ms":
        return "devices", objectives.device
    space = objectives.benchmark.space
    return "spaces", space if name in space.sizes else None


@lru_cache(maxsize=1)
def frozen() -> dict[str, Any]:
    """The file of frozen reference points."""
    content: dict[str, Any] = json.loads(FROZEN.read_text())
    if content.get("schema") != SCHEMA:
        raise ValueError(f"{FROZEN}: expected schema {SCHEMA}, got {content.get('schema')!r}")
    return content


def freeze(
    benchmarks: Iterable[Benchmark], devices: Iterable[Device], spaces: Iterable[SearchSpace]
) -> dict[str, Any]:
    """Content of the file for these benchmarks, devices and spaces, by the rule.

    Args:
        benchmarks: to be in it.
        devices: to be in it.
        spaces: to be in it.
    """
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "rule": "worst - 0.1 * (best - worst) over the whole space, where more is better",
        "command": "python docs/reference_points.py",
        "benchmarks": {},
        "devices": {},
        "spaces": {},
    }
    for benchmark in benchmarks:
        values = benchmark.evaluate(benchmark.space.all()).val_acc
        content["benchmarks"][benchmark.name] = {
            "checksum": benchmark.checksum(),
            "objectives": {"val_acc": _entry(values)},
        }
    for device in devices:
        content["devices"][device.name] = {
            "checksum": device.checksum(),
            "objectives": {"latency_ms": _entry(-device.latency_ms(device.space.all()))},
        }
    for space in spaces:
        every = space.all()
        content["spaces"][space.name] = {
            "objectives": {
                name: _entry(-space.size_of(name, every).astype(float)) for name in space.sizes
            }
        }
    return content


def _entry(values: FloatArray) -> dict[str, float]:
    """Worst and best value, and the coordinate."""
    return {
        "worst": float(values.min()),
        "best": float(values.max()),
        "reference": float(rule(values[:, None])[0]),
    }
