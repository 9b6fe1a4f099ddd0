"""The best network for the machine at hand, in one command.

Measures a few networks here, predicts the others with the embedded devices as prior knowledge,
searches for accuracy and latency, and writes the network that was found as ONNX.

    python examples/my_device.py             # quick: ten networks, whatever else the machine does
    python examples/my_device.py --careful   # fifty networks, on a quiet machine; some minutes

The same on the command line:

    blox-env measure --budget 50 --device my-machine --out runs/raw --build runs/my-machine
    blox-env search --device runs/my-machine --export best.onnx
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.progress import track

import blox_env
from blox_env.devices.build import build_device
from blox_env.devices.measure import run_measurement
from blox_env.devices.protocol import Protocol


def main() -> None:
    """Measure, predict, search, export."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--careful", action="store_true", help="measure well, on a quiet machine")
    parser.add_argument(
        "--runtime", default="onnxruntime", help="or openvino, torch-cpu, torch-cuda"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/my-machine"), help="a folder")
    options = parser.parse_args()

    known = [blox_env.load_device(name) for name in blox_env.list_devices("blox")]
    raw = run_measurement(
        "my-machine",
        50 if options.careful else 10,
        options.out / "raw",
        runtime=options.runtime,
        priors=known,
        force=not options.careful,
        protocol=Protocol() if options.careful else Protocol(rounds=2, runs=5, max_warmup=10),
        track=lambda title, steps: track(steps, title),
    )
    device = build_device(raw, options.out / "device", priors=known)
    held = device.card["predictor"]["held_out"]
    print(
        f"{device}: held-out error {held['mape']:.1%}, Spearman {held['spearman']:.3f}; "
        f"median {device.median_ms():.2f} ms"
    )

    problem = blox_env.Problem("digits", device, budget=200)
    history = blox_env.search(problem, "regularized-evolution", seed=0)
    best = history.x[history.best.row]
    path = options.out / "best.onnx"
    blox_env.export_network(best, path, problem=problem)
    origin = "measured" if device.measured(best)[0] else "predicted"
    print(f"best: {best.tolist()}, validation accuracy {history.val_acc[history.best.row]:.3f}")
    print(f"{origin} {device.latency_ms(best)[0]:.2f} ms; {path}")


if __name__ == "__main__":
    main()
