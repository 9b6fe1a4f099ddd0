"""Many searches at once: agents × benchmarks × devices × seeds as Ray tasks, a file each."""

from __future__ import annotations

import hashlib
import inspect
import itertools
import json
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from blox_env import registry
from blox_env.agent import Agent, make_agent
from blox_env.errors import check_positive_int
from blox_env.experiment.results import encode_run, read_run, write_run
from blox_env.parallel import run_tasks, spawn_seeds
from blox_env.problem import Problem
from blox_env.searching import search
from blox_env.version import __version__


@dataclass(frozen=True)
class Search:
    """One search of an experiment, all that a worker needs to know."""

    agent: str
    benchmark: str
    device: str | None
    reward: str | None
    seed: int
    budget: int
    max_queries: int | None
    latency_target_ms: float | None
    noise: str
    options: tuple[tuple[str, Any], ...]
    random: int
    path: str
    optimum: float | None = None

    @property
    def name(self) -> str:
        """What tells the search from the others of its experiment, as a file name."""
        parts = (self.agent, self.benchmark, self.device or "no-device", f"s{self.seed:03d}")
        return "__".join(part.replace(":", ".").replace("/", ".") for part in parts)

    def problem(self) -> Problem:
        """A fresh problem."""
        return Problem(
            self.benchmark,
            self.device,
            self.reward,
            latency_target_ms=self.latency_target_ms,
            budget=self.budget,
            max_queries=self.max_queries,
            noise=self.noise,
            seed=self.seed,
        )


@dataclass(frozen=True)
class Progress:
    """What happened when a search ended: its place in the plan, and the error if it failed."""

    search: Search
    error: str | None = None


def compare(
    agents: Sequence[str],
    benchmarks: Sequence[str] = ("digits",),
    devices: Sequence[str | None] = ("x86-ort-1t",),
    *,
    seeds: int = 8,
    budget: int = 500,
    out: str | Path,
    reward: str | None = None,
    latency_target_ms: float | None = None,
    noise: str = "mean",
    max_queries: int | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    seed: int = 0,
    workers: int | None = None,
    address: str = "local",
) -> list[Progress]:
    """Run every agent on every benchmark and device with several seeds, in parallel on Ray.

    Every search is a task and leaves one run file below ``out/runs``; those that are there already
    are not run again, so the same call goes on where a killed one stopped. Results do not depend on
    the number of workers.

    Args:
        agents: names of agents.
        benchmarks: names of benchmarks.
        devices: names of devices; None for no latency.
        seeds: searches of each kind.
        budget: full trainings of each search.
        out: folder for results.
        reward: name of a formula.
        latency_target_ms: target of the formula, each device's median if not given.
        noise: ``"mean"`` or ``"sampled"``.
        max_queries: see :class:`~blox_env.problem.Problem`.
        options: constructor arguments of agents, by agent.
        seed: from which the seeds of all searches are spawned.
        workers: how many run at once, all cores if not given; 0 runs them here, without Ray.
        address: of a Ray cluster.

    Returns:
        One :class:`Progress` a search that was run now, in the order in which they ended.

    Raises:
        ValueError: for unknown names and options, before anything runs.
    """
    plan = make_plan(
        agents,
        benchmarks,
        devices,
        seeds=seeds,
        budget=budget,
        out=out,
        reward=reward,
        latency_target_ms=latency_target_ms,
        noise=noise,
        max_queries=max_queries,
        options=options,
        seed=seed,
    )
    return list(run_plan(plan, workers=workers, address=address))


def run_plan(
    plan: Sequence[Search], *, workers: int | None = None, address: str = "local"
) -> Iterator[Progress]:
    """Run what has no run file yet and yield each search as it ends."""
    left = unfinished(plan)
    for outcome in run_tasks(run_search, left, workers=workers, address=address):
        item = left[outcome.index]
        if outcome.error is None:
            write_run(Path(item.path), *outcome.result)
        yield Progress(item, outcome.error)


def unfinished(plan: Sequence[Search]) -> list[Search]:
    """The searches without a run file.

    Raises:
        ValueError: when a run file belongs to another experiment.
    """
    return [item for item in plan if not _finished(item)]


