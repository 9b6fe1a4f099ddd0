"""NATS-Bench's topology space with latencies of HW-NAS-Bench.

The files here are made up, in the layout of the official ones, and of few cells. With the official
ones, which you download, the same is
``blox-env import NATS-tss-v1_0-3ffb9-simple HW-NAS-Bench-v1_0.pickle --out stores/nats``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import blox_env
from blox_env.importers.importing import import_files
from blox_env.importers.made_up_nats import write_hw, write_nats


def main() -> None:
    """Import files of both together, ask for trainings, and search what is there."""
    space, rng = blox_env.NatsTopologySpace(), np.random.default_rng(0)
    x = rng.permutation(space.all())[:40]
    with tempfile.TemporaryDirectory() as folder:
        nats, hw = Path(folder, "NATS-tss-v1_0-3ffb9-simple"), Path(folder, "HW-NAS-Bench.pickle")
        store = Path(folder, "store")
        write_nats(nats, x, rng)
        write_hw(hw, x, rng)
        report = import_files([nats, hw], store)
        print(*report.found, *report.notes, sep="\n")

        benchmark = blox_env.load_benchmark(str(store))
        print(space.describe(x[0]), benchmark.evaluate(x[0], seed=777).val_acc)
        edgegpu = str(store / "devices" / "edgegpu")
        problem = blox_env.Problem(benchmark, edgegpu, budget=30)
        print(problem)
        history = blox_env.search(problem, "regularized-evolution", seed=0)
        print(history.best.text, f"{history.best.latency_ms:.2f} ms on edgegpu")


if __name__ == "__main__":
    main()
