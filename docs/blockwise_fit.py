"""Computes what docs/blockwise.py shows and what takes long, and writes docs/blockwise.json.

    python -m docs.blockwise_fit runs/blockwise

From the records of ``examples/blockwise_questions.py``, a folder a setting: predictors learn from
more and more trained networks, and agents search at equal simulated time.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

import blox_env
from blox_env.analysis.blockwise import Figure, learning_curve, truth_of
from blox_env.ground.files import write_json
from blox_env.networks.blockwise.graph import GraphPredictor
from blox_env.networks.predictors import Predictor, SecondOrder, SignatureSum
from blox_env.problem.clock import Clock
from docs.blockwise import DOCS, SEEDS, TIMES, Records, signatures_of, trainings_of

SIZES = (10, 20, 40, 80, 160)
REPEATS = {"sum": 20, "second order": 20, "graph with signatures": 5, "graph alone": 5}
BLOCKWISE = ("hant", "donna", "blockwise-gcn", "iterative-blockwise")
OTHERS = ("regularized-evolution", "bananas", "brp-nas", "gp-bo")
PROBLEMS = {"accuracy alone": (None, "accuracy"), "with latency": ("x86-ort-1t", "mnasnet")}


def fit(runs: Path, only_predictors: bool = False) -> None:
    """Compute what takes long, and write docs/blockwise.json.

    Args:
        runs: a folder a setting, as the example leaves them.
        only_predictors: leave the comparison of agents as it is.
    """
    path = DOCS / "blockwise.json"
    found: Records = json.loads(path.read_text()) if path.exists() else {}
    for name in ("digits", "cifar10"):
        if (runs / name / "records.json").exists():
            records = json.loads((runs / name / "records.json").read_text())
            records["curves"] = curves(name, records)
            found[name] = records
    for name in ("digits", "cifar10"):
        if not only_predictors and "blocks" in blox_env.load_benchmark(name).provides:
            found.setdefault("comparison", {})[name] = comparison(name)
    write_json(path, found)


def curves(name: str, records: Records) -> Records:
    """Error and rank correlation of predictors, by teacher and number of trained networks.

    Args:
        name: of the benchmark.
        records: with signatures.
    """
    known = trainings_of(name)
    uniform = known.asked_by == "uniform"
    rows = [tuple(row) for row in np.unique(known.x[uniform], axis=0).tolist()]
    y = truth_of(blox_env.BloxSpace(), known.x, known.val_acc[:, -1], rows)
    found: Records = {}
    for entry in records["teachers"]:
        signatures = signatures_of(entry)
        makers: dict[str, Callable[[int], Predictor]] = {
            "sum": lambda number, s=signatures: SignatureSum(s),  # type: ignore[misc]
            "second order": lambda number, s=signatures: SecondOrder(s),  # type: ignore[misc]
            "graph with signatures": lambda number, s=signatures: GraphPredictor(s, seed=number),  # type: ignore[misc]
        }
        if not found:
            makers["graph alone"] = lambda number: GraphPredictor(seed=number)
        for kind, make in makers.items():
            sizes = [size for size in SIZES if size < len(rows) - 50]
            curve = learning_curve(make, np.array(rows), y, sizes, REPEATS[kind])
            key = kind if kind == "graph alone" else f"{entry['name']}: {kind}"
            found[key] = {
                str(size): [plain(error), plain(rank)] for size, (error, rank) in curve.items()
            }
    return found


def comparison(name: str) -> Records:
    """Regret of agents at equal simulated time, each seed's.

    Args:
        name: of the benchmark.
    """
    benchmark = blox_env.load_benchmark(name)
    seconds = float(benchmark.evaluate(benchmark.space.all()).train_time_s.mean())
    found: Records = {}
    there = {each.name for each in benchmark.blocks()}
    agents = [a for a in BLOCKWISE if a != "iterative-blockwise" or "round0" in there]
    runs: list[tuple[str, str, dict[str, str]]]
    runs = [(agent, agent, {}) for agent in (*agents, *OTHERS)]
    if "mediocre" not in there:
        runs = [(agent, agent, {}) for agent in OTHERS]
    known = [(f"{agent}, teacher good", agent, {"teacher": "good"}) for agent in BLOCKWISE[:3]]
    for title, (device, reward) in PROBLEMS.items():
        for label, agent, options in [*runs, *known]:
            regrets = []
            for seed in range(SEEDS):
                clock = Clock(1, hours=TIMES[-1] * seconds / 3600)
                problem = blox_env.Problem(name, device, reward, budget=9999, clock=clock)
                history = blox_env.search(problem, agent, seed=seed, options=options)
                ends = problem.clock.schedule().end_s if problem.clock else np.array([])
                best = history.incumbent()
                regrets.append([regret_at(problem, best, ends, t * seconds) for t in TIMES])
            found.setdefault(title, {})[label] = regrets
    return found


def regret_at(
    problem: blox_env.Problem, best: np.ndarray, ends: np.ndarray, seconds: float
) -> float | None:
    """Regret of the best architecture known by then, None where there is none.

    Args:
        problem: that was searched.
        best: incumbents after each trial.
        ends: when each ended.
        seconds: of simulated time.
    """
    known = best[ends <= seconds + 1e-6]
    return float(problem.optimum()[1] - known[-1]) if len(known) else None


def plain(figure: Figure) -> list[float]:
    """A figure as a list."""
    return [round(v, 5) for v in (figure.value, figure.low, figure.high)] + [figure.n]


def main() -> None:
    """Fit what is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, help="folder of examples/blockwise_questions.py")
    parser.add_argument("--no-comparison", action="store_true", help="only the predictors")
    given = parser.parse_args()
    fit(given.runs, given.no_comparison)


if __name__ == "__main__":
    main()
