"""Compares agents by the fronts of accuracy and latency that they find, for docs/agents.md.

    python -m perf.agent_fronts [--agents nsga2,random-search] [--seeds 10]

Searches of two objectives by the agents that know several, and of the reward ``mnasnet`` by one
that does not (:data:`SCALAR`). What counts is the hypervolume of all that a search trained in full,
as a share of the true front's. Its corner is not the frozen reference point, up to which one good
point may have nearly everything: it is moved towards the front until no architecture alone has more
than :data:`ALONE` of the whole. Agents have their defaults. What is in ``--figures`` is not run
again, unless accuracies or latencies have changed since. ``python docs/agents.py`` writes the page.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import blox_env
from blox_env.agent import make_agent
from blox_env.cli.views.progress import tracked
from blox_env.ground.files import write_atomic
from blox_env.problem.pareto import front, hypervolume
from docs.agents import FRONTS
from perf.agents import FIRST_SEED, LIBRARIES, MARKS, SCHEDULED

PROBLEMS = {
    "cifar10, x86-ort-1t": ("cifar10", "x86-ort-1t"),
    "digits, x86-ort-1t": ("digits", "x86-ort-1t"),
}
GOALS = ("val_acc", "latency_ms")
SCALAR = "regularized-evolution"  # searches for the reward
ALONE = 0.8  # share of the hypervolume that one architecture may have
MAXIMISE = (True, False)
Points = NDArray[np.float64]


def candidates() -> list[str]:
    """Agents that search for several objectives and are here, and the scalarising one."""
    names = [name for name in blox_env.list_agents() if not name.endswith("-jax")]
    names = [n for n in names if n not in LIBRARIES or find_spec(LIBRARIES[n]) is not None]
    return [n for n in names if make_agent(n).searches_for == "several" or n == SCALAR]


def corner(points: Points, reference: Points) -> tuple[Points, float]:
    """The corner of hypervolumes, and the largest share that one point has of the whole.

    It lies between the corner of the front (its worst values) and the reference point, as near to
    the latter as the limit of :data:`ALONE` allows.

    Args:
        points: accuracy and latency of the front ``(n, 2)``.
        reference: the frozen reference point ``(2,)``, in their sense.

    Raises:
        ValueError: for a front of which one point has too much wherever the corner is.
    """
    nadir = np.array([points[:, 0].min(), points[:, 1].max()])

    def share(place: float) -> float:
        at = nadir + place * (reference - nadir)
        alone = np.maximum(points[:, 0] - at[0], 0) * np.maximum(at[1] - points[:, 1], 0)
        whole = hypervolume(points, at, maximise=MAXIMISE)
        return float(alone.max() / whole) if whole > 0 else 1.0

    if share(1.0) <= ALONE:
        return reference, share(1.0)
    places = np.linspace(0, 1, 1001)
    allowed = [place for place in places.tolist() if share(place) <= ALONE]
    if not allowed:
        raise ValueError(f"one point has more than {ALONE:.0%} of the hypervolume everywhere")
    return nadir + allowed[-1] * (reference - nadir), share(allowed[-1])


def facts(name: str) -> dict[str, Any]:
    """What hypervolumes are measured against on a problem.

    Args:
        name: of the problem.
    """
    problem = blox_env.Problem(*PROBLEMS[name], objectives=GOALS)
    means = problem.peek(problem.space.all())
    points = np.stack([means.val_acc, means.latency_ms], axis=1)
    best = points[front(points, maximise=MAXIMISE)]
    reference = np.asarray(problem.reference_point(), dtype=float) * (1.0, -1.0)
    at, alone = corner(best, reference)
    return {
        "checksum": hashlib.sha256(points.round(9).tobytes()).hexdigest(),
        "corner": at.tolist(),
        "alone": alone,
        "whole": hypervolume(best, at, maximise=MAXIMISE),
        "points": len(best),
        "agents": {},
    }


def volumes(agent: str, name: str, seed: int, known: dict[str, Any]) -> dict[str, float]:
    """Share of the true front's hypervolume that a search has found, by mark.

    Args:
        agent: its name.
        name: of the problem.
        seed: of the search.
        known: of :func:`facts`.
    """
    asked: dict[str, Any] = {} if agent == SCALAR else {"objectives": GOALS}
    shares = {}
    for budget in MARKS if agent in SCHEDULED else MARKS[-1:]:
        problem = blox_env.Problem(*PROBLEMS[name], budget=budget, **asked)
        history = blox_env.search(problem, agent, seed=seed)
        points = np.stack([history.val_acc, history.latency_ms], axis=1)
        full = history.epochs == problem.benchmark.epochs
        spent = np.cumsum(history.column("cost"))
        for mark in (mark for mark in MARKS if mark <= budget):
            reached = points[full & (spent <= mark + 1e-9)]
            volume = hypervolume(reached, known["corner"], maximise=MAXIMISE)
            shares[str(mark)] = round(volume / known["whole"], 8)
    return shares


def main() -> None:
    """Run what is missing, keep what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--agents", default=",".join(candidates()))
    parser.add_argument("--seeds", type=int, default=10, help="searches of each, with the old")
    parser.add_argument("--figures", type=Path, default=FRONTS, help="what was found so far")
    given = parser.parse_args()
    kept = json.loads(given.figures.read_text()) if given.figures.exists() else {}
    cells = [
        (name, agent, seed)
        for name in PROBLEMS
        for seed in range(given.seeds)
        for agent in given.agents.split(",")
    ]
    for name in PROBLEMS:
        now = facts(name)
        if kept.get(name, {}).get("checksum") != now["checksum"]:
            kept[name] = now  # other data: nothing of the old ones counts
    with tracked() as track:
        for k in track("searching", range(len(cells))):
            name, agent, seed = cells[k]
            known = kept[name]
            cell = known["agents"].setdefault(agent, {"seeds": 0, "seconds": 0.0, "volume": {}})
            if seed < cell["seeds"]:
                continue
            start = time.process_time()
            for mark, value in volumes(agent, name, FIRST_SEED + seed, known).items():
                cell["volume"].setdefault(mark, []).append(value)
            cell["seeds"] = seed + 1
            cell["seconds"] = round(cell["seconds"] + time.process_time() - start, 1)
            write_atomic(given.figures, json.dumps(kept, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
