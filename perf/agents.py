"""All agents under one protocol: regret, evaluations to the best percentile, hypervolume.

    python perf/agents.py --seeds 20                                  # 200 evaluations each
    python perf/agents.py --budget 1000 --agents ppo,reinforce,random-search
    blox-env import nas-bench-macro_cifar10.json --out runs/macro
    python perf/agents.py --macro runs/macro

Problems: ``digits`` (accuracy), ``digits-latency`` (reward ``mnasnet`` on x86-ort-1t),
``digits-two`` (accuracy and latency), ``macro`` and ``macro-two`` (accuracy; accuracy and FLOPs)
with a store of NAS-Bench-Macro. Regret is to the best of the table, by means; hypervolume is the
share of what the table's whole front has. Resumable: one JSON file a search below ``--out``; those
that are there are not run again.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

import blox_env
from blox_env.agent import make_agent
from blox_env.ground.files import write_atomic
from blox_env.problem.pareto import hypervolume

PROBLEMS: dict[str, dict[str, Any]] = {
    "digits": {"benchmark": "digits", "device": None},
    "digits-latency": {"benchmark": "digits", "device": "x86-ort-1t"},
    "digits-two": {
        "benchmark": "digits",
        "device": "x86-ort-1t",
        "objectives": ("val_acc", "latency_ms"),
    },
    "macro": {},
    "macro-two": {"objectives": ("val_acc", "flops")},
}
MARKS = (50, 100, 200)  # evaluations after which the hypervolume is taken
RESAMPLES = 10_000


def make_problem(name: str, macro: str | None, budget: int | None = None) -> blox_env.Problem:
    """A fresh problem of the table."""
    arguments = dict(PROBLEMS[name])
    if name.startswith("macro"):
        arguments["benchmark"] = macro
    return blox_env.Problem(**arguments, budget=budget)


def worst(problem: blox_env.Problem) -> np.ndarray:
    """Reference point, as values to be maximised.

    NAS-Bench-Macro: 20 % error and 105 % of the largest FLOPs. Digits: the worst of the table.
    """
    every = problem.space.all()
    values = problem.values(problem.peek(every))
    point = np.asarray(values.min(axis=0))
    if "flops" in problem.objectives.names:
        point = np.array([0.8, 1.05 * point[1]])
    return point


def truth(name: str, macro: str | None) -> dict[str, Any]:
    """Best value, value of the best percentile, hypervolume and reference point of a table."""
    problem = make_problem(name, macro)
    values = problem.values(problem.peek(problem.space.all()))
    known: dict[str, Any] = {
        "best": float(values[:, 0].max()),
        "percentile": float(np.quantile(values[:, 0], 0.99)),
    }
    if values.shape[1] > 1:
        reference = worst(problem)
        known["reference"] = reference.tolist()
        known["volume"] = hypervolume(problem.pareto_front()[1], reference, maximise=True)
    return known


def run(task: tuple[str, str, int, int, str | None, dict[str, Any], str]) -> None:
    """One search and its file."""
    agent, name, seed, budget, macro, known, out = task
    problem = make_problem(name, macro, budget)
    start = time.perf_counter()
    history = blox_env.search(problem, agent, seed=seed)
    seconds = time.perf_counter() - start
    spent = np.cumsum(history.column("cost"))
    full = history.epochs == problem.benchmark.epochs
    values = problem.values(problem.peek(history.x))
    result: dict[str, Any] = {
        "agent": agent,
        "problem": name,
        "seed": seed,
        "budget": budget,
        "seconds": round(seconds, 3),
        "evaluations": int(full.sum()),
        "spent": round(float(spent[-1]), 6),
    }
    if "volume" in known:
        for mark in MARKS:
            seen = values[(spent <= mark + 1e-9) & full]
            share = 0.0
            if len(seen):
                share = hypervolume(seen, known["reference"], maximise=True) / known["volume"]
            result[f"share_{mark}"] = round(share, 6)
    else:
        ranked = np.where(full, values[:, 0], -np.inf)
        best = np.maximum.accumulate(ranked)
        result["regret"] = round(known["best"] - float(best[-1]), 9)
        result["regret_100"] = _regret_at(100, spent, best, known["best"])
        result["to_best"] = _first(best >= known["best"] - 1e-12, spent)
        result["to_percentile"] = _first(best >= known["percentile"], spent)
    write_atomic(Path(out), json.dumps(result).encode())


def _regret_at(mark: int, spent: np.ndarray, best: np.ndarray, top: float) -> float | None:
    within = np.flatnonzero(spent <= mark + 1e-9)
    if not len(within) or not np.isfinite(best[within[-1]]):
        return None
    return round(top - float(best[within[-1]]), 9)


def _first(reached: np.ndarray, spent: np.ndarray) -> float | None:
    """Budget spent when something was reached, None for never."""
    return round(float(spent[int(np.argmax(reached))]), 6) if reached.any() else None


def fits(agent: str, name: str, macro: str | None) -> bool:
    """Whether an agent can search a problem."""
    if name.startswith("macro") and macro is None:
        return False
    ready, problem = make_agent(agent), make_problem(name, macro)
    names = problem.objectives.names
    if len(names) > 1 and ready.searches_for != "several":
        return False
    return not ready.requires - problem.provides


def tasks(arguments: argparse.Namespace) -> Iterator[tuple[Any, ...]]:
    """What is to be run, and is not there yet."""
    for name in arguments.problems:
        if name.startswith("macro") and arguments.macro is None:
            continue
        known = truth(name, arguments.macro)
        for agent in arguments.agents:
            if not fits(agent, name, arguments.macro):
                continue
            for seed in range(arguments.seed, arguments.seed + arguments.seeds):
                path = arguments.out / f"{name}-{arguments.budget}" / f"{agent}-{seed}.json"
                if not path.exists():
                    budget, macro = arguments.budget, arguments.macro
                    yield agent, name, seed, budget, macro, known, str(path)


def middle(values: list[float | None]) -> str:
    """Median and, in brackets, quartiles; never reached counts as infinite."""
    numbers = np.array([np.inf if v is None else v for v in values])
    low, mid, high = np.quantile(numbers, [0.25, 0.5, 0.75], method="inverted_cdf")
    words = ["never" if np.isinf(v) else f"{v:.4g}" for v in (mid, low, high)]
    return f"{words[0]} ({words[1]} – {words[2]})" if len(set(words)) > 1 else words[0]


def difference(ours: list[float], theirs: list[float]) -> str:
    """95 % bootstrap interval of the difference of medians, ours minus theirs."""
    rng = np.random.default_rng(0)
    a, b = (
        np.median(np.asarray(v)[rng.integers(len(v), size=(RESAMPLES, len(v)))], axis=1)
        for v in (ours, theirs)
    )
    low, high = np.quantile(a - b, [0.025, 0.975])
    return f"{low:+.4f} … {high:+.4f}"


def tables(arguments: argparse.Namespace) -> Iterator[tuple[str, list[str], list[list[str]]]]:
    """Title, columns and rows for each problem, of the results that are there."""
    folders = [
        (name, budget, folder)
        for name in arguments.problems
        for folder in sorted(arguments.out.glob(f"{name}-*"), key=lambda f: len(f.name))
        if (budget := folder.name.removeprefix(f"{name}-")).isdigit()
    ]
    for name, budget, folder in folders:
        found: dict[str, list[dict[str, Any]]] = {}
        for path in sorted(folder.glob("*.json")):
            result = json.loads(path.read_text())
            if result["agent"] in arguments.agents:
                found.setdefault(result["agent"], []).append(result)
        if not found:
            continue
        two = "share_50" in next(iter(found.values()))[0]
        columns = (
            [f"share of hypervolume at {mark}" for mark in MARKS]
            if two
            else ["regret", "against random search", "to the best", "to the best percent"]
        )
        base = [r["regret"] for r in found.get("random-search", [])] if not two else []
        rows = []
        for agent, results in sorted(found.items(), key=lambda item: _rank(item[1])):
            if two:
                cells = [middle([r[f"share_{mark}"] for r in results]) for mark in MARKS]
            else:
                regrets = [r["regret"] for r in results]
                cells = [
                    middle(regrets),
                    difference(regrets, base) if base and agent != "random-search" else "",
                    middle([r["to_best"] for r in results]),
                    middle([r["to_percentile"] for r in results]),
                ]
            ms = np.median([1000 * r["seconds"] / r["spent"] for r in results])
            rows.append([agent, str(len(results)), *cells, f"{ms:.1f}"])
        title = f"{name}, {budget} evaluations"
        yield title, ["agent", "seeds", *columns, "ms an evaluation"], rows


def _rank(results: list[dict[str, Any]]) -> float:
    """The best agent first: by mean regret, or by mean share of the hypervolume at the end."""
    if "regret" in results[0]:
        return float(np.mean([r["regret"] for r in results]))
    return -float(np.mean([r[f"share_{MARKS[-1]}"] for r in results]))


def show(arguments: argparse.Namespace, console: Console) -> None:
    """Print the tables, and write them where that is asked for."""
    lines = [
        "# Agents under one protocol",
        "",
        "Written by `python perf/agents.py --write docs/agents.md`; do not edit. Median over",
        "seeds, in brackets the quartiles, lower first: 145 (102 – never) says that a quarter of",
        "the searches had it after 102 evaluations, half of them after 145, and more than a",
        "quarter not within the budget. Regret is to the best of the table; *against random",
        "search* is the 95 % bootstrap interval of the difference of medians; *to the best* and",
        "*to the best percent* are evaluations until then; hypervolume is the share of the whole",
        "front's. The time is that of whole searches, on a machine with other work beside them.",
    ]
    for title, columns, rows in tables(arguments):
        table = Table(*columns, title=title)
        lines += [
            "",
            f"## {title}",
            "",
            "| " + " | ".join(columns) + " |",
            "|---" * len(columns) + "|",
        ]
        for row in rows:
            table.add_row(*row)
            lines.append("| " + " | ".join(row) + " |")
        console.print(table)
    if arguments.write:
        write_atomic(arguments.write, "\n".join([*lines, ""]).encode())


def main() -> None:
    """Run what is missing, then show everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = ",".join
    plain = [name for name in blox_env.list_agents() if not name.endswith("-jax")]
    plain = [name for name in plain if "blocks" not in make_agent(name).requires]
    parser.add_argument("--agents", default=names(plain))  # not the compiled forms of the same
    parser.add_argument("--problems", default=names(PROBLEMS))
    parser.add_argument("--macro", help="store of NAS-Bench-Macro that blox-env import wrote")
    parser.add_argument("--budget", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=100, help="the first")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=Path("runs/agents"))
    parser.add_argument("--write", type=Path, help="write the tables there as Markdown, too")
    parser.add_argument("--show", action="store_true", help="run nothing")
    arguments = parser.parse_args()
    for option in ("agents", "problems"):
        setattr(arguments, option, getattr(arguments, option).split(","))
    console = Console()
    missing = [] if arguments.show else list(tasks(arguments))
    if missing:
        context = multiprocessing.get_context("spawn")
        with context.Pool(arguments.workers) as pool:
            ended = pool.imap_unordered(run, missing)
            for _ in track(ended, "searching", total=len(missing), console=console):
                pass
    show(arguments, console)


if __name__ == "__main__":
    main()
