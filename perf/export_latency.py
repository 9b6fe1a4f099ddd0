"""Do exported networks take as long as a device says? Predicted and measured, side by side.

    python perf/export_latency.py                               10 networks, device x86-ort-1t
    python perf/export_latency.py --device x86-openvino-1t      with that device's runtime

A search for accuracy and latency (nsga2, seed 0) finds networks; those on the front of what it
found are exported as ONNX files, the best ranks after them to make up the number. Each file is then
run by the device's own runtime, visited as the device was measured (rounds over all networks, the
card's protocol and statistic). A GPU elsewhere is told with ``--list FILE`` which networks they are
and measures them (``perf/measure_gpu.py --found``); ``--visits FOLDER`` says what came of it. ONNX
Runtime in float32 runs the file itself; other runtimes make their own form of the same network. On
another machine than the card's all ratios share a factor.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import moocore
import numpy as np
from scipy.stats import spearmanr

import blox_env
from blox_env.devices.build import tabulate
from blox_env.devices.embedded import MeasuredDevice
from blox_env.devices.machine import OthersClock, choose_cores, machine, pinned
from blox_env.devices.measure import read_visits
from blox_env.devices.protocol import STATISTICS, Protocol, time_network
from blox_env.devices.runtimes import Runtime, load_runtime
from blox_env.export import read_metadata
from blox_env.ground.files import write_atomic


def found_networks(device: str, n: int) -> tuple[blox_env.Problem, np.ndarray]:
    """The problem, and ``n`` distinct networks ``(n, slots)``, best Pareto ranks first."""
    objectives = ("val_acc", "latency_ms")
    problem = blox_env.Problem("digits", device, budget=max(200, n), objectives=objectives)
    history = blox_env.search(problem, "nsga2", seed=0)
    values = problem.values(problem.peek(history.x))
    rank = moocore.pareto_rank(-values)
    rows = history.x[np.lexsort((history.latency_ms, rank))[:n]]
    return problem, rows[np.argsort(problem.peek(rows).latency_ms)]


def device_runtime(card: dict[str, Any]) -> Runtime:
    """The runtime that a device was measured with, in its settings."""
    settings = card["runtime"]["settings"]
    threads = int(settings.get("intra_op_num_threads", 1))
    return load_runtime(
        card["runtime"]["name"], threads=threads, precision=settings.get("precision")
    )


def runner(
    runtime: Runtime, file: Path, row: np.ndarray, card: dict[str, Any]
) -> Callable[[], Any]:
    """One inference of an exported file, or of the same network where the runtime needs its own."""
    shape = tuple(card["input_shape"])
    if runtime.name == "onnxruntime" and runtime.precision == "float32":
        return runtime.load(file.read_bytes(), shape)
    network = runtime.build(blox_env.BloxSpace(), row, seed=0, **card["network"])
    return runtime.prepare(network, shape)


def measure_files(
    files: list[Path], rows: np.ndarray, card: dict[str, Any], rounds: int | None
) -> tuple[np.ndarray, list[float]]:
    """Visit the files as the device was measured.

    Args:
        files: of the networks.
        rows: their architectures.
        card: of the device.
        rounds: over all networks, those of the card if not given.

    Returns:
        Milliseconds ``(rounds, n)``, and the cores that others used at each visit.
    """
    protocol = Protocol(**{**card["protocol"], **({"rounds": rounds} if rounds else {})})
    runtime = device_runtime(card)
    cores = choose_cores(runtime.threads) if runtime.on_cpu else ()
    statistic = STATISTICS.index(card["statistic"]["visit"])
    visits, others = np.zeros((protocol.rounds, len(rows))), []
    with pinned(cores), runtime.environment():
        clock = OthersClock(cores, runtime.processor_seconds)
        for visited in visits:
            for number in np.random.default_rng(0).permutation(len(rows)):
                run = runner(runtime, files[number], rows[number], card)
                clock()
                visited[number] = time_network(run, protocol, runtime.timed).ms[statistic]
                others.append(clock())
    return visits, others


def visits_of(
    folder: Path, rows: np.ndarray, card: dict[str, Any]
) -> tuple[np.ndarray, list[float], str, datetime]:
    """The same from visits that were made elsewhere, on which machine, and when.

    Args:
        folder: of a measurement of these networks.
        rows: their architectures.
        card: of the device.
    """
    plan, visits = read_visits(folder)
    numbers, times, _ = tabulate(plan, visits, str(folder))
    at = {number: k for k, number in enumerate(numbers.tolist())}
    order = [at[number] for number in blox_env.BloxSpace().index(rows).tolist()]
    statistic = STATISTICS.index(card["statistic"]["visit"])
    when = datetime.fromtimestamp(min(v["time"] for v in visits), UTC)
    return times[:, order, statistic], [v["others"] for v in visits], plan["machine"]["cpu"], when


def main() -> None:
    """Export, measure, print a line a network and what they have in common."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="x86-ort-1t")
    parser.add_argument("--networks", type=int, default=10)
    parser.add_argument("--list", type=Path, metavar="FILE", help="add the networks; measure none")
    parser.add_argument("--visits", type=Path, help="folder of them, made elsewhere")
    parser.add_argument("--write", type=Path, metavar="FILE", help="add what came of it, as JSON")
    parser.add_argument("--rounds", type=int, help="those of the device's card if not given")
    options = parser.parse_args()
    problem, rows = found_networks(options.device, options.networks)
    if options.visits:  # of networks that were found when the device was listed
        rows = blox_env.BloxSpace().from_index(
            np.array(read_visits(options.visits)[0]["architectures"])
        )
        rows = rows[np.argsort(problem.peek(rows).latency_ms)]
    device = problem.device
    if not isinstance(device, MeasuredDevice):
        raise TypeError(f"expected a measured device with a card, got {device!r}")
    card = device.card
    if options.list:
        known = json.loads(options.list.read_text()) if options.list.exists() else {}
        options.list.write_text(json.dumps({**known, options.device: rows.tolist()}))
        return
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{number}.onnx" for number in range(len(rows))]
        batch, _, side, _ = card["input_shape"]
        for file, row in zip(files, rows, strict=True):
            blox_env.export_network(
                row, file, problem=problem, batch=batch, image_size=side, **card["network"]
            )
        said = [read_metadata(file) for file in files]
        if options.visits:
            visits, others, place, when = visits_of(options.visits, rows, card)
        else:
            visits, others = measure_files(files, rows, card, options.rounds)
            place, when = machine()["cpu"], datetime.now(UTC)
    measured = np.median(visits, axis=0)
    predicted = np.array([json.loads(facts["latency_ms"]) for facts in said])
    ratio = measured / predicted
    print(f"{device.name}: {card['runtime']['name']}, {card['machine']['cpu']}; here {place}")
    print(f"{'architecture':14} {'file says':>18} {'measured here':>14} {'ratio':>7}")
    for facts, there, here, r in zip(said, predicted, measured, ratio, strict=True):
        source = f"{there:.3f} ms {facts['latency_source']}"
        print(f"{facts['arch']:14} {source:>18} {here:11.3f} ms {r:7.3f}")
    middle = float(np.median(ratio))
    found = {
        "networks": len(rows),
        "shared": middle,
        "error": float(np.mean(abs(ratio / middle - 1))),
        "spearman": float(spearmanr(measured, predicted).statistic),
        "range": float(predicted.max() / predicted.min()),
        "others": float(np.mean(others)),
    }
    print(
        f"ratio: median {middle:.3f}, from {ratio.min():.3f} to {ratio.max():.3f}, on average "
        f"{found['error']:.1%} from its median; Spearman {found['spearman']:.3f}; others used "
        f"{found['others']:.2f} of the measurement's cores"
    )
    if options.write:
        known = json.loads(options.write.read_text()) if options.write.exists() else {}
        known[device.name] = {**found, "when": f"{when:%Y-%m-%d}", "device": device.checksum()}
        write_atomic(options.write, (json.dumps(known, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
