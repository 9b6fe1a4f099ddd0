"""A model of trainings as a benchmark: what a space needs that is too large for a table.

    python examples/surrogate_model.py

Fits boosted trees on the trainings that came with the package, asks them for many architectures at
once, and searches on them. ``blox-env surrogate fit`` does the same; with ``--space bloxxl`` it
takes trainings of the 45^12 networks of BloxXL, from ``blox-env collect --space bloxxl``.
"""

import tempfile
import time
from pathlib import Path

import numpy as np

import blox_env
from blox_env.benchmarks.fit import fit_model

trainings = Path(blox_env.__file__).parent / "data" / "benchmarks" / "cifar10" / "trainings.csv"
with tempfile.TemporaryDirectory() as folder:
    target = Path(folder) / "my-surrogate"
    facts = fit_model([trainings], target, "blox", name="my-surrogate", folds=2)
    held_out = facts["held_out"]["uniform"]["val_acc"]
    print(f"held out: R² {held_out['r2']:.2f}, possible {held_out['r2_ceiling']:.2f}")

    benchmark = blox_env.load_benchmark(str(target))
    x = benchmark.space.sample(np.random.default_rng(0), 20_000)
    benchmark.evaluate(x[:10])
    started = time.perf_counter()
    said = benchmark.evaluate(x)
    print(f"{len(x) / (time.perf_counter() - started):,.0f} predictions a second")
    print(f"uncertainty {said.val_std.min():.4f} … {said.val_std.max():.4f}")

    problem = blox_env.Problem(benchmark, "x86-ort-int8-1t", budget=200)
    history = blox_env.search(problem, "regularized-evolution", seed=0)
    print(f"best reward of 200 evaluations: {history.reward.max():.4f}")
