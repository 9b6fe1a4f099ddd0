"""Measure devices of one GPU in about a minute; ``build_gpu.py`` makes their files elsewhere.

    python perf/measure_gpu.py --out FOLDER --seconds 65             where the GPU is
    python perf/measure_gpu.py --out FOLDER --seconds 20 --retest    again, in another process
    python perf/measure_gpu.py --found FILE --seconds 40             networks of export_latency.py

Needs torch for CUDA, and of this package what has no extra. The devices are measured in the order
of :data:`DEVICES`, each with as many networks as its share of the time allows: a few visits
beforehand say what one costs. What the time cuts off is left out of ``plan.json``.
``FOLDER/gpu.tgz`` holds all raw folders and what was printed; it is written after every device.
"""

from __future__ import annotations

import argparse
import gc
import json
import re
import tarfile
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from build_gpu import write_visits  # type: ignore[import-not-found]  # stands beside this script

from blox_env.devices.measure import choose_rows, measure, read_visits
from blox_env.devices.protocol import Protocol
from blox_env.devices.runtimes.onnx_export import normal_input
from blox_env.devices.runtimes.torch_cuda import TorchCuda
from blox_env.ground.files import write_atomic
from blox_env.ground.progress import Track
from blox_env.ground.typing import IntArray
from blox_env.spaces import BloxSpace, SearchSpace

PACKED = "gpu.tgz"
SEED = 0
UNIFORM = 45  # networks of three equal blocks, the first of every choice
MOST = 240  # networks, at most
BUILDING = 0.2  # share of the time for building the networks, at most
PILOT = 8  # visits that say what a visit costs, by their median: the first ones load libraries
CAUTION = 0.95  # of a device's time, what the visits are planned to take
LATER = 1.25  # how far a device may exceed its time before it is cut off
NETWORK = {"width": 32, "classes": 100}
FAST = Protocol(rounds=2, runs=20, min_warmup=10, max_warmup=30, tries=1)
SLOW = Protocol(rounds=2, runs=12, min_warmup=6, max_warmup=16, tries=1)


@dataclass(frozen=True)
class Wanted:
    """A device to measure: settings of the runtime, batch, protocol, share of the time."""

    mode: str
    precision: str
    batch: int
    protocol: Protocol
    share: float


DEVICES = {
    "torch-graph": Wanted("graph", "float32", 1, FAST, 0.3),
    "torch-eager": Wanted("eager", "float32", 1, SLOW, 0.28),
    "torch-graph-b64": Wanted("graph", "bfloat16", 64, SLOW, 0.24),
    "torch-graph-bf16": Wanted("graph", "bfloat16", 1, FAST, 0.18),
}


class Prebuilt(TorchCuda):
    """Networks are built once; every visit moves one to the GPU afresh.

    Args:
        networks: that were built, by row; more are added.
        precision: as of the runtime.
        mode: as of the runtime.
    """

    def __init__(
        self, networks: dict[tuple[int, ...], Any], precision: str, mode: str = "eager"
    ) -> None:
        super().__init__(precision, mode)
        self.networks = networks

    def build(self, space: SearchSpace, row: Any, *, seed: int, **network: Any) -> Any:
        """The network of ``row`` in the memory of the CPU.

        Args:
            space: that builds networks.
            row: one architecture ``(slots,)``.
            seed: of the weights.
            network: arguments of ``space.build_network``.
        """
        key = tuple(int(v) for v in row)
        if key not in self.networks:
            self.networks[key] = super().build(space, row, seed=seed, **network)
        return self.networks[key].cpu()


class Log:
    """Prints lines with the seconds since the start, and keeps them.

    Args:
        started: when the script began, by the monotonic clock.
    """

    def __init__(self, started: float) -> None:
        self.started, self.lines = started, list[str]()

    def __call__(self, text: str) -> None:
        """Print a line and keep it."""
        self.lines.append(f"{time.monotonic() - self.started:6.1f} s  {text}")
        print(self.lines[-1], flush=True)


def main() -> None:
    """Measure within the time."""
    started = time.monotonic()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("devices", nargs="*", help="all if not given")
    parser.add_argument("--out", type=Path, default=Path("runs/gpu"), help=f"gets {PACKED}")
    parser.add_argument("--raw", type=Path, default=Path("runs/gpu"), help="folder of raw visits")
    parser.add_argument("--seconds", type=float, default=85, help="time in all")
    parser.add_argument("--prefix", help="of the devices' names, the GPU's own name if not given")
    parser.add_argument("--retest", type=int, nargs="?", const=40, help="drawn networks, again")
    parser.add_argument("--found", type=Path, metavar="FILE", help="networks by device, as JSON")
    options = parser.parse_args()
    occasion = "found" if options.found else "retest" if options.retest else "first"
    found = json.loads(options.found.read_text()) if options.found else {}
    log = Log(started)
    folder = options.raw / occasion
    folder.mkdir(parents=True, exist_ok=True)
    for name in measure_all(
        folder, started + options.seconds, log, prefix=options.prefix, retest=options.retest,
        found=found, names=options.devices,
    ):  # fmt: skip
        write_atomic(folder / "log.txt", "\n".join([*log.lines, ""]).encode())
        pack(options.raw, options.out / PACKED)
        log(f"{name} packed")


