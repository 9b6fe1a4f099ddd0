"""Timings of your board from a CSV file: a device with predicted latencies of all other networks.

The command does the same: ``blox-env measure --from timings.csv --build runs/pi4``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import blox_env
from blox_env.devices.doubt import doubt
from blox_env.importers.timings import device_from_table


def write_timings(path: Path) -> None:
    """Made-up timings: three of 25 networks, a board four times as slow as an embedded device."""
    rng, space = np.random.default_rng(0), blox_env.BloxSpace()
    x = space.sample(rng, 25)
    usual = 4 * blox_env.load_device("x86-torch-1t").latency_ms(x)
    lines = ["architecture,latency_ms:pi4"]
    for _ in range(3):
        times = usual * rng.lognormal(0, 0.02, len(x))
        for row, ms in zip(x.tolist(), times.tolist(), strict=True):
            lines.append(f"{'-'.join(map(str, row))},{ms:.3f}")
    path.write_text("\n".join(lines), encoding="utf-8")


def main() -> None:
    """Make a device of timings, look how good it is, and search for it."""
    with tempfile.TemporaryDirectory() as folder:
        timings, build = Path(folder, "timings.csv"), Path(folder, "pi4")
        write_timings(timings)
        pi4 = device_from_table(timings, build, priors=["x86-torch-1t", "x86-ort-1t"])
        held = pi4.card["predictor"]["held_out"]
        print(f"held out: error {held['mape']:.1%}, Spearman {held['spearman']:.3f}")
        print("warning:", doubt(pi4.card))  # None where it can be relied on
        problem = blox_env.Problem("cifar10", str(build), budget=100)
        history = blox_env.search(problem, "regularized-evolution", seed=0)
        print("best:", history.best.text, f"{history.best.latency_ms:.1f} ms on pi4")


if __name__ == "__main__":
    main()
