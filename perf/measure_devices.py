"""Measures the embedded devices on this machine and builds their files and cards.

    python perf/measure_devices.py                     all of them, one after the other
    python perf/measure_devices.py x86-torch-1t        one
    python perf/measure_devices.py --retest            200 networks of each, on another occasion
    python perf/measure_devices.py --build             their files below blox_env/data/devices

Each step goes on where it was stopped. Took about two hours in all.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import blox_env
from blox_env.cli.views.progress import tracked
from blox_env.devices.build import add_retest, build_device
from blox_env.devices.measure import run_measurement
from blox_env.devices.protocol import Protocol
from blox_env.ground.typing import IntArray
from blox_env.spaces.blox import BloxSpace

RAW = Path("runs/devices")
DATA = Path(__file__).resolve().parents[1] / "blox_env" / "data" / "devices"
SEED = 0
RETESTED = 200
SLOW = Protocol(rounds=4, runs=8, min_warmup=4, max_warmup=8)
USUAL = Protocol(rounds=4)

# in the order in which they are built: those before help to predict the networks that were not
# measured; what n and seed do not say is as in the others. "fronts" names benchmarks, and how far
# below their front on the device (as it is known so far) an accuracy may lie to be measured as well
INT8, TORCH = ("x86-ort-int8-1t",), ("x86-ort-int8-1t", "x86-torch-1t")
BATCH = (*TORCH, "x86-ort-b16-1t")
DEVICES: dict[str, dict[str, Any]] = {
    "x86-ort-int8-1t": {
        "runtime": "onnxruntime",
        "precision": "int8",
        "protocol": Protocol(rounds=6),
        "fronts": {"cifar10": 0.002, "digits": 0.001},
    },
    "x86-torch-1t": {
        "runtime": "torch-cpu",
        "protocol": Protocol(rounds=4, runs=20),
        "priors": INT8,
    },
    "x86-ort-b16-1t": {
        "runtime": "onnxruntime",
        "batch": 16,
        "n": 300,
        "protocol": SLOW,
        "priors": TORCH,
    },
    "x86-openvino-1t": {"runtime": "openvino", "protocol": USUAL, "priors": BATCH},
    "x86-ort-1t": {
        "runtime": "onnxruntime",
        "protocol": Protocol(rounds=6),
        "priors": (*BATCH, "x86-openvino-1t"),
    },
    "x86-chromium-wasm-1t": {
        "runtime": "onnxruntime-web",
        "n": 120,
        "seed": 18,
        "retested": 75,
        "protocol": Protocol(rounds=6, runs=20),
        "priors": (*TORCH, "x86-openvino-1t", "x86-ort-1t"),
    },
    "x86-ncnn-1t": {
        "runtime": "ncnn",
        "n": 150,
        "seed": 18,
        "retested": 75,
        "protocol": Protocol(rounds=6),
        "priors": (*TORCH, "x86-openvino-1t", "x86-ort-1t"),
    },
}


def main() -> None:
    """Measure, measure again, or build."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("devices", nargs="*", metavar="DEVICE", help=f"of {', '.join(DEVICES)}")
    parser.add_argument("--retest", action="store_true", help="measure 200 networks again")
    parser.add_argument("--build", action="store_true", help="write the devices")
    parser.add_argument("--force", action="store_true", help="on a busy machine, too")
    options = parser.parse_args()
    for name in options.devices or DEVICES:
        if name not in DEVICES:
            parser.error(f"unknown device {name!r}, expected one of {', '.join(DEVICES)}")
        first, second = RAW / name / "first", RAW / name / "retest"
        settings = {"n": 640, "seed": SEED, **DEVICES[name]}
        retested = settings.pop("retested", RETESTED)
        fronts = settings.pop("fronts", {})
        priors = [blox_env.load_device(prior) for prior in settings.pop("priors", ())]
        if options.build:
            # a device keeps its visits: without new ones its card is written anew from these
            source = first if first.exists() else DATA / name
            device = build_device(source, DATA / name, priors=priors)
            print(device, device.card["predictor"]["held_out"], device.card["noise"]["retest"])
            if second.exists():
                print("another occasion:", add_retest(DATA / name, second))
            continue
        if options.retest:
            settings |= {"n": retested, "protocol": retest_protocol(settings["protocol"])}
        elif fronts:
            settings["also"] = near_fronts(name, fronts)
        folder = second if options.retest else first
        print(f"{name}: {folder}", flush=True)
        with tracked() as track:
            run_measurement(name, out=folder, force=options.force, track=track, **settings)


def near_fronts(device: str, fronts: dict[str, float]) -> IntArray:
    """Architectures on or near accuracy-latency fronts, ``(m, 3)``.

    Args:
        device: its name; its latencies are those known so far.
        fronts: by benchmark, the largest distance below the front, in accuracy.
    """
    rows = BloxSpace().all()
    latency = blox_env.load_device(device).latency_ms(rows)
    near = np.zeros(len(rows), dtype=bool)
    for benchmark, distance in fronts.items():
        accuracy = blox_env.load_benchmark(benchmark).evaluate(rows).val_acc
        order = np.lexsort((-accuracy, latency))
        near[order] |= np.maximum.accumulate(accuracy[order]) - accuracy[order] <= distance
    return rows[near]


def retest_protocol(protocol: Protocol) -> Protocol:
    """The same, with four rounds, or two where an inference is slow."""
    return Protocol(
        rounds=2 if protocol == SLOW else 4,
        runs=protocol.runs,
        min_warmup=protocol.min_warmup,
        max_warmup=protocol.max_warmup,
    )


if __name__ == "__main__":
    main()
