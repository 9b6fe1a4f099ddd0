"""Tries recipes for the digits benchmark and appends what they gave to a table.

A good recipe tells architectures apart: little difference between seeds beside that between
architectures, no ceiling, no floor, and little CPU time. Every variant is tried on the first
architectures of one seeded draw. The table that was made when the recipe was chosen is
``blox_env/data/benchmarks/digits/recipe_search.csv``; the benchmark's card shows it.

    python perf/recipe_search.py --out recipes.csv "peak_lr=0.05" "noise=0.3; draws=(2, 3, 3)"
"""

from __future__ import annotations

import argparse
import ast
import csv
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from blox_env import BloxSpace
from blox_env.ground.parallel import run_tasks
from blox_env.networks.recipe import Recipe
from blox_env.networks.tasks import DigitsSettings, digits

COLUMNS = (
    *("noise", "background", "shift", "draws", "sources"),
    *("epochs", "batch", "peak_lr", "momentum", "weight_decay", "warmup", "clip"),
    *("label_smoothing", "branch_gain"),
    *("architectures", "seeds", "val_min", "val_q10", "val_median", "val_max", "test_max"),
    *("std_architectures", "std_seeds", "ratio", "train_cpu_s", "eval_cpu_s"),
)


def trial(payload: tuple[list[int], int, dict[str, Any], dict[str, Any]]) -> tuple[float, ...]:
    """One training: validation and test accuracy, CPU seconds for training and evaluating."""
    from blox_env.networks.training import train

    row, seed, task, recipe = payload
    result = train(row, digits(DigitsSettings(**task)), Recipe(**recipe), seed=seed)
    return (
        float(result.val_acc[-1]), result.test_acc, result.train_time_s, result.eval_time_s
    )  # fmt: skip


def try_recipe(variant: dict[str, Any], architectures: int, seeds: int) -> dict[str, Any]:
    """Train all architectures with all seeds by one recipe; a row of the table."""
    task_fields = {f.name for f in dataclasses.fields(DigitsSettings)}
    task = {k: v for k, v in variant.items() if k in task_fields}
    recipe = {k: v for k, v in variant.items() if k not in task_fields}
    rows = BloxSpace().sample(np.random.default_rng(5), architectures).tolist()
    payloads = [(row, seed, task, recipe) for row in rows for seed in range(seeds)]
    results = np.zeros((len(payloads), 4))
    for outcome in run_tasks(trial, payloads):
        if outcome.error is not None:
            raise RuntimeError(outcome.error)
        results[outcome.index] = outcome.result
    val, test, train_s, eval_s = results.T
    by_row = test.reshape(architectures, seeds)
    between, within = by_row.mean(axis=1).std(ddof=1), np.sqrt(by_row.var(axis=1, ddof=1).mean())
    used = {**dataclasses.asdict(DigitsSettings(**task)), **Recipe(**recipe).to_dict()}
    return {k: used[k] for k in COLUMNS if k in used} | {
        "architectures": architectures,
        "seeds": seeds,
        **dict(zip(COLUMNS[16:20], np.quantile(val, [0, 0.1, 0.5, 1]).round(4), strict=True)),
        "test_max": round(test.max(), 4),
        "std_architectures": round(between, 4),
        "std_seeds": round(within, 4),
        "ratio": round(within / between, 3),
        "train_cpu_s": round(train_s.mean(), 2),
        "eval_cpu_s": round(eval_s.mean(), 2),
    }


def main() -> None:
    """Try every variant of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("variants", nargs="*", default=[""], help="'name=value; …' that differ")
    parser.add_argument("--out", type=Path, default=Path("recipes.csv"))
    parser.add_argument("--architectures", type=int, default=18)
    parser.add_argument("--seeds", type=int, default=2)
    arguments = parser.parse_args()
    for text in arguments.variants:
        pairs = dict(part.split("=") for part in text.split(";") if part.strip())
        variant = {name.strip(): ast.literal_eval(value) for name, value in pairs.items()}
        row = try_recipe(variant, arguments.architectures, arguments.seeds)
        new = not arguments.out.exists()
        with arguments.out.open("a", newline="") as file:
            table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            if new:
                table.writeheader()
            table.writerow(row)
        print(row, flush=True)


if __name__ == "__main__":
    main()
