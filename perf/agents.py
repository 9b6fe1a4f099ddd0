"""Does each agent beat random search at the same budget? Median regret over many seeds.

Resumable: results are kept below ``--out`` and not computed again.

    python perf/agents.py --seeds 20
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from blox_env.experiment.results import read_runs
from blox_env.experiment.runner import compare
from blox_env.experiment.statistics import regret_curves

BUDGETS = {"regularized-evolution": 500, "ppo": 1000}
RESAMPLES = 10_000


def final_regret(folder: Path, agent: str) -> np.ndarray:
    """Regret of each seed at the end of the budget, ``(seeds,)``."""
    runs = [run for run in read_runs(folder) if run.facts["agent"] == agent]
    return np.asarray(regret_curves(runs)[1][:, -1])


def interval(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float]:
    """95 % bootstrap interval of the difference of medians, ours minus theirs."""
    rng = np.random.default_rng(0)

    def medians(values: np.ndarray) -> np.ndarray:
        drawn = values[rng.integers(len(values), size=(RESAMPLES, len(values)))]
        return np.asarray(np.median(drawn, axis=1))

    low, high = np.quantile(medians(ours) - medians(theirs), [0.025, 0.975])
    return float(low), float(high)


def main() -> None:
    """Run what is missing and print one line an agent."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("runs/agents"))
    parser.add_argument("--seed", type=int, default=100)
    arguments = parser.parse_args()
    table = Table("agent", "budget", "median regret", "random search", "95 % of the difference")
    for agent, budget in BUDGETS.items():
        folder = arguments.out / f"{agent}-{budget}"
        ended = compare(
            [agent, "random-search"],
            seeds=arguments.seeds,
            budget=budget,
            out=folder,
            seed=arguments.seed,
        )
        for progress in ended:
            if progress.error:
                raise RuntimeError(progress.error)
        ours, theirs = final_regret(folder, agent), final_regret(folder, "random-search")
        low, high = interval(ours, theirs)
        table.add_row(
            agent,
            str(budget),
            f"{np.median(ours):.5f}",
            f"{np.median(theirs):.5f}",
            f"{low:+.5f} … {high:+.5f}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