def measure_all(
    folder: Path, end: float, log: Log, *, prefix: str | None = None, retest: int | None = None,
    found: dict[str, list[list[int]]] | None = None, names: Sequence[str] = (),
) -> Iterator[str]:  # fmt: skip
    """Measure device after device until ``end``; gives each name when it is done.

    Args:
        folder: gets a raw folder a device.
        end: by the monotonic clock.
        log: told what happens.
        prefix: of the names.
        retest: measure that many networks, of those that are drawn.
        found: networks by device, to measure these.
        names: of the devices to measure; all of them if empty.
    """
    networks: dict[tuple[int, ...], Any] = {}
    first = Prebuilt(networks, "float32")
    gpu = first.settings()["gpu"]
    prefix = prefix or short_name(gpu)
    log(f"{gpu}, named {prefix}; {first.versions()}")
    space = BloxSpace()
    rows = choose_rows(space, MOST, SEED)
    if retest:
        rows = rows[UNIFORM : UNIFORM + retest]
    if found:
        rows = np.unique(np.concatenate(list(found.values())), axis=0)
    until = time.monotonic() + BUILDING * (end - time.monotonic())
    for row in rows:
        first.build(space, row, seed=SEED, **NETWORK)
        if time.monotonic() > until:
            break
    rows = rows[: len(networks)]
    gc.collect()
    gc.freeze()  # the collector would walk through all these modules
    log(f"{len(rows)} networks built")
    names = [*names, *(found or {})]
    chosen = {k: wanted for k, wanted in DEVICES.items() if not names or f"{prefix}-{k}" in names}
    left = sum(wanted.share for wanted in chosen.values())
    for name, wanted in chosen.items():
        seconds = (end - time.monotonic()) * wanted.share / left
        left -= wanted.share
        runtime = Prebuilt(networks, wanted.precision, wanted.mode)
        device = f"{prefix}-{name}"
        try:
            those = np.array(found[device]) if found else rows
            measure_device(space, those, runtime, folder / device, wanted, log, (seconds, end))
        except Exception:  # noqa: BLE001 - the other devices are worth having
            log(traceback.format_exc())
        yield device


def measure_device(
    space: SearchSpace,
    rows: IntArray,
    runtime: TorchCuda,
    folder: Path,
    wanted: Wanted,
    log: Log,
    times: tuple[float, float],
) -> None:
    """Measure as many of ``rows`` as there is time for.

    Args:
        space: of the architectures.
        rows: to choose from, the first ones first.
        runtime: that runs them.
        folder: of the measurement, named like the device.
        wanted: what the device is.
        log: told what happens.
        times: seconds for this device, and when all must end by the monotonic clock.
    """
    began, (seconds, end) = time.monotonic(), times
    shape = (wanted.batch, 3, 32, 32)
    log(f"{folder.name}: off by {difference(space, rows[0], runtime, shape):.1e}")
    marks: list[float] = []

    def pilot(_title: str, steps: range) -> Iterator[int]:
        for step in steps[:PILOT]:
            marks.append(time.monotonic())
            yield step

    with tempfile.TemporaryDirectory() as scratch:
        measure(
            space, rows[-PILOT:], runtime, scratch, seed=SEED, input_shape=shape, network=NETWORK,
            force=True, protocol=wanted.protocol, track=pilot,
        )  # fmt: skip
    cost = float(np.median(np.diff([*marks, time.monotonic()])))
    left = seconds - (time.monotonic() - began)
    n = min(len(rows), int(CAUTION * left / (cost * wanted.protocol.rounds)))
    log(f"{folder.name}: {cost * 1000:.0f} ms a visit, {n} networks in {left:.0f} s")
    if n < 2:
        return
    measure(
        space, rows[:n], runtime, folder, device_name=folder.name, seed=SEED, input_shape=shape,
        network=NETWORK, force=True, protocol=wanted.protocol,
        track=track_until(min(time.monotonic() + LATER * left, end)),
    )  # fmt: skip
    log(f"{folder.name}: {settle(folder)} networks measured")


def difference(
    space: SearchSpace, row: IntArray, runtime: TorchCuda, shape: tuple[int, ...]
) -> float:
    """Largest difference of the GPU's output from that of the CPU, relative to its largest value.

    Args:
        space: of the architecture.
        row: the architecture.
        runtime: on the GPU.
        shape: of the input.
    """
    import torch

    network = runtime.build(space, row, seed=SEED, **NETWORK).float()
    with torch.inference_mode():
        expected = network(torch.from_numpy(normal_input(shape)))
    with runtime.environment():
        output: Any = runtime.load(network, shape)()
    return float((output.float().cpu() - expected).abs().max() / expected.abs().max())


def track_until(end: float) -> Track:
    """A walk through steps that stops at ``end``, by the monotonic clock."""

    def track(_title: str, steps: range) -> Iterator[int]:
        for step in steps:
            if time.monotonic() > end:
                return
            yield step

    return track


def settle(folder: Path) -> int:
    """Leave those networks in a measurement that every round visited; returns how many.

    Nothing is changed where that is all of them.
    """
    plan, visits = read_visits(folder)
    often = Counter(v["architecture"] for v in visits)
    kept = [v for v in visits if often[v["architecture"]] == plan["protocol"]["rounds"]]
    if len(kept) < plan["protocol"]["rounds"] * len(plan["architectures"]):
        write_visits(folder, plan, kept)
    return len({v["architecture"] for v in kept})


def short_name(gpu: str) -> str:
    """What devices of a GPU are called: the first word of its name that has a digit."""
    word = next((word for word in gpu.split() if re.search(r"\d", word)), gpu.split()[-1])
    return word.partition("-")[0].lower()


def pack(raw: Path, out: Path) -> None:
    """Write all below ``raw`` but packed files into one file.

    Args:
        raw: folder of both occasions.
        out: the file.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(out, "w:gz") as tar:
        for path in sorted(raw.rglob("*")):
            if path.is_file() and path.name != PACKED:
                tar.add(path, path.relative_to(raw))


if __name__ == "__main__":
    main()
