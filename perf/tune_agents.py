"""A random search over the options of an agent, on ``digits`` with latency.

Each draw of options is judged by the mean over seeds and over a quarter, a half and all of the
budget: of the regret (reward ``mnasnet``), or for agents of several objectives of what the front
lacks of the whole space's hypervolume (``val_acc`` against ``latency_ms``). The best draws and the
agent's defaults are judged again on fresh seeds, and the order of the second round is printed and
written. NAS-Bench-Macro takes no part in it, so that agents can be judged there; on ``digits`` they
must be shown with other seeds.

    python perf/tune_agents.py --agent local-search

The comparison of all agents (``perf/agents.py``) tunes each of them by :func:`tune`, by regret
alone, with equal numbers of draws and seeds, and on a device that nothing is judged on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from blox_env import Problem, search
from blox_env.agent import make_agent
from blox_env.ground.files import write_atomic
from blox_env.problem.pareto import hypervolume

BENCHMARK, DEVICE = "digits", "x86-ort-1t"
OBJECTIVES = ("val_acc", "latency_ms")
FIRST_SEED, FRESH_SEED = 10_000, 20_000
QUERIES = 5  # an evaluation: a policy that asks for nothing new any more is not waited for

# Shown with the options of their papers or their library: nothing is tuned.
PUBLISHED = ("bananas-published", "brp-nas-published", "smac")
RANGES: dict[str, dict[str, list[Any]]] = {
    "local-search": {
        "neighbors": ["first", "all"],
        "initial": [1, 2, 3, 5, 8, 12, 20],
    },
    "simulated-annealing": {
        "initial": [5, 10, 20, 30],
        "hot": [0.02, 0.05, 0.1, 0.2, 0.5, 1.0],
        "cold": [0.001, 0.002, 0.005, 0.01, 0.02, 0.05],
    },
    "regularized-evolution": {
        "population": [10, 15, 20, 30, 50],
        "sample": [2, 3, 5, 10],
    },
    "nsga2": {
        "population": [6, 8, 10, 12, 16, 20],
        "offspring": [1, 2, 4, None],
        "crossover": [0.5, 0.9, 1.0],
        "mutations": [0.25, 0.5, 1.0],
    },
    "tpe": {
        "startup": [5, 10, 20],
        "candidates": [12, 24, 48, 96],
        "multivariate": [True, False],
    },
    "successive-halving": {
        "eta": [2.0, 2.65, 3.0, 4.0],
        "configurations": [5, 9, 16, 27, 54],
        "min_epochs": [1, 2, 3],
    },
    "mo-asha": {"eta": [2.0, 2.65, 3.0, 4.0, 7.0], "min_epochs": [1, 2, 3]},
    "hyperband": {"eta": [2.0, 2.65, 3.0, 4.0, 7.0], "min_epochs": [1, 2, 3]},
    "gp-bo": {
        "initial": [4, 10, 16, 24],
        "prior_scale": [0.5, 1.0, 2.0, 4.0],
        "prior_spread": [0.1, 0.3, 1.0],
    },
    "bananas": {
        "initial": [5, 10, 20],
        "batch": [1, 5, 10],
        "hidden": [8, 16, 32],
        "decay": [0.003, 0.01, 0.1],
        "parents": [2, 5, 10],
        "slots": [1, 2, 3],
    },
    "brp-nas": {
        "initial": [5, 10, 20],
        "training": [20, 60, 100],
        "batch": [5, 10],
        "share": [0.0, 0.25, 0.5],
        "decay": [0.003, 0.01, 0.1],
    },
    "npenas": {
        "initial": [5, 10, 20],
        "batch": [1, 5, 10],
        "parents": [5, 10, 20],
        "tournament": [5, 20, 50],
        "mutants": [100, 300],
        "slots": [1, 2, 3],
        "decay": [0.003, 0.01, 0.1],
    },
    "mcts": {
        "initial": [5, 10, 20],
        "explore": [0.1, 0.3, 0.6, 1.0, 2.0],
        "reference": [5, 10, 30, 100],
        "bias": [0.001, 0.01, 0.1],
    },
    "dyna-ppo": {
        "initial": [5, 10, 20],
        "batch": [5, 10],
        "optimism": [0.5, 1.0, 2.0],
        "rounds": [5, 10],
        "learning_rate": [0.05, 0.1, 0.2],
        "entropy": [0.1, 0.2, 0.4],
        "samples": [100, 200, 400],
    },
    "reinforce": {
        "batch": [2, 4, 8],
        "learning_rate": [0.002, 0.005, 0.01, 0.02],
        "entropy": [0.02, 0.05, 0.1, 0.2],
        "baseline": [0.8, 0.9, 0.95],
    },
    "ppo": {
        "envs": [4, 8, 16],
        "episodes": [1, 2],
        "learning_rate": [1e-3, 2e-3, 4e-3, 8e-3],
        "epochs": [5, 10, 20],
        "minibatches": [1, 2],
        "entropy": [0.02, 0.06, 0.1],
    },
    "maskable-ppo": {
        "envs": [4, 8, 16],
        "episodes": [1, 2],
        "learning_rate": [1e-3, 2e-3, 4e-3, 8e-3],
        "epochs": [5, 10, 20],
        "minibatches": [1, 2],
        "entropy": [0.05, 0.1, 0.15, 0.2],
    },
    "dqn": {
        "envs": [2, 4, 8],
        "learning_rate": [5e-4, 1e-3, 3e-3],
        "explore": [0.2, 0.4, 0.6],
        "final": [0.02, 0.05, 0.1],
        "batch": [32, 64],
        "updates": [2, 4, 8],
        "target": [50, 200],
    },
    "bohb": {
        "eta": [2.0, 2.65, 3.0, 4.0],
        "min_epochs": [1, 2, 3],
        "random_fraction": [0.0, 0.1, 1 / 3],
        "good": [0.1, 0.15, 0.25],
        "candidates": [24, 64, 256],
        "bandwidth": [0.1, 0.2, 0.3, 0.5, 0.8],
        "widening": [1.0, 2.0, 3.0],
    },
}


@lru_cache
def space_front() -> tuple[np.ndarray, float]:
    """Reference point (5 % quantile of accuracy, 105 % of the largest latency) and the volume."""
    problem = Problem(BENCHMARK, DEVICE, objectives=OBJECTIVES)
    values = problem.values(problem.peek(problem.space.all()))
    reference = np.array([np.quantile(values[:, 0], 0.05), 1.05 * values[:, 1].min()])
    return reference, hypervolume(values, reference, maximise=True)


@lru_cache
def optimum(device: str = DEVICE) -> float:
    """The best reward of the space."""
    return Problem(BENCHMARK, device).optimum()[1]


def missing_volume(agent: str, options: dict[str, Any], budget: int, seed: int) -> list[float]:
    """Share of the hypervolume that is missing at a quarter, a half and all of the budget."""
    problem = Problem(BENCHMARK, DEVICE, budget=budget, objectives=OBJECTIVES)
    history = search(problem, agent, seed=seed, options=options)
    values = np.column_stack([history.val_acc, -history.latency_ms])
    full = history.epochs == problem.benchmark.epochs  # trainings in part are no results
    spent = np.cumsum(history.column("cost"))
    reference, whole = space_front()
    missing = []
    for part in (4, 2, 1):
        reached = values[full & (spent <= budget / part + 1e-9)]
        missing.append(1 - hypervolume(reached, reference, maximise=True) / whole)
    return missing


def regrets(
    agent: str, options: dict[str, Any], budget: int, seed: int, device: str = DEVICE
) -> list[float]:
    """Regret at a quarter, a half and all of the budget."""
    problem = Problem(BENCHMARK, device, budget=budget, max_queries=QUERIES * budget)
    history = search(problem, agent, seed=seed, options=options)
    spent = np.cumsum(history.column("cost"))
    incumbent = np.maximum(history.incumbent(), 0.0)  # nothing trained in full has no reward
    rows = [np.searchsorted(spent, budget / part + 1e-9, side="right") - 1 for part in (4, 2, 1)]
    return [optimum(device) - float(incumbent[row]) for row in rows]


def judge(agent: str, options: dict[str, Any], budget: int, seeds: range) -> dict[str, Any]:
    """What is recorded of one draw of options."""
    several = make_agent(agent).searches_for == "several"
    one: Callable[..., list[float]] = missing_volume if several else regrets
    found = np.array([one(agent, options, budget, seed) for seed in seeds])
    measure = "missing_hypervolume" if several else "regret"
    return {
        "options": options,
        "score": round(float(found.mean()), 6),
        f"mean_{measure}": found.mean(axis=0).round(6).tolist(),
        f"median_{measure}": np.median(found, axis=0).round(6).tolist(),
        "seeds": [seeds[0], seeds[-1]],
    }


def draws(agent: str, trials: int) -> list[dict[str, Any]]:
    """The defaults, then different random draws of options that the agent accepts."""
    rng = np.random.default_rng(0)
    found: list[dict[str, Any]] = [{}]
    for _ in range(20 * trials):
        if len(found) > trials:
            break
        options = {k: v[rng.integers(len(v))] for k, v in RANGES[agent].items()}
        try:
            make_agent(agent, options)
        except ValueError:
            continue
        if options not in found:
            found.append(options)
    return found


def tune(
    agent: str, *, device: str, trials: int, seeds: int, finalists: int, final_seeds: int
) -> dict[str, Any]:
    """The options of an agent with the least regret, and what was spent on finding them.

    Those of :data:`PUBLISHED` have their defaults, and nothing is spent.

    Args:
        agent: its name.
        device: of the problem, beside the benchmark ``digits``.
        trials: draws of options beside the defaults; all there are where these are fewer.
        seeds: searches of each draw.
        finalists: draws that are judged again beside the defaults, on fresh seeds.
        final_seeds: searches of each finalist.
    """

    def mean(options: dict[str, Any], first: int, count: int) -> float:
        each = [regrets(agent, options, 200, first + k, device) for k in range(count)]
        return round(float(np.mean(each)), 6)

    if agent in PUBLISHED:
        return {"options": {}, "published": True}
    drawn = draws(agent, trials) if agent in RANGES else [{}]
    found = [(mean(options, FIRST_SEED, seeds), options) for options in drawn]
    last = found[:1] + sorted(found[1:], key=lambda each: each[0])[:finalists]
    again = [(mean(options, FRESH_SEED, final_seeds), options) for _, options in last]
    score, options = min(again, key=lambda each: each[0])
    return {
        "options": options,
        "score": score,
        "defaults": again[0][0],
        "draws": len(drawn),
        "searches": len(drawn) * seeds + len(last) * final_seeds,
        "first_round": [[score, options] for score, options in found],
        "second_round": [[score, options] for score, options in again],
    }


def main() -> None:
    """Judge all draws, then the best ones on fresh seeds; print and write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--agent", choices=sorted(RANGES), required=True)
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--finalists", type=int, default=5)
    parser.add_argument("--final-seeds", type=int, default=30)
    parser.add_argument("--budget", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("runs/tune_agents"))
    given = parser.parse_args()
    first = range(FIRST_SEED, FIRST_SEED + given.seeds)
    judged = []
    for options in draws(given.agent, given.trials):
        judged.append(judge(given.agent, options, given.budget, first))
        print(json.dumps(judged[-1]), flush=True)
    judged[1:] = sorted(judged[1:], key=lambda row: row["score"])  # the defaults stay in front
    fresh = range(FRESH_SEED, FRESH_SEED + given.final_seeds)
    again = [
        judge(given.agent, j["options"], given.budget, fresh) for j in judged[: 1 + given.finalists]
    ]
    again.sort(key=lambda row: row["score"])
    print("on fresh seeds:")
    for row in again:
        print(json.dumps(row))
    record = {
        "agent": given.agent,
        "benchmark": BENCHMARK,
        "device": DEVICE,
        "budget": given.budget,
        "ranges": RANGES[given.agent],
        "second_round": again,
        "first_round": judged,
    }
    write_atomic(given.out / f"{given.agent}.json", json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
