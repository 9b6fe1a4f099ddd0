"""How fast exact fronts and hypervolumes are, beside a sort and moocore's own calls.

    python perf/fronts.py

Of the whole table of ``digits`` and ``x86-ort-1t``, two objectives. Ratios are of the fastest of
several runs, taken in turn in this process; the milliseconds are for scale.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import moocore
import numpy as np

import blox_env
from blox_env.problem.pareto import front


def fastest(functions: dict[str, Callable[[], object]], rounds: int = 20) -> dict[str, float]:
    """Seconds of the fastest run of each, all of them in turn."""
    best = dict.fromkeys(functions, np.inf)
    for _ in range(rounds):
        for name, function in functions.items():
            started = time.perf_counter()
            function()
            best[name] = min(best[name], time.perf_counter() - started)
    return best


def main() -> None:
    """Print one line a measure."""
    problem = blox_env.Problem("digits", "x86-ort-1t", objectives=("val_acc", "latency_ms"))
    values = problem.values(problem.peek(problem.space.all()))
    costs = -values
    exact = problem.pareto_front()[1]
    seconds = fastest(
        {
            "a sort of both columns (numpy.lexsort)": lambda: np.lexsort(
                (costs[:, 1], costs[:, 0])
            ),
            "moocore.is_nondominated": lambda: moocore.is_nondominated(costs, keep_weakly=True),
            "blox_env.problem.pareto.front": lambda: front(values, maximise=True),
            "Problem.pareto_front (evaluates the table first)": problem.pareto_front,
            "Problem.hypervolume of the exact front": lambda: problem.hypervolume(exact),
            "Problem.front_regret of the exact front": lambda: problem.front_regret(exact),
        }
    )
    sort = seconds["a sort of both columns (numpy.lexsort)"]
    print(f"{len(values):,} architectures, {len(exact)} of them on the front")
    for name, value in seconds.items():
        print(f"{name:50} {value / sort:6.2f} × the sort   ({value * 1e3:.2f} ms)")


if __name__ == "__main__":
    main()
