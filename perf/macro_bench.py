"""How soon searches find the best network of NAS-Bench-Macro.

    python perf/macro_bench.py PATH/nas-bench-macro_cifar10.json --seeds 200

Regret is in percent of accuracy (the mean of three trainings), 0 at the optimum.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from blox_env import Problem, search
from blox_env.benchmarks.imported import ReleaseBenchmark
from blox_env.importers.importing import import_files

BUDGET = 400
AT = (50, 100, 150, 200)
AGENTS = {
    "random-search": {},
    "regularized-evolution": {"population": 50, "sample": 10},
}


def main() -> None:
    """Import the file, run the searches, print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="NAS-Bench-Macro's JSON file")
    parser.add_argument("--seeds", type=int, default=200, help="searches of each agent")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        import_files(options.file, Path(folder) / "store")
        benchmark = ReleaseBenchmark(Path(folder) / "store")
        every = 100 * benchmark.evaluate(benchmark.space.all()).val_acc
        print(f"{len(every)} networks, mean accuracy {every.min():.3f} to {every.max():.3f}")
        head = " | ".join(f"regret at {n}" for n in AT)
        print(f"\n| agent | evaluations to the optimum, median | {head} |")
        print("| --- |" + " --- |" * (1 + len(AT)))
        for agent, settings in AGENTS.items():
            taken, regrets = [], []
            for seed in range(options.seeds):
                problem = Problem(benchmark, None, budget=BUDGET)
                history = search(problem, agent, seed=seed, options=settings)
                regret = every.max() - 100 * np.maximum.accumulate(history.val_acc)
                found = np.flatnonzero(regret < 1e-9)
                taken.append(found[0] + 1 if len(found) else np.inf)
                regrets.append([regret[n - 1] for n in AT])
            median = np.median(taken)
            when = f"{median:.0f}" if np.isfinite(median) else f"over {BUDGET}"
            cells = " | ".join(f"{value:.3f}" for value in np.median(regrets, axis=0))
            print(f"| {agent} | {when} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
