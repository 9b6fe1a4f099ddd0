"""How soon searches find the best networks of NAS-Bench-Macro: for one objective and for two.

    python perf/macro_bench.py PATH/nas-bench-macro_cifar10.json
    python perf/macro_bench.py FILE --agents gp-bo --seeds 100 --page docs/macro_search.md

All agents have their defaults; the page says which of them are not blind to this benchmark.
Accuracies are means of three trainings.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from blox_env import Problem, search
from blox_env.agent import make_agent
from blox_env.benchmarks.imported import ReleaseBenchmark
from blox_env.cli.views.progress import tracked
from blox_env.ground.files import write_atomic
from blox_env.ground.typing import FloatArray
from blox_env.importers.importing import import_files
from blox_env.problem.pareto import front, hypervolume

BUDGET, AT = 400, (50, 100, 200)
SEVERAL, BUDGET_OF_SEVERAL = ("val_acc", "flops"), 200
CORNER = 0.01  # quantile of each objective where the reference point is
QUERIES = 5  # an evaluation: a policy that has settled is not waited for
FIRST_SEED = 9000
AGENTS = ("gp-bo", "nsga2", "regularized-evolution", "random-search")

HEAD = """# How soon the best networks of NAS-Bench-Macro are found

Written by `python perf/macro_bench.py FILE --page docs/macro_search.md`; do not edit. FILE is
NAS-Bench-Macro's (6,561 networks; Su et al., CVPR 2021), accuracies are means of three trainings.
{seeds} searches of each agent, with its defaults. Two choices of `gp-bo` were not blind to this
benchmark: that equal options share their distances, and that it begins with ten architectures where
there are two objectives, which was looked into on `digits` after four had been worse here.
"""
ONE = """
## One objective: accuracy

Evaluations until the best network is found, and what is missing to its accuracy in points.
Medians with 95 % intervals from order statistics; ∞ where a search of {budget} did not find it.

| agent | evaluations to the optimum | {heads} |
| --- | --- |{rules}"""
TWO = """
## Two objectives: accuracy and operations

Share of the whole front's hypervolume after {budget} evaluations. Both objectives are scaled to the
front, with the reference point at the {corner:.0%} worst of each, so that the one point with the
largest share alone has {share:.0%} of it. The front has {points} points. Operations (FLOPs) are
told without a training; `gp-bo` looks them up.

| agent | mean [95 % interval] | median | lowest |
| --- | --- | --- | --- |"""


def median(values: FloatArray, digits: int) -> str:
    """Median with its interval, as a cell."""
    interval: Any = stats.quantile_test(values, q=0, p=0.5).confidence_interval()
    said = (np.median(values), interval.low, interval.high)
    middle, low, high = (f"{v:.{digits}f}" if np.isfinite(v) else "∞" for v in said)
    return f"{middle} [{low}, {high}]"


def one_objective(benchmark: ReleaseBenchmark, agent: str, seeds: Sequence[int]) -> str:
    """A row of the first table.

    Args:
        benchmark: NAS-Bench-Macro.
        agent: its name.
        seeds: of the searches.
    """
    best = 100 * benchmark.evaluate(benchmark.space.all()).val_acc.max()
    taken, regrets = [], []
    for seed in seeds:
        problem = Problem(benchmark, None, budget=BUDGET, max_queries=QUERIES * BUDGET)
        history = search(problem, agent, seed=seed)
        regret = best - 100 * np.maximum.accumulate(history.val_acc)
        found = np.flatnonzero(regret < 1e-9)
        taken.append(found[0] + 1 if len(found) else np.inf)
        regrets.append([regret[min(n, len(regret)) - 1] for n in AT])
    cells = [median(np.array(taken, dtype=float), 0)]
    cells += [median(column, 3) for column in np.array(regrets).T]
    return f"| {agent} | {' | '.join(cells)} |"


def two_objectives(benchmark: ReleaseBenchmark, agent: str, seeds: Sequence[int]) -> str:
    """A row of the second table.

    Args:
        benchmark: NAS-Bench-Macro.
        agent: its name.
        seeds: of the searches.
    """
    reference, top, whole, _, _ = scale(benchmark)
    shares = []
    for seed in seeds:
        problem = Problem(
            benchmark, None, objectives=SEVERAL, budget=BUDGET_OF_SEVERAL,
            max_queries=QUERIES * BUDGET_OF_SEVERAL,
        )  # fmt: skip
        history = search(problem, agent, seed=seed)
        values = problem.values(problem.peek(history.x))
        found = (values[front(values, maximise=True)] - reference) / (top - reference)
        shares.append(hypervolume(found, np.zeros(2), maximise=True) / whole)
    drawn = np.array(shares)
    interval = stats.bootstrap((drawn,), np.mean, rng=np.random.default_rng(0))
    low, high = interval.confidence_interval
    return (
        f"| {agent} | {drawn.mean():.4f} [{low:.4f}, {high:.4f}] | {np.median(drawn):.4f} | "
        f"{drawn.min():.4f} |"
    )


def scale(benchmark: ReleaseBenchmark) -> tuple[FloatArray, FloatArray, float, float, int]:
    """Reference point, best values, hypervolume, largest share of one point, points of the front.

    Args:
        benchmark: NAS-Bench-Macro.
    """
    problem = Problem(benchmark, None, objectives=SEVERAL)
    values = problem.values(problem.peek(problem.space.all()))
    points = values[front(values, maximise=True)]
    reference, top = np.quantile(values, CORNER, axis=0), points.max(axis=0)
    scaled, corner = (points - reference) / (top - reference), np.zeros(2)
    whole = hypervolume(scaled, corner, maximise=True)
    alone = max(hypervolume(scaled[[k]], corner, maximise=True) for k in range(len(points)))
    return reference, top, whole, alone / whole, len(points)


def main() -> None:
    """Import the file, run the searches, print the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="NAS-Bench-Macro's JSON file")
    parser.add_argument("--agents", default=",".join(AGENTS), help="between commas")
    parser.add_argument("--seeds", type=int, default=100, help="searches of each agent")
    parser.add_argument("--page", type=Path, help="where to write it, too")
    options = parser.parse_args()
    agents = options.agents.split(",")
    seeds = range(FIRST_SEED, FIRST_SEED + options.seeds)
    several = [name for name in agents if make_agent(name).searches_for == "several"]
    with tempfile.TemporaryDirectory() as folder, tracked() as track:
        import_files(options.file, Path(folder) / "store")
        benchmark = ReleaseBenchmark(Path(folder) / "store")
        _, _, _, share, points = scale(benchmark)
        heads = " | ".join(f"missing at {n}" for n in AT)
        lines = [HEAD.format(seeds=options.seeds)]
        lines.append(ONE.format(budget=BUDGET, heads=heads, rules=" --- |" * len(AT)))
        rows = track("one objective", range(len(agents)))
        lines += [one_objective(benchmark, agents[k], seeds) for k in rows]
        given = {"budget": BUDGET_OF_SEVERAL, "corner": CORNER, "share": share, "points": points}
        lines.append(TWO.format(**given))
        rows = track("two objectives", range(len(several)))
        lines += [two_objectives(benchmark, several[k], seeds) for k in rows]
    text = "\n".join(lines) + "\n"
    print(text)
    if options.page:
        write_atomic(options.page, text)


if __name__ == "__main__":
    main()
