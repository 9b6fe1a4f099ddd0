"""The searches of an experiment, in the order in which they run."""

from __future__ import annotations

import hashlib
import inspect
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from blox_env.agent import Agent, make_agent
from blox_env.benchmarks.base import load_benchmark
from blox_env.experiment import provenance
from blox_env.experiment.facts import Facts, Origin, differing
from blox_env.experiment.results import is_whole, read_facts
from blox_env.experiment.settings import ExperimentSettings, SearchSettings
from blox_env.ground import defaults, registry
from blox_env.problem import Problem
from blox_env.problem.task import device_of
from blox_env.version import __version__

_READABLE = 40  # characters of one part of a file's name


@dataclass(frozen=True, kw_only=True)
class Search:
    """One search of an experiment, all that a worker needs to know.

    Attributes:
        agent: name of the agent.
        benchmark: name of the benchmark.
        device: name of the device, None for no latency.
        settings: what all searches of the experiment share.
        repeat: number of the search among those of its kind, from 0.
        seed: of the agent's random choices.
        options: arguments of the agent.
        path: of the run file.
        optimum: reward of the best of the whole space, None where that is not known.
    """

    agent: str
    benchmark: str
    device: str | None
    settings: SearchSettings
    repeat: int
    seed: int
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    path: str = ""
    optimum: float | None = None

    @classmethod
    def of(cls, facts: Facts, path: str | Path) -> Search:
        """The search that a run file is of.

        Args:
            facts: what stands in the file.
            path: of the file.
        """
        return cls(
            agent=facts.agent,
            benchmark=facts.benchmark,
            device=facts.device,
            settings=SearchSettings(**facts.shared()),
            repeat=facts.repeat,
            seed=facts.seed,
            options=facts.options,
            path=str(path),
            optimum=facts.optimum,
        )

    @property
    def name(self) -> str:
        """Name of the search, unique in its experiment, as a file name."""
        parts = (self.agent, self.benchmark, self.device or "no-device")
        return "__".join([*map(_file_name, parts), f"s{self.repeat:03d}"])

    @property
    def kind(self) -> tuple[str, str, str | None]:
        """Agent, benchmark and device: searches of one kind take about equally long."""
        return self.agent, self.benchmark, self.device

    @property
    def noise_seed(self) -> int:
        """Seed of the training that ``noise="sampled"`` draws: another one in every repeat."""
        return self.repeat

    @property
    def error_path(self) -> Path:
        """File with the error of a search that failed for good."""
        return Path(self.path).with_suffix(".failed.json")

    def problem(self) -> Problem:
        """A fresh problem with a fresh clock."""
        return self.settings.problem(self.benchmark, self.device, noise_seed=self.noise_seed)

    def origin(self, problem: Problem) -> Origin:
        """Everything that determines the run, as ``problem`` resolved it."""
        resolved = {
            **self.settings.shared(),
            "reward": problem.reward_name,
            "latency_target_ms": None if self.device is None else problem.latency_target_ms,
            "max_queries": problem.max_queries,
            "constraints": problem.constraints.limits or None,
        }
        return Origin(
            agent=self.agent,
            benchmark=self.benchmark,
            device=self.device,
            repeat=self.repeat,
            seed=self.seed,
            noise_seed=self.noise_seed,
            options=_through_json(self.options),
            agent_settings=_agent_settings(self),
            space=problem.space.name,
            epochs=problem.benchmark.epochs,
            version=__version__,
            versions=provenance.versions(_module(self.agent)),
            checksums={
                "benchmark": problem.benchmark.checksum(),
                "device": None if problem.device is None else problem.device.checksum(),
            },
            **resolved,
        )


