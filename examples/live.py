"""Is it true? What a search found on the table, really trained, beside one that it did not want.

    python examples/live.py              # one training each; again at once, from the cache
    python examples/live.py --seeds 3    # means of three

Any benchmark may be a live one, wherever a name is expected: `live:TASK`. Trainings are kept in
$BLOX_ENV_CACHE (or the user's folder for caches), and processes that share it share the work:

    blox-env search --benchmark live:digits --agent regularized-evolution --budget 20
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import blox_env
from blox_env.benchmarks.live import LiveBenchmark


def main() -> None:
    """Search on the table, train what was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each architecture")
    parser.add_argument("--workers", type=int, default=0, help="at once, on Ray; 0: one by one")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"), help="a folder")
    options = parser.parse_args()

    problem = blox_env.Problem("digits", None, budget=200)
    history = blox_env.search(problem, "regularized-evolution", seed=0)
    x = history.x[[history.best.row, int(np.argmin(history.val_acc))]]

    table = problem.benchmark.evaluate(x)
    live = LiveBenchmark(
        "digits", seeds=range(options.seeds), workers=options.workers, cache=options.cache
    )
    reality = live.evaluate(x)
    for row, told, true in zip(x.tolist(), table.val_acc, reality.val_acc, strict=True):
        print(f"{row}: the table says {told:.3f}, training it {true:.3f}")
    print(f"{reality.train_time_s.sum() * options.seeds:.0f} CPU-s of training")


if __name__ == "__main__":
    main()