def make_plan(
    agents: Sequence[str],
    benchmarks: Sequence[str],
    devices: Sequence[str | None],
    *,
    seeds: int,
    budget: int,
    out: str | Path,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    seed: int = 0,
    **common: Any,  # noqa: ANN401
) -> list[Search]:
    """All searches of an experiment, checked before anything runs.

    Raises:
        ValueError: for unknown names, an agent that requires what a problem lacks, or a folder
            that holds another experiment.
    """
    options = dict(options or {})
    check_positive_int("seeds", seeds)
    for kind, names in (("agents", agents), ("benchmarks", benchmarks), ("devices", devices)):
        if not names or len(set(names)) < len(names):
            raise ValueError(f"{kind} must be different names, at least one, got {list(names)}")
    for name in options:
        if name not in agents:
            raise ValueError(f"options are given for {name!r}, which is not among {list(agents)}")
    made: dict[str, Agent] = {name: make_agent(name, options.get(name)) for name in agents}
    folder = Path(out).resolve()
    draws = spawn_seeds(seed, seeds)
    plan: list[Search] = []
    # seeds outermost, so that an experiment that was stopped has some of everything
    places = itertools.product(
        [registry.absolute("benchmark", name) for name in benchmarks],
        [None if name is None else registry.absolute("device", name) for name in devices],
    )
    for benchmark, device in places:
        probe = Search("", benchmark, device, seed=0, budget=budget, options=(), random=0, path="",
                       **common)  # fmt: skip
        problem = probe.problem()
        for name, agent in made.items():
            missing = agent.requires - problem.provides
            if missing:
                raise ValueError(f"{name} requires {sorted(missing)}, not there on {benchmark!r}")
        listable = "table" in problem.provides and problem.space.size <= 10**6
        best = problem.optimum()[1] if listable else None
        for number, name in itertools.product(range(seeds), agents):
            item = replace(
                probe,
                agent=name,
                seed=number,
                options=tuple(sorted(options.get(name, {}).items())),
                random=draws[number],
                optimum=best,
            )
            plan.append(replace(item, path=str(folder / "runs" / f"{item.name}.parquet")))
    plan.sort(key=lambda item: item.seed)
    return plan


def run_search(item: Search) -> tuple[bytes, dict[str, Any]]:
    """Run one search; its run file and sidecar. What a worker does, on whatever machine."""
    started, cpu = time.perf_counter(), time.process_time()
    problem = item.problem()
    history = search(problem, item.agent, seed=item.random, options=dict(item.options))
    meta = {
        "wall_s": time.perf_counter() - started,
        "cpu_s": time.process_time() - cpu,
        "finished_unix": time.time(),
        "host": platform.node(),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
    return encode_run(history, facts(item, problem)), meta


def facts(item: Search, problem: Problem) -> dict[str, Any]:
    """What determines a run, and its result; see :class:`~blox_env.experiment.results.Run`."""
    assert problem.history is not None
    best = problem.history.best()
    return {
        "agent": item.agent,
        "options": dict(item.options),
        "settings": settings(item),
        "benchmark": item.benchmark,
        "device": item.device,
        "space": problem.space.name,
        "reward": problem.reward_name,
        "latency_target_ms": None if item.device is None else problem.latency_target_ms,
        "budget": item.budget,
        "max_queries": problem.max_queries,
        "epochs": problem.benchmark.epochs,
        "noise": item.noise,
        "seed": item.seed,
        "random": item.random,
        "version": __version__,
        "checksums": {
            "benchmark": problem.benchmark.checksum(),
            "device": None if problem.device is None else problem.device.checksum(),
        },
        "best": best,
        "measured": (
            None
            if problem.device is None
            else bool(problem.device.measured(problem.history.x[best])[0])
        ),
        "test_acc": float(problem.test_acc(problem.history.x[best])[0]),
        "queries": problem.queries,
        "spent": problem.spent,
        "optimum": item.optimum,
    }


def settings(item: Search) -> dict[str, Any]:
    """All options of the agent with their values, defaults included, and a hash of its code."""
    made = registry.resolve("agent", item.agent)
    parameters = inspect.signature(made).parameters.values()
    values = {p.name: p.default for p in parameters if p.default is not p.empty}
    code = hashlib.sha256(inspect.getsource(inspect.getmodule(made) or made).encode()).hexdigest()
    # through JSON, so that what is compared is what a file gives back
    text = json.dumps({**values, **dict(item.options), "code": code[:16]}, default=repr)
    return dict(json.loads(text))


def _finished(item: Search) -> bool:
    """Whether the run file is there and is that of this very search.

    Raises:
        ValueError: when it is there and belongs to another experiment.
    """
    path = Path(item.path)
    if not path.exists():
        return False
    there = read_run(path).facts
    problem = item.problem()
    wanted = {
        "settings": settings(item),
        "version": __version__,
        "budget": item.budget,
        "max_queries": problem.max_queries,
        "random": item.random,
        "noise": item.noise,
        "reward": problem.reward_name,
        "latency_target_ms": None if item.device is None else problem.latency_target_ms,
        "checksums": {
            "benchmark": problem.benchmark.checksum(),
            "device": None if problem.device is None else problem.device.checksum(),
        },
    }
    for name, value in wanted.items():
        if there.get(name) != value:
            raise ValueError(
                f"{path} is of another experiment: {name} is {there.get(name)!r}, "
                f"expected {value!r}; choose another folder for out"
            )
    return True
