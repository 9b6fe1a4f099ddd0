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
    """Import files of both, ask for trainings and latencies, and search a whole table."""
    space, rng = blox_env.NatsTopologySpace(), np.random.default_rng(0)
    x = space.all()
    some = rng.permutation(x)[:10]
    with tempfile.TemporaryDirectory() as folder:
        nats, hw = Path(folder, "NATS-tss-v1_0-3ffb9-simple"), Path(folder, "HW-NAS-Bench.pickle")
        write_nats(nats, some, rng)
        write_hw(hw, x, rng, devices=("edgegpu",), datasets=("cifar10",))
        report = import_files([nats, hw], Path(folder, "few"))
        print(*report.found, *report.missing, sep="\n")
        benchmark = blox_env.load_benchmark(str(Path(folder, "few")))
        print(space.describe(some[0]), benchmark.evaluate(some[0], seed=777).val_acc)

        # A search wants all cells: here from a table, with the official files from these.
        table = Path(folder, "cells.csv")
        cells = zip(space.to_strings(x), (0.5 + x.sum(axis=1) / 60).tolist(), strict=True)
        table.write_text("\n".join(["architecture,val_acc", *(f"{c},{acc}" for c, acc in cells)]))
        import_files([table, hw], Path(folder, "all"))
        edgegpu = str(Path(folder, "all", "devices", "edgegpu"))
        problem = blox_env.Problem(str(Path(folder, "all")), edgegpu, budget=200)
        history = blox_env.search(problem, "regularized-evolution", seed=0)
        best = history.best()
        print(space.describe(history.x[best]), f"{history.latency_ms[best]:.2f} ms on edgegpu")


if __name__ == "__main__":
    main()
