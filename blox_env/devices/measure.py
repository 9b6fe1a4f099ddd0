"""Measuring networks on the machine at hand, so that its noise and drift hit all of them alike.

Protocol. The measurement keeps to as many cores as there are threads. Every network is exported
once. A *round* visits every network once, in an order of its own; a *visit* loads the network
afresh, runs it until its times are stable, then times single inferences. A visit during which other
processes use those cores is made again. A network is thus measured on as many occasions as there
are rounds, minutes apart and between ever different neighbours. What is kept of a visit are a few
quantiles, one line of JSON; :mod:`blox_env.devices.build` makes latencies of them.

A folder of measurements holds ``plan.json`` (written once: what is measured and how), ``models/``
(exported networks, removed at the end) and ``visits.jsonl``. A run that was killed at any point
goes on where it stood when it is called again with the same arguments.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from blox_env.devices.base import Device
from blox_env.devices.estimators.few_shot import choose_networks
from blox_env.devices.machine import (
    OthersClock,
    choose_cores,
    load_average,
    machine,
    pinned,
    watch_others,
)
from blox_env.devices.protocol import STATISTICS, Protocol, time_network
from blox_env.devices.runtimes import Runtime, load_runtime
from blox_env.ground.errors import check_positive_int
from blox_env.ground.files import sync_folder, write_atomic
from blox_env.ground.progress import Track, untracked
from blox_env.ground.typing import IntArray
from blox_env.spaces.base import SearchSpace
from blox_env.spaces.blox import BloxSpace

SCHEMA = 2
BUSY_CORES = 0.25  # a measurement does not start when others use more than this of its cores
DRAWN = 640  # at a time, so that a smaller choice of networks is the start of a larger one


class BusyMachineError(RuntimeError):
    """Other processes use the processor: what would be measured is not the networks alone."""


def run_measurement(
    device_name: str = "this-machine",
    n: int = 640,
    out: str | os.PathLike[str] = "runs/measure",
    seed: int = 0,
    *,
    runtime: str = "onnxruntime",
    batch: int = 1,
    priors: Sequence[Device] = (),
    force: bool = False,
    protocol: Protocol | None = None,
    track: Track = untracked,
    space: SearchSpace | None = None,
    also: ArrayLike | None = None,
    **settings: Any,
) -> Path:
    """Measure ``n`` full-size CIFAR-100 networks; returns the folder ``out``.

    Args:
        device_name: what the device will be called.
        n: number of networks; in a space that can be listed those of equal blocks come first, so at
            least 45, unless there are ``priors``.
        out: folder of the measurement; one that was begun there is continued.
        seed: of the choice and the order of networks and of their weights.
        runtime: name of the runtime, or ``"module:Class"``.
        batch: images an inference; the latency is that of the whole batch.
        priors: known devices, by which the networks are chosen: few are enough then
            (:mod:`blox_env.devices.estimators.few_shot`).
        force: measure although the machine is busy.
        protocol: how networks are visited.
        track: walks through the networks and shows how far it is.
        space: of the networks, Blox if not given.
        also: further architectures ``(m, slots)``, measured beside the ``n`` (those of a front,
            say); what is among the ``n`` already is not measured twice.
        settings: of the runtime: ``threads``, ``precision``.

    Raises:
        BusyMachineError: other processes use the processor and ``force`` is not set.
        ValueError: ``out`` holds a measurement with other arguments.
    """
    space = BloxSpace() if space is None else space
    rows = choose_networks(space, n, priors, seed=seed) if priors else choose_rows(space, n, seed)
    if also is not None:
        more = np.concatenate([rows, space.check(also)])
        _, first = np.unique(more, axis=0, return_index=True)
        rows = more[np.sort(first)]
    return measure(
        space,
        rows,
        load_runtime(runtime, **settings),
        Path(out),
        device_name=device_name,
        seed=seed,
        force=force,
        protocol=protocol,
        input_shape=(check_positive_int("batch", batch), 3, 32, 32),
        track=track,
    )


def choose_rows(space: SearchSpace, n: int, seed: int) -> IntArray:
    """``n`` distinct architectures: first those of equal options, then uniformly drawn ones.

    The first ``m`` of them are those that ``choose_rows(space, m, seed)`` gives. In a space too
    large to be listed all are drawn: those of equal options would not be like any other.

    Args:
        space: to choose from.
        n: how many.
        seed: of the draw.

    Raises:
        ValueError: when ``n`` is less than the number of options or more than the space has.
    """
    if not space.listable:
        check_positive_int("n", n)
        rng, found = np.random.default_rng(seed), dict[tuple[int, ...], None]()
        while len(found) < n:
            found.update(dict.fromkeys(map(tuple, space.sample(rng, DRAWN).tolist())))
        return np.array(list(found)[:n])
    equal = min(space.options)
    if not equal <= check_positive_int("n", n) <= space.size:
        raise ValueError(f"n must be in {equal} … {space.size}, got {n}")
    first = np.repeat(np.arange(equal)[:, None], space.slots, axis=1)
    rng = np.random.default_rng(seed)
    numbers = dict.fromkeys(space.index(first).tolist())
    while len(numbers) < n:
        numbers.update(dict.fromkeys(space.index(space.sample(rng, DRAWN)).tolist()))
    return space.from_index(np.array(list(numbers)[:n]))


def measure(
    space: SearchSpace,
    rows: ArrayLike,
    runtime: Runtime,
    out: str | os.PathLike[str],
    *,
    device_name: str = "this-machine",
    seed: int = 0,
    protocol: Protocol | None = None,
    input_shape: tuple[int, ...] = (1, 3, 32, 32),
    network: dict[str, int] | None = None,
    force: bool = False,
    track: Track = untracked,
    other_load: Callable[[], float] | None = None,
) -> Path:
    """Visit every architecture of ``rows`` in every round; returns the folder ``out``.

    Args:
        space: what the rows belong to.
        rows: distinct architectures ``(n, slots)``.
        runtime: what runs them.
        out: folder of the measurement; one that was begun there is continued.
        device_name: what the device will be called.
        seed: of the orders of the rounds and of the networks' weights.
        protocol: how networks are visited.
        input_shape: shape of the one input; its first number is the batch size.
        network: arguments of ``space.build_network``, ``{"width": 32, "classes": 100}`` by default.
        force: measure although the machine is busy.
        track: walks through the networks and shows how far it is.
        other_load: gives the cores in use by other processes, of those that the measurement keeps
            to; by default they are watched for 2 s.

    Raises:
        BusyMachineError: other processes use the processor and ``force`` is not set.
        ValueError: ``rows`` has duplicates, or ``out`` holds another measurement.
    """
    protocol = protocol or Protocol()
    architectures = space.check(rows)
    if not len(architectures) or len(np.unique(architectures, axis=0)) < len(architectures):
        raise ValueError(
            "rows must be distinct architectures, at least one, got duplicates or none"
        )
    # where there are no numbers, a network is called by its place in the list
    numbers = space.index(architectures) if space.listable else np.arange(len(architectures))
    folder = Path(out)
    cores = choose_cores(runtime.threads) if runtime.on_cpu else ()
    network = {"width": 32, "classes": 100} if network is None else network
    plan = {
        "schema": SCHEMA,
        "device": device_name,
        "space": space.name,
        "options": list(space.options),
        "seed": seed,
        "input_shape": list(input_shape),
        "network": network,
        "protocol": asdict(protocol),
        "statistics": list(STATISTICS),
        "runtime": {
            "name": runtime.name,
            "versions": runtime.versions(),
            "settings": runtime.settings(),
        },
        "machine": machine(),
        "pinned_to_cores": len(cores),
        "architectures": numbers.tolist(),
        **({} if space.listable else {"rows": architectures.tolist()}),
    }
    begun = (folder / "plan.json").exists()
    if begun:
        _settle_plan(folder, plan)
    done = _visited(folder) if begun else set()
    if len(done) < len(numbers) * protocol.rounds:
        used = 0.0 if force else other_load() if other_load else watch_others(cores=cores)
        if used > BUSY_CORES:
            raise BusyMachineError(
                f"other processes use {used:.2f} of the {len(cores) or 'machine'} cores that the "
                f"measurement keeps to, expected at most {BUSY_CORES}: wait until they are quiet, "
                "or pass force=True (--force)"
            )
        _settle_plan(folder, plan)  # nothing is left behind where the machine is busy
        if runtime.exports:
            for i in track("export", range(len(numbers))):
                path = _model_path(folder, int(numbers[i]))
                if not path.exists():
                    built = runtime.build(space, architectures[i], seed=seed, **network)
                    write_atomic(path, runtime.export(built, input_shape))

        def model(i: int) -> Any:
            if runtime.exports:
                return _model_path(folder, int(numbers[i])).read_bytes()
            return runtime.build(space, architectures[i], seed=seed, **network)

        with pinned(cores), runtime.environment():
            others = OthersClock(cores, runtime.processor_seconds)
            visitor = _Visitor(runtime, protocol, input_shape, others)
            _visit_all(folder, numbers, visitor, model, seed, done, track)
    for number in numbers.tolist():
        _model_path(folder, number).unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # not there, or files of somebody else in it
        _model_path(folder, 0).parent.rmdir()
    return folder


def round_order(seed: int, round_number: int, n: int) -> IntArray:
    """The order in which a round visits ``n`` networks: a permutation ``(n,)``.

    Args:
        seed: of the measurement.
        round_number: counted from 0.
        n: number of networks.
    """
    return np.random.default_rng([seed, round_number]).permutation(n)


def read_visits(folder: str | os.PathLike[str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Plan and visits of a folder of measurements.

    A last line that was not finished, because the run was killed or is still going on, is left out.

    Raises:
        ValueError: names the file and the line that cannot be read.
    """
    plan_path, path = Path(folder) / "plan.json", Path(folder) / "visits.jsonl"
    if not plan_path.exists():
        raise ValueError(f"{plan_path}: expected the plan of a measurement, there is no such file")
    plan = json.loads(plan_path.read_text())
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    visits: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        try:
            visits.append(json.loads(line))
        except ValueError:
            raise ValueError(
                f"{path}, line {number}: expected a visit as JSON, got {line[:60]!r}"
            ) from None
    return plan, visits


