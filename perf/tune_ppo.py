"""A random search over the options of the agent ``ppo``.

Judged on accuracy alone, with sampled noise and other seeds than the comparisons use. It is the
same benchmark, though, whose accuracies the reward with latency contains: what is tuned here is not
judged on anything independent until there is a second benchmark.

    python perf/tune_ppo.py --trials 24
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

import numpy as np

from blox_env import Problem, search
from blox_env.ground.parallel import run_tasks

SPACE: dict[str, list[Any]] = {
    "envs": [8, 16],
    "episodes": [1, 2],
    "learning_rate": [1e-3, 2e-3, 4e-3],
    "epochs": [5, 10],
    "minibatches": [1, 2],
    "entropy": [0.03, 0.06, 0.1],  # below, the policy settles before the budget is spent
}
BUDGET = 1000
QUERIES = 5000  # a policy that asks for nothing new any more is not worth waiting for


def regret(payload: tuple[dict[str, Any], int]) -> tuple[float, int]:
    """Final regret of one search on true means, and the distinct architectures it evaluated."""
    options, seed = payload
    problem = Problem(
        "digits", None, budget=BUDGET, max_queries=QUERIES, noise="sampled", seed=seed
    )
    history = search(problem, "ppo", seed=seed, options=options)
    best = history.x[history.best.row]
    return problem.optimum()[1] - float(problem.peek(best).reward[0]), len(history)


def main() -> None:
    """Draw options, run all seeds of each, write a row each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--out", type=Path, default=Path("runs/tune_ppo.csv"))
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    drawn = [
        {k: v[rng.integers(len(v))] for k, v in SPACE.items()} for _ in range(arguments.trials)
    ]
    payloads = [(o, 10_000 + seed) for o in drawn for seed in range(arguments.seeds)]
    found = np.full((len(drawn), arguments.seeds), np.nan)
    distinct = np.zeros((len(drawn), arguments.seeds))
    for outcome in run_tasks(regret, payloads):
        if outcome.error is not None:
            raise RuntimeError(outcome.error)
        found.flat[outcome.index], distinct.flat[outcome.index] = outcome.result
        print(f"{outcome.index + 1}: {outcome.result}", flush=True)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    with arguments.out.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow([*SPACE, "median_regret", "mean_regret", "distinct_architectures"])
        for i in np.argsort(found.mean(axis=1)):
            regrets = [np.median(found[i]).round(5), found[i].mean().round(5)]
            row = [*drawn[i].values(), *regrets, distinct[i].mean()]
            table.writerow(row)
            print(row, flush=True)


if __name__ == "__main__":
    main()
