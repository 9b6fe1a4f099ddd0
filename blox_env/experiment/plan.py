"""What an experiment is to do: its searches, and ``plan.json``, which says whose a folder is."""

from __future__ import annotations

import inspect
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from blox_env.agent import Agent, make_agent
from blox_env.experiment import provenance
from blox_env.experiment.results import read_facts
from blox_env.ground import registry
from blox_env.ground.errors import check_positive_int
from blox_env.ground.files import write_json
from blox_env.ground.seeds import spawn_seeds
from blox_env.problem import Problem
from blox_env.problem.clock import Clock
from blox_env.version import __version__

SCHEMA = 1
FILE = "plan.json"


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
    simulated_workers: int = 1
    simulated_hours: float | None = None

    @property
    def name(self) -> str:
        """What tells the search from the others of its experiment, as a file name."""
        parts = (self.agent, self.benchmark, self.device or "no-device", f"s{self.seed:03d}")
        return "__".join(part.replace(":", ".").replace("/", ".") for part in parts)

    @property
    def kind(self) -> tuple[str, str, str | None]:
        """What searches that take about equally long have in common."""
        return self.agent, self.benchmark, self.device

    @property
    def error_path(self) -> Path:
        """Where the errors of a search stand that failed for good."""
        return Path(self.path).with_suffix(".failed.json")

    def problem(self) -> Problem:
        """A fresh problem with a fresh clock."""
        return Problem(
            self.benchmark,
            self.device,
            self.reward,
            latency_target_ms=self.latency_target_ms,
            budget=self.budget,
            max_queries=self.max_queries,
            noise=self.noise,
            seed=self.seed,
            clock=Clock(self.simulated_workers, self.simulated_hours),
        )

    def determinants(self, problem: Problem) -> dict[str, Any]:
        """What decides the result, beyond the names in :attr:`name`; through JSON."""
        return {
            "settings": settings(self),
            "version": __version__,
            "versions": provenance.versions(_module(self.agent)),
            "budget": self.budget,
            "max_queries": problem.max_queries,
            "random": self.random,
            "noise": self.noise,
            "reward": problem.reward_name,
            "latency_target_ms": None if self.device is None else problem.latency_target_ms,
            "simulated_workers": self.simulated_workers,
            "simulated_hours": self.simulated_hours,
            "checksums": {
                "benchmark": problem.benchmark.checksum(),
                "device": None if problem.device is None else problem.device.checksum(),
            },
        }


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
    simulated_workers: int = 1,
    **common: Any,
) -> list[Search]:
    """All searches of an experiment, checked before anything runs.

    Raises:
        ValueError: for unknown names, an agent that requires what a problem lacks, or a benchmark
            that does not know how long trainings take where simulated time needs it.
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
                       simulated_workers=simulated_workers, **common)  # fmt: skip
        problem = probe.problem()
        for name, agent in made.items():
            missing = agent.requires - problem.provides
            if missing:
                raise ValueError(f"{name} requires {sorted(missing)}, not there on {benchmark!r}")
        if simulated_workers > 1 or common.get("simulated_hours") is not None:
            _check_times(problem)
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


def _check_times(problem: Problem) -> None:
    row = problem.space.sample(np.random.default_rng(0), 1)
    if np.isnan(problem.peek(row).train_time_s[0]):
        raise ValueError(
            f"benchmark {problem.benchmark.name!r} does not know how long trainings take: "
            f"simulated_workers must be 1 and simulated_hours None"
        )


def settings(item: Search) -> dict[str, Any]:
    """All options of the agent with their values, defaults included, and a hash of its code."""
    made = registry.resolve("agent", item.agent)
    parameters = inspect.signature(made).parameters.values()
    values = {p.name: p.default for p in parameters if p.default is not p.empty}
    values |= {**dict(item.options), "code": provenance.code(_module(item.agent))}
    # through JSON, so that what is compared is what a file gives back
    return dict(json.loads(json.dumps(values, default=repr)))


def unfinished(plan: Sequence[Search]) -> list[Search]:
    """The searches without a run file.

    Raises:
        ValueError: when a run file belongs to another experiment.
    """
    there = {item: item.name for item in plan if Path(item.path).exists()}
    wanted: dict[Any, dict[str, Any]] = {}  # those of a kind share all but the seed
    for item in there:
        if item.kind not in wanted:
            wanted[item.kind] = item.determinants(item.problem())
        facts = read_facts(item.path)
        for name, value in {**wanted[item.kind], "random": item.random}.items():
            if facts.get(name) != value:
                raise _other(item.path, name, facts.get(name), value)
    return [item for item in plan if item not in there]


def claim(plan: Sequence[Search]) -> None:
    """Write ``plan.json`` beside the folder of runs, or see that the one there agrees.

    It holds everything that decides the results. An experiment may grow, by agents, benchmarks,
    devices or seeds: then what is there has to be a part of it, and the larger plan takes its
    place. The commit is not in it: it changes with every file of the checkout, while what decides
    the results of an agent is a hash of its code, which is.

    Raises:
        ValueError: when the folder belongs to another experiment; says what differs.
    """
    path = Path(plan[0].path).parents[1] / FILE
    wanted = _description(plan)
    if path.exists():
        try:
            there = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path} is damaged: {error}") from error
        if there == wanted:
            return
        new = dict(_flat(wanted))
        for name, value in _flat(there):
            if name not in new:
                raise ValueError(
                    f"{path} is of another experiment: it has {name} = {value!r}, this one has "
                    f"not; choose another folder for out"
                )
            if new[name] != value:
                raise _other(path, name, value, new[name])
    write_json(path, wanted)


def _description(plan: Sequence[Search]) -> dict[str, Any]:
    """Everything that decides the results of an experiment, in terms of JSON."""
    shared = ("budget", "noise", "simulated_workers", "simulated_hours", "version")
    found: dict[str, Any] = {"schema": SCHEMA, "agents": {}, "problems": {}, "seeds": {}}
    for item in {item.kind: item for item in plan}.values():
        decides = item.determinants(item.problem())
        found |= {name: decides[name] for name in shared}
        found["agents"][item.agent] = {name: decides[name] for name in ("settings", "versions")}
        problem = f"{item.benchmark}, {item.device or 'no device'}"
        found["problems"][problem] = {
            name: decides[name]
            for name in ("reward", "latency_target_ms", "max_queries", "checksums")
        }
    found["seeds"] = {str(item.seed): item.random for item in plan}
    return found


def _flat(tree: Any, name: str = "") -> list[tuple[str, Any]]:
    """The leaves of nested dicts with dotted names."""
    if not isinstance(tree, dict):
        return [(name, tree)]
    return [
        leaf
        for key, value in tree.items()
        for leaf in _flat(value, f"{name}.{key}" if name else str(key))
    ]


def _other(path: str | Path, name: str, there: object, wanted: object) -> ValueError:
    return ValueError(
        f"{path} is of another experiment: {name} is {there!r}, expected {wanted!r}; "
        f"choose another folder for out"
    )


def _module(agent: str) -> str:
    """Name of the module that an agent's class is from."""
    return str(registry.resolve("agent", agent).__module__)
