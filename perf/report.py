"""How long a report over 100,000 trials takes, and how much memory.

    python perf/report.py [--runs 200] [--trials 500] [--keep FOLDER]

Writes made-up run files, which say so in their names of agents, on two problems with five agents,
builds the report in a process of its own, and prints its seconds, its largest resident memory, and
the size of what it wrote. Starting Python and importing everything counts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import blox_env
from blox_env.benchmarks.base import load_benchmark
from blox_env.devices.base import load_device
from blox_env.experiment.facts import Facts
from blox_env.experiment.results import encode_run, write_run
from blox_env.problem import Problem

AGENTS = tuple(f"made-up-{name}" for name in ("a", "b", "c", "d", "e"))
DEVICES = ("x86-ort-1t", None)


def write_runs(folder: Path, runs: int, trials: int) -> None:
    """Made-up run files: random architectures, those of later agents picked from more."""
    benchmark, device = load_benchmark("digits"), load_device("x86-ort-1t")
    optima = {name: Problem("digits", name).optimum()[1] for name in DEVICES}
    for number in range(runs):
        rng = np.random.default_rng([7, number])
        name = DEVICES[number % 2]
        agent = AGENTS[number // 2 % len(AGENTS)]
        problem = Problem(benchmark, None if name is None else device, budget=trials)
        assert problem.history is not None
        pool = problem.space.sample(rng, trials * (1 + AGENTS.index(agent)))
        order = np.argsort(-problem.peek(pool).reward + rng.normal(0, 0.05, len(pool)))
        chosen = pool[order[: 2 * trials]]
        problem.evaluate(rng.permutation(chosen))
        best = problem.history.best.row
        facts = Facts(
            agent=agent,
            benchmark="digits",
            device=name,
            space=problem.space.name,
            reward=problem.reward_name,
            latency_target_ms=None if name is None else problem.latency_target_ms,
            budget=trials,
            max_queries=problem.max_queries,
            epochs=benchmark.epochs,
            repeat=number // 2 // len(AGENTS),
            seed=number,
            version=blox_env.__version__,
            checksums={
                "benchmark": benchmark.checksum(),
                "device": None if name is None else device.checksum(),
            },
            best=best,
            test_acc=float(problem.test_acc(problem.history.x[best])[0]),
            queries=problem.queries,
            optimum=optima[name],
        )
        meta = {
            "wall_s": 0.01 * trials,
            "trial_wall_s": (0.01 * np.arange(1, len(problem.history) + 1)).tolist(),
        }
        path = folder / "runs" / f"{agent}__{name}__{number:03d}.parquet"
        write_run(path, encode_run(problem.history, facts), meta)


def measure(folder: Path) -> tuple[float, float]:
    """Seconds and MiB of ``blox-env report`` in a process of its own."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "blox_env", "report", str(folder)], stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status:
        raise SystemExit(f"the report failed with status {status}")
    kib = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    print(f"processor time: {usage.ru_utime + usage.ru_stime:.1f} s")
    return seconds, kib / 1024


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--keep", type=Path, help="where to leave the made-up runs and the report")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        write_runs(folder, arguments.runs, arguments.trials)
        seconds, mib = measure(folder)
        page = (folder / "report.html").stat().st_size
        written = {p.suffix for p in folder.glob("figures/*")}
        count = len(list(folder.glob("figures/*.svg")))
    shown = {"runs": arguments.runs, "trials a run": arguments.trials}
    print(f"made-up runs: {json.dumps(shown)}, {arguments.runs * arguments.trials:,} trials")
    print(f"report: {seconds:.1f} s, at most {mib:.0f} MiB of memory")
    print(f"page: {page / 2**20:.1f} MiB; {count} figures as {', '.join(sorted(written))}")


if __name__ == "__main__":
    main()
