"""Compares all agents under one protocol: tunes each, judges each, writes docs/agents.md.

    python -m perf.agents --macro shared/reference/nas-bench-macro_cifar10.json

Every agent's options are tuned with the same number of draws, seeds and evaluations on one problem
(:data:`TUNED_ON`), then it is judged with them on the problems of :data:`PROBLEMS`, by the true
reward of what the search took for the best. The command is resumable: what is in ``--figures``
is not run again, unless the rewards of the problem or the agent's tuned options have changed since.
``--agents`` and ``--problems`` choose what to run, one process at a time.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import blox_env
from blox_env.agent import make_agent
from blox_env.cli.views.progress import tracked
from blox_env.ground.files import write_atomic
from blox_env.importers.importing import import_files
from docs.agents import FIGURES, PAGE, page
from perf.tune_agents import BENCHMARK, PUBLISHED, QUERIES, tune

TUNED_ON = (
    "ethos-u55-256"  # the device, with digits and the reward mnasnet; nothing is judged there
)
TUNING = {"trials": 5, "seeds": 6, "finalists": 1, "final_seeds": 16}
# by name: benchmark, device, noise
PROBLEMS = {
    "cifar10, x86-ort-1t": ("cifar10", "x86-ort-1t", "mean"),
    "nas-bench-macro": ("macro", None, "mean"),
    "cifar10, x86-ort-int8-1t": ("cifar10", "x86-ort-int8-1t", "mean"),
    "digits": ("digits", None, "mean"),
    "cifar10, x86-ort-1t, single trainings": ("cifar10", "x86-ort-1t", "sampled"),
    "digits, x86-ort-1t": ("digits", "x86-ort-1t", "mean"),
}
MARKS, LONG = (50, 200), 1000  # evaluations
LONG_ON = ("cifar10, x86-ort-1t",)
SEEDS, FIRST_SEED = 30, 100
# Agents whose searches of LONG evaluations take a second or less; the others have FEWER of them.
QUICK = (
    "hyperband", "local-search", "nsga2", "random-search", "regularized-evolution",
    "simulated-annealing", "successive-halving",
)  # fmt: skip
FEWER = 5
# Half a minute and more a search of 200: fewer seeds, and no searches of LONG evaluations.
SLOW, SLOW_SEEDS = PUBLISHED, 10
# Of these it is also kept what their searches took their own regret for, where trainings are noisy.
SEEN = ("random-search", "regularized-evolution")
LIBRARIES = {"qnehvi": "botorch", "smac": "smac"}  # of agents whose extra is not part of ``all``
# What they do depends on the budget: a shorter search is not the beginning of a longer one.
SCHEDULED = (
    "simulated-annealing", "successive-halving", "hyperband", "bohb", "dqn", "mo-asha",
)  # fmt: skip


def candidates() -> list[str]:
    """Agents of the comparison: not compiled forms of the same, none that pays for blocks.

    Nor those of :data:`LIBRARIES` whose library is not here.
    """
    absent = {agent for agent, library in LIBRARIES.items() if find_spec(library) is None}
    names = [name for name in blox_env.list_agents() if not name.endswith("-jax")]
    names = [name for name in names if name not in absent]
    return [name for name in names if "blocks" not in make_agent(name).requires]


def fits(agent: str, name: str, macro: str) -> bool:
    """Whether a problem provides what an agent requires: NAS-Bench-Macro has no learning curves.

    Args:
        agent: its name.
        name: of the problem.
        macro: store of NAS-Bench-Macro.
    """
    return not make_agent(agent).requires - make_problem(name, macro).provides


def make_problem(name: str, macro: str, budget: int | None = None, seed: int = 0) -> Any:
    """A fresh problem of the comparison.

    Args:
        name: one of :data:`PROBLEMS`.
        macro: store of NAS-Bench-Macro.
        budget: in full trainings.
        seed: of its noise.
    """
    benchmark, device, noise = PROBLEMS[name]
    where = macro if benchmark == "macro" else benchmark
    queries = None if budget is None else QUERIES * budget
    return blox_env.Problem(
        where, device, budget=budget, max_queries=queries, noise=noise, seed=seed
    )


def judge(
    problem: blox_env.Problem,
    agent: str,
    options: dict[str, Any],
    seed: int,
    best: float,
    as_seen: bool = False,
) -> dict[int, float]:
    """True regret of what one search took for the best, at each mark up to its budget.

    Args:
        problem: with a budget.
        agent: its name.
        options: of it.
        seed: of the search.
        best: the reward that regret is measured to.
        as_seen: by the reward that the search saw instead, which may be a lucky training.
    """
    history = blox_env.search(problem, agent, seed=seed, options=options)
    spent = np.cumsum(history.column("cost"))
    full = history.epochs == problem.benchmark.epochs
    seen = np.where(full, history.reward, -np.inf)
    truth = history.reward if as_seen else problem.peek(history.x).reward
    found = {}
    for mark in (*MARKS, LONG):
        within = spent <= mark + 1e-9
        ready = bool((within & full).any())
        reached = float(truth[int(np.argmax(np.where(within, seen, -np.inf)))]) if ready else 0
        regret = best - reached
        found[mark] = 0.0 if abs(regret) < 1e-9 else round(regret, 8)
    return found


def searches(agent: str, long: bool, seeds: range) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """Seed, budget, and the marks that are taken of it.

    Args:
        agent: its name.
        long: the searches of :data:`LONG` evaluations, else those of :data:`MARKS`.
        seeds: counted from 0.
    """
    for seed in seeds:
        if long:
            if agent in QUICK or seed < FEWER:
                yield FIRST_SEED + seed, LONG, (LONG,)
        elif agent in SCHEDULED:
            yield from ((FIRST_SEED + seed, mark, (mark,)) for mark in MARKS)
        else:
            yield FIRST_SEED + seed, MARKS[-1], MARKS


def facts(name: str, macro: str) -> dict[str, Any]:
    """What regret is measured to on a problem, and what a random architecture has.

    Args:
        name: of the problem.
        macro: store of NAS-Bench-Macro.
    """
    problem = make_problem(name, macro)
    rewards = problem.peek(problem.space.all()).reward
    return {
        "checksum": hashlib.sha256(rewards.round(9).tobytes()).hexdigest(),
        "best": round(float(rewards.max()), 8),
        "random": round(float(rewards.max() - np.median(rewards)), 8),
        "size": int(problem.space.size),
        "agents": {},
        "long": {},
    }


def add(cell: dict[str, Any], agent: str, name: str, macro: str, best: float, seeds: range) -> None:
    """Judge an agent on a problem with further seeds.

    Args:
        cell: what is known of it so far.
        agent: its name.
        name: of the problem.
        macro: store of NAS-Bench-Macro.
        best: the reward that regret is measured to.
        seeds: counted from 0.
    """
    start = time.process_time()
    for seed, budget, marks in searches(agent, cell["long"], seeds):
        problem = make_problem(name, macro, budget, seed)
        found = judge(problem, agent, cell["options"], seed, best)
        for mark in marks:
            cell["regret"].setdefault(str(mark), []).append(found[mark])
    cell["seeds"] = seeds.stop
    cell["seconds"] = round(cell["seconds"] + time.process_time() - start, 1)


def add_seen(cell: dict[str, Any], agent: str, name: str, macro: str, best: float) -> None:
    """Keep what searches took their own regret for, with the seeds that were judged already.

    Args:
        cell: what is known of the agent on the problem.
        agent: its name.
        name: of the problem.
        macro: store of NAS-Bench-Macro.
        best: the reward that regret is measured to.
    """
    seen: dict[str, list[float]] = {}
    for seed, budget, marks in searches(agent, cell["long"], range(cell["seeds"])):
        problem = make_problem(name, macro, budget, seed)
        found = judge(problem, agent, cell["options"], seed, best, as_seen=True)
        for mark in marks:
            seen.setdefault(str(mark), []).append(found[mark])
    cell["seen"] = seen


def is_seen(cell: dict[str, Any], agent: str, name: str) -> bool:
    """Tell whether :func:`add_seen` has nothing to do.

    Args:
        cell: what is known of the agent on the problem.
        agent: its name.
        name: of the problem.
    """
    if PROBLEMS[name][2] != "sampled" or agent not in SEEN:
        return True
    return all(
        len(cell.get("seen", {}).get(mark, [])) == len(values)
        for mark, values in cell["regret"].items()
    )


def main() -> None:
    """Tune and judge what is missing, keep what came of it, write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = candidates()
    for agent in sorted(LIBRARIES.keys() - set(names)):
        print(f"{agent} is left out: {LIBRARIES[agent]} is not installed")
    parser.add_argument("--agents", default=",".join(names), help="to be run; all are shown")
    parser.add_argument("--problems", default=";".join(PROBLEMS), help="to be run, between ';'")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="searches of each, with the old")
    parser.add_argument("--macro", type=Path, help="NAS-Bench-Macro's JSON file")
    parser.add_argument("--figures", type=Path, default=FIGURES, help="what was found so far")
    parser.add_argument("--out", type=Path, default=Path("runs/agents"), help="for the import")
    parser.add_argument("--page", type=Path, default=PAGE)
    given = parser.parse_args()
    chosen = [name for name in given.problems.split(";") if name]
    store = given.out / "macro"
    if given.macro is not None and not store.exists():
        import_files(given.macro, store)
    if not store.exists():
        chosen = [name for name in chosen if PROBLEMS[name][0] != "macro"]
    kept = json.loads(given.figures.read_text()) if given.figures.exists() else {}
    kept.setdefault("tuning", {})
    kept.setdefault("problems", {})
    told = {"benchmark": BENCHMARK, "device": TUNED_ON, "queries": QUERIES}
    kept["tuned_on"] = told | TUNING
    kept["agents"] = names

    def keep() -> None:
        write_atomic(given.figures, json.dumps(kept, separators=(",", ":")) + "\n")

    agents = [name for name in given.agents.split(",") if name]
    with tracked() as track:
        for k in track("tuning", range(len(agents))):
            if agents[k] not in kept["tuning"]:
                kept["tuning"][agents[k]] = tune(agents[k], device=TUNED_ON, **TUNING)
                keep()
        cells = [(name, agent, False) for name in chosen for agent in agents]
        quick = [agent for agent in agents if agent not in SLOW]
        cells += [(name, agent, True) for name in chosen if name in LONG_ON for agent in quick]
        for k in track("judging", range(len(cells))):
            name, agent, long = cells[k]
            if not fits(agent, name, str(store)):
                continue
            now = facts(name, str(store))
            if kept["problems"].get(name, {}).get("checksum") != now["checksum"]:
                kept["problems"][name] = now  # other rewards: nothing of the old ones counts
            options = kept["tuning"][agent]["options"]
            known = kept["problems"][name]["long" if long else "agents"]
            if known.get(agent, {}).get("options") != options:
                known[agent] = {
                    "options": options, "long": long, "seeds": 0, "seconds": 0.0, "regret": {}
                }  # fmt: skip
            seeds = min(given.seeds, SLOW_SEEDS) if agent in SLOW else given.seeds
            if (done := known[agent]["seeds"]) < seeds:
                best = kept["problems"][name]["best"]
                add(known[agent], agent, name, str(store), best, range(done, seeds))
                keep()
            if not is_seen(known[agent], agent, name):
                best = kept["problems"][name]["best"]
                add_seen(known[agent], agent, name, str(store), best)
                keep()
    write_atomic(given.page, page(kept))


if __name__ == "__main__":
    main()