def _model_path(folder: Path, number: int) -> Path:
    return folder / "models" / f"{number}.model"


def _settle_plan(folder: Path, plan: dict[str, Any]) -> None:
    """Write the plan, or check that the one there is the same."""
    path = folder / "plan.json"
    if not path.exists():
        write_atomic(path, json.dumps(plan, indent=1).encode())
        return
    there = json.loads(path.read_text())
    for key in plan.keys() | there.keys():
        if plan.get(key) != there.get(key):
            raise ValueError(
                f"{path} belongs to another measurement: expected {key} = "
                f"{str(there.get(key))[:200]}, got {str(plan.get(key))[:200]}"
            )


def _visited(folder: Path) -> set[tuple[int, int]]:
    """(round, architecture) of every visit there; an unfinished last line is cut off."""
    path = folder / "visits.jsonl"
    if path.exists():
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.truncate(path, whole)
    _, visits = read_visits(folder)
    return {(v["round"], v["architecture"]) for v in visits}


@dataclass(frozen=True)
class _Visitor:
    """Makes one visit: again, when others disturbed it."""

    runtime: Runtime
    protocol: Protocol
    input_shape: tuple[int, ...]
    others: OthersClock

    def __call__(self, model: Callable[[], Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        others, tries = np.inf, 0
        while others > self.protocol.disturbed and tries < self.protocol.tries:  # NaN: not known
            tries += 1
            run = self.runtime.load(model(), self.input_shape)
            self.others()
            timing = time_network(run, self.protocol, self.runtime.timed)
            others = self.others()
            if not kept or others < kept["others"]:
                kept = {
                    "warmup": timing.warmup,
                    "outliers": timing.outliers,
                    "others": round(others, 3),
                    "ms": [round(float(v), 5) for v in timing.ms],
                }
        return {**kept, "tries": tries}


def _visit_all(
    folder: Path,
    numbers: IntArray,
    visitor: _Visitor,
    model: Callable[[int], Any],
    seed: int,
    done: set[tuple[int, int]],
    track: Track,
) -> None:
    started = int(time.time())  # names this run: a pause between runs may shift all latencies
    with (folder / "visits.jsonl").open("ab", buffering=0) as file:
        for step in track("measure", range(visitor.protocol.rounds * len(numbers))):
            round_number, position = divmod(step, len(numbers))
            i = int(round_order(seed, round_number, len(numbers))[position])
            number = int(numbers[i])
            if (round_number, number) in done:
                continue
            made = visitor(partial(model, i))
            line = {
                "architecture": number,
                "round": round_number,
                "position": position,
                "run": started,
                "time": round(time.time(), 2),
                "load": round(load_average(), 2),
                **made,
            }
            file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        os.fsync(file.fileno())
    sync_folder(folder)
