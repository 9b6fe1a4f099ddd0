"""A made-up trainer that writes down what it trains, and a process that asks for trainings."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

from blox_env.benchmarks.live import LiveBenchmark
from blox_env.benchmarks.live_cache import Training, arch_text
from blox_env.networks.recipe import Recipe

LOG, SECONDS = "MADE_UP_LOG", "MADE_UP_SECONDS"  # environment variables, which workers inherit
RECIPE = Recipe(epochs=4)


def made_up(row, task, recipe, seed):
    """Numbers that follow from the arguments; a line in the log before, and one after."""
    name = f"{arch_text(row)} s{seed}"
    _log(f"begin {name} {os.getpid()}")
    time.sleep(float(os.environ.get(SECONDS, "0")))
    if list(row) == [44, 44, 44]:
        raise ArithmeticError("44-44-44 always fails")
    _log(f"end {name} {os.getpid()}")
    rng = np.random.default_rng([*row, seed])
    return Training(tuple(rng.random(recipe.epochs)), float(rng.random()), 8.0)


def _log(line):
    with Path(os.environ[LOG]).open(
        "a", encoding="utf-8"
    ) as file:  # short lines are appended whole
        file.write(line + "\n")


def begun(log):
    """Name of every training that was begun, as often as it was."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [line.removeprefix("begin ").rpartition(" ")[0] for line in lines if line[0] == "b"]


def main():
    cache, rows = sys.argv[1], json.loads(sys.argv[2])
    benchmark = LiveBenchmark(
        "digits", recipe=RECIPE, workers=0, cache=cache, trainer=made_up, seeds=(0, 1)
    )
    json.dump([benchmark.evaluate([row]).val_acc[0] for row in rows], sys.stdout)


if __name__ == "__main__":
    main()