def make_plan(settings: ExperimentSettings, out: str | Path) -> list[Search]:
    """All searches of an experiment, checked before anything runs.

    Args:
        settings: what the experiment is asked to do.
        out: folder for results.

    Returns:
        The searches, seeds outermost, so that an experiment that was stopped has some of each kind.

    Raises:
        ValueError: for unknown names, an agent that requires what a problem lacks, or a benchmark
            that does not know how long trainings take where simulated time needs it.
    """
    made: dict[str, Agent] = {
        name: make_agent(name, settings.options_of(name)) for name in settings.agents
    }
    folder = Path(out).resolve()
    places = itertools.product(
        [registry.absolute("benchmark", name) for name in settings.benchmarks],
        settings.devices,
    )
    shared = SearchSettings(**settings.shared())
    seeds = settings.search_seeds()
    plan: list[Search] = []
    for benchmark, asked in places:
        device = asked
        if asked == defaults.DEFAULT:
            device = device_of(load_benchmark(benchmark))
        elif asked is not None:
            device = registry.absolute("device", asked)
        problem = shared.problem(benchmark, device)
        for name, agent in made.items():
            if missing := agent.requires - problem.provides:
                raise ValueError(f"{name} requires {sorted(missing)}, not there on {benchmark!r}")
        if settings.simulated_workers > 1 or settings.simulated_hours is not None:
            _check_times(problem)
        best = optimum(problem)
        for (repeat, seed), name in itertools.product(enumerate(seeds), settings.agents):
            item = Search(
                agent=name,
                benchmark=benchmark,
                device=device,
                settings=shared,
                repeat=repeat,
                seed=seed,
                options=settings.options_of(name),
                optimum=best,
            )
            plan.append(replace(item, path=str(folder / "runs" / f"{item.name}.parquet")))
    plan.sort(key=lambda item: item.repeat)
    return plan


def optimum(problem: Problem) -> float | None:
    """The best reward of the whole space, None where that is too large or costly to look up."""
    table = "table" in problem.provides and problem.space.listable
    listable = table or not problem.candidates.complete  # a store of which a part is known
    return problem.optimum()[1] if listable else None


def unfinished(plan: Sequence[Search]) -> list[Search]:
    """The searches without a run file; one that is empty or was cut off counts as missing.

    Raises:
        ValueError: when a run file belongs to another experiment.
    """
    there = {item.name: item for item in plan if is_whole(Path(item.path))}
    wanted: dict[tuple[str, str, str | None], Origin] = {}  # those of a kind share all but seeds
    for item in there.values():
        if item.kind not in wanted:
            wanted[item.kind] = item.origin(item.problem())
        own = replace(
            wanted[item.kind], repeat=item.repeat, seed=item.seed, noise_seed=item.noise_seed
        )
        facts = read_facts(item.path)
        for name in differing(facts, own):
            raise other_experiment(item.path, name, getattr(facts, name), getattr(own, name))
    return [item for item in plan if item.name not in there]


def other_experiment(path: str | Path, name: str, there: object, wanted: object) -> ValueError:
    """The error for a file that belongs to another experiment.

    Args:
        path: the file.
        name: what differs.
        there: its value in the file.
        wanted: its value in the experiment.
    """
    return ValueError(
        f"{path} is of another experiment: {name} is {there!r}, expected {wanted!r}; "
        f"choose another folder for out"
    )


def _check_times(problem: Problem) -> None:
    row = problem.space.sample(np.random.default_rng(0), 1)
    if np.isnan(problem.peek(row).train_time_s[0]):
        raise ValueError(
            f"benchmark {problem.benchmark.name!r} does not know how long trainings take: "
            f"simulated_workers must be 1 and simulated_hours None"
        )


def _agent_settings(item: Search) -> dict[str, Any]:
    """All arguments of the agent with their values, defaults included, and a hash of its code."""
    made = registry.resolve("agent", item.agent)
    parameters = inspect.signature(made).parameters.values()
    values = {p.name: p.default for p in parameters if p.default is not p.empty}
    return _through_json({**values, **item.options, "code": provenance.code(_module(item.agent))})


def _through_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as a file gives them back."""
    return dict(json.loads(json.dumps(dict(values), default=repr)))


def _module(agent: str) -> str:
    """Name of the module that an agent's class is from."""
    return str(registry.resolve("agent", agent).__module__)


def _file_name(name: str) -> str:
    """A name as part of a file's name: itself, or its end and a hash where it cannot be kept.

    Different names give different parts, also on file systems that fold upper and lower case.
    """
    if len(name) <= _READABLE and re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name) and "__" not in name:
        return name
    readable = re.sub(r"[^A-Za-z0-9.-]+", ".", name)[-_READABLE:].strip(".-")
    return f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
