"""The whole space behind the runs of a problem, its front, and notes about the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from blox_env.analysis.fronts import FrontPoint, Points
from blox_env.benchmarks.base import Benchmark, load_benchmark
from blox_env.devices.base import Device, load_device
from blox_env.experiment.results import Run
from blox_env.ground import registry
from blox_env.ground.typing import FloatArray
from blox_env.problem.task import Task
from blox_env.problem.truth import Truth
from blox_env.spaces import BloxSpace
from blox_env.spaces.base import SearchSpace

Loaded = TypeVar("Loaded", Benchmark, Device)


@dataclass(frozen=True)
class Background:
    """Benchmark and device of a problem, and the whole space as they describe it.

    Attributes:
        benchmark: as it is here; None when it is not, or holds other data than the runs used.
        device: likewise, and None without latency.
        missing: why something is None, a sentence each.
        cards: (name, description) of what is here.
        whole: every architecture within the constraints, where both are here and the space can be
            listed.
        whole_test: test accuracy of each, a fraction, where the space can be listed.
        front: the front of the whole space, fastest first; empty where that is not known.
        corner: reference point of hypervolumes, accuracy and latency in ms ``(2,)``: the problem's,
            frozen for the embedded data; None where the space is not known.
    """

    benchmark: Benchmark | None
    device: Device | None
    missing: tuple[str, ...]
    cards: tuple[tuple[str, str], ...]
    whole: Points | None
    whole_test: FloatArray | None
    front: tuple[FrontPoint, ...]
    corner: FloatArray | None


def load_background(run: Run) -> Background:
    """Load benchmark and device of a run, and keep them if their data is that of the run.

    Only names are loaded, never a ``"module:Class"`` from a run file: a report of somebody else's
    results must not run their code.
    """
    missing: list[str] = []
    benchmark, reason = _load(
        load_benchmark, "benchmark", run.facts.benchmark, run.facts.checksums.get("benchmark")
    )
    missing += reason
    device = None
    if run.facts.device is not None:
        device, reason = _load(
            load_device, "device", run.facts.device, run.facts.checksums.get("device")
        )
        missing += reason
    cards = tuple(
        (f"{kind} {thing.name}", thing.description or "No description.")
        for kind, thing in (("Benchmark", benchmark), ("Device", device))
        if thing is not None
    )
    whole, test = None, None
    edge: tuple[FrontPoint, ...] = ()
    corner = None
    task = None
    if benchmark is not None and "table" in benchmark.provides and _small(benchmark):
        task, reason = _task(benchmark, device, run)
        missing += reason
    if benchmark is not None and task is not None:
        rows = task.candidates.all()
        found = benchmark.evaluate(rows)
        test = found.test_acc
        if device is not None:
            whole = Points(device.latency_ms(rows), found.val_acc)
            corner = Truth(task).reference_point()
            chosen = whole.on_front()
            order = whole.latency_ms[chosen].argsort(kind="stable")
            origins = device.provenance(rows[chosen])
            edge = tuple(
                FrontPoint(
                    row=tuple(int(option) for option in rows[chosen][i]),
                    latency_ms=float(whole.latency_ms[chosen][i]),
                    val_acc=float(whole.val_acc[chosen][i]),
                    source=str(found.source[chosen][i]),
                    latency_source=origins[i],
                    seed=None,
                )
                for i in order
            )
    return Background(benchmark, device, tuple(missing), cards, whole, test, edge, corner)


def with_measured(run: Run, device: Device | None) -> Run:
    """The run with the facts where the latency of its best is from.

    Args:
        run: that may lack the facts.
        device: that knows it; None leaves the run as it is.
    """
    if device is None or run.facts.latency_source is not None:
        return run
    best = run.x[run.facts.best][None]
    measured, origin = bool(device.measured(best)[0]), device.provenance(best)[0]
    return replace(run, facts=replace(run.facts, measured=measured, latency_source=origin))


def space_of(run: Run, background: Background) -> SearchSpace | None:
    """The search space of a run, None where it is not known.

    Args:
        run: says the name of its space.
        background: has the space where the benchmark is here.
    """
    if background.benchmark is not None:
        return background.benchmark.space
    return BloxSpace() if run.facts.space == "blox" else None


def _small(benchmark: Benchmark) -> bool:
    return benchmark.space.listable


def _task(benchmark: Benchmark, device: Device | None, run: Run) -> tuple[Task | None, list[str]]:
    """The problem of a run, for its candidates; None and the reason where that is not possible."""
    names = ("val_acc",) if device is None else ("val_acc", "latency_ms")
    limits = run.facts.constraints
    try:
        task = Task.of(benchmark, device, None, objectives=names, constraints=limits)
        task.candidates  # noqa: B018 (raises where there is none)
    except (ValueError, TypeError) as error:
        return None, [f"What keeps to the constraints is not known here: {error}"]
    return task, []


def _load(
    load: Callable[[str], Loaded], kind: str, name: str, checksum: str | None
) -> tuple[Loaded | None, list[str]]:
    """Load a benchmark or device; None and the reason where that is not possible."""
    if registry.is_code(kind, name):
        return None, [f"The {kind} {name} is code and not a registered name: not loaded."]
    try:
        found = load(name)
    except (ValueError, TypeError, ImportError, OSError) as error:
        return None, [f"The {kind} {name} could not be loaded: {error}"]
    if found.checksum() != checksum:
        return None, [f"The {kind} {name} holds other data here than the runs used: not shown."]
    return found, []
