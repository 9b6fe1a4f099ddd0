"""DARTS cells by the imported network of NAS-Bench-301, against look-ups in a table.

    python perf/darts_speed.py ../shared/reference/yahpo-nb301

Predictions a second, and steps a second of 4,096 environments on the model and on the default
table, in turns. Seconds are those of the processor, of one core, so that other work on the machine
counts little; the ratios are of rounds that took turns.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

import blox_env
from blox_env.importers.importing import import_files

ENVS = 4096
ROUND_S = 1.0  # of the processor


class Stepping:
    """A vector environment and random allowed actions."""

    def __init__(self, name: str, **arguments: Any) -> None:
        self.env = gym.make_vec(
            f"blox_env/{name}",
            num_envs=ENVS,
            vectorization_mode="vector_entry_point",
            autoreset_mode="SameStep",
            observation="indices",
            **arguments,
        )
        self.env.reset(seed=0)
        rng = np.random.default_rng(0)
        counts = blox_env.DartsSpace().options if name.startswith("Darts") else (45,) * 3
        self.actions = [rng.integers(0, count, ENVS) for count in counts]
        self.episode()

    def episode(self) -> None:
        """One of every environment."""
        for action in self.actions:
            self.env.step(action)

    def rate(self) -> float:
        """Steps a second of one round."""
        start, steps = time.process_time(), 0
        while time.process_time() - start < ROUND_S:
            self.episode()
            steps += ENVS * len(self.actions)
        return steps / (time.process_time() - start)


def predictions(benchmark: Any) -> float:
    """Predictions a second of one round, each time of other cells."""
    rng, start, count = np.random.default_rng(0), time.process_time(), 0
    spent = 0.0
    while spent < ROUND_S:
        rows = benchmark.space.sample(rng, 2 * ENVS)
        start = time.process_time()
        benchmark.evaluate(rows)
        spent += time.process_time() - start
        count += len(rows)
    return count / spent


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="YAHPO Gym's folder nb301")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        import_files(arguments.folder, Path(place) / "store")
        benchmark = blox_env.load_benchmark(str(Path(place) / "store"))
        darts, table = Stepping("Darts-v0", benchmark=benchmark), Stepping("Blox-v0")
        rounds = [
            (predictions(benchmark), darts.rate(), table.rate()) for _ in range(arguments.rounds)
        ]
        asked, on_model, on_table = (
            statistics.median(column) for column in zip(*rounds, strict=True)
        )
        ratios = sorted(looked / modelled for _, modelled, looked in rounds)
        print(f"{asked:,.0f} predictions a second ({min(r[0] for r in rounds):,.0f} at least)")
        print(f"{ENVS:,} environments: {on_model:,.0f} steps a second, on a table {on_table:,.0f}")
        print(f"ratio {statistics.median(ratios):.1f} ({ratios[0]:.1f} … {ratios[-1]:.1f})")


if __name__ == "__main__":
    main()
