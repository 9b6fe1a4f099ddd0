"""Computes what docs/blockwise.py shows and what takes long, and writes docs/blockwise.json.

    python -m docs.blockwise_fit runs/blockwise
    python -m docs.blockwise_fit --macro FILE      mixed against uniform on NAS-Bench-Macro alone

From the records of ``examples/blockwise_questions.py``, a folder a setting: predictors learn from
more and more trained networks, and agents search at equal simulated time.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import blox_env
from blox_env.analysis.blockwise import (
    Figure,
    learning_curve,
    mixed_against_uniform,
    truth_of,
)
from blox_env.ground.files import write_json
from blox_env.importers.importing import import_files
from blox_env.networks.blockwise.graph import GraphPredictor
from blox_env.networks.predictors import Predictor, SecondOrder, SignatureSum
from blox_env.problem.clock import Clock
from docs.blockwise_records import DOCS, SEEDS, TIMES, Records, signatures_of, trainings_of

SIZES = (10, 20, 40, 80, 160)
REPEATS = {"sum": 20, "second order": 20, "graph with signatures": 5, "graph alone": 5}
BLOCKWISE = ("hant", "donna", "iterative-blockwise", "blockwise-gcn")
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
            records["curves"] = curves(name, records, found.get(name, {}))
            found[name] = records
    write_json(path, found)
    for name in () if only_predictors else ("digits", "cifar10"):
        if "blocks" in blox_env.load_benchmark(name).provides:
            known = found.setdefault("comparison", {}).setdefault(name, {})
            for _ in comparison(name, known):  # each agent is kept, so that this goes on
                write_json(path, found)


def curves(name: str, records: Records, before: Records) -> Records:
    """Error and rank correlation of predictors, by teacher and number of trained networks.

    Args:
        name: of the benchmark.
        records: with signatures.
        before: records with curves, which stay for teachers whose signatures are the same.
    """
    same = [entry["name"] for entry in records["teachers"] if entry in before.get("teachers", [])]
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
        if entry["name"].startswith("round"):
            del makers["graph with signatures"]  # which takes the longest
        for kind, make in makers.items():
            key = kind if kind == "graph alone" else f"{entry['name']}: {kind}"
            if key in before.get("curves", {}) and (entry["name"] in same or kind == key):
                found[key] = before["curves"][key]
                continue
            sizes = [size for size in SIZES if size < len(rows) - 50]
            curve = learning_curve(make, np.array(rows), y, sizes, REPEATS[kind])
            found[key] = {
                str(size): [plain(error), plain(rank)] for size, (error, rank) in curve.items()
            }
    return found


def comparison(name: str, found: Records | None = None) -> Iterator[Records]:
    """Regret of agents at equal simulated time, each seed's; again and again with one more agent.

    Args:
        name: of the benchmark.
        found: what is there already.
    """
    benchmark = blox_env.load_benchmark(name)
    found = {} if found is None else found
    there = {each.name for each in benchmark.blocks()}
    own = [a for a in BLOCKWISE if a != "iterative-blockwise" or "round0" in there]
    runs: list[tuple[str, str, dict[str, Any]]] = [(a, a, {}) for a in (*own, *OTHERS)]
    # the graph network trains for long: shorter, so that twenty seeds of it can be afforded
    short = {"steps": 60, "candidates": 500}
    runs = [(a, a, short if a == "blockwise-gcn" else {}) for a, _, _ in runs]
    for teacher in sorted(there & {"mediocre", "good"}):
        runs += [(f"{a}, teacher {teacher}", a, {"teacher": teacher}) for a in BLOCKWISE[:2]]
    for title, (device, reward) in PROBLEMS.items():
        for label, agent, options in runs:
            if label not in found.setdefault(title, {}):
                found[title][label] = regrets(benchmark, device, reward, agent, options)
                yield found


def regrets(
    benchmark: blox_env.Benchmark,
    device: str | None,
    reward: str,
    agent: str,
    options: dict[str, Any],
) -> list[list[float | None]]:
    """Regret of one agent at the times of the page, for all seeds.

    Args:
        benchmark: that is searched.
        device: name, None for no latency.
        reward: name of the formula.
        agent: its name.
        options: of the agent.
    """
    seconds = float(benchmark.evaluate(benchmark.space.all()).train_time_s.mean())
    found = []
    for seed in range(SEEDS):
        clock = Clock(1, hours=TIMES[-1] * seconds / 3600)
        problem = blox_env.Problem(benchmark, device, reward, budget=9999, clock=clock)
        best = blox_env.search(problem, agent, seed=seed, options=options).incumbent()
        ends = clock.schedule().end_s
        found.append([regret_at(problem, best, ends, t * seconds) for t in TIMES])
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


def mixed_in(file: Path) -> Records:
    """Best mixed against best uniform network of NAS-Bench-Macro, whose data are not embedded.

    Args:
        file: as its authors released it.
    """
    with tempfile.TemporaryDirectory() as folder:
        import_files(file, Path(folder) / "store")
        benchmark = blox_env.load_benchmark(str(Path(folder) / "store"))
        return asdict(mixed_against_uniform(benchmark, ())[0])


def plain(figure: Figure) -> list[float]:
    """A figure as a list."""
    return [round(v, 5) for v in (figure.value, figure.low, figure.high)] + [figure.n]


def main() -> None:
    """Fit what is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "runs", type=Path, nargs="?", help="folder of examples/blockwise_questions.py"
    )
    parser.add_argument("--macro", type=Path, help="file of NAS-Bench-Macro")
    parser.add_argument("--no-comparison", action="store_true", help="only the predictors")
    given = parser.parse_args()
    if given.macro:
        path = DOCS / "blockwise.json"
        write_json(path, {**json.loads(path.read_text()), "macro": mixed_in(given.macro)})
    if given.runs:
        fit(given.runs, given.no_comparison)


if __name__ == "__main__":
    main()
