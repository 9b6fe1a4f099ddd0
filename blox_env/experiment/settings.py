"""The settings of an experiment: each is declared here once, with its type, default and meaning.

The signature of :func:`blox_env.compare`, the options of ``blox-env compare``, the plan, the run
files, validation and the page of a report all follow from these fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from blox_env.ground import defaults
from blox_env.ground.errors import check_positive_int
from blox_env.ground.seeds import spawn_seeds
from blox_env.problem import Problem
from blox_env.problem.clock import Clock


def _setting(
    default: Any, meaning: str, minimum: int | None = None, *, hashed: bool | None = None
) -> Any:
    """A field; ``hashed=False`` for values that have no hash, such as dicts."""
    return field(default=default, hash=hashed, metadata={"help": meaning, "minimum": minimum})


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """Settings that all searches of an experiment share; each field's ``help`` explains it."""

    budget: int = _setting(500, "Full trainings that each search may spend.", 1)
    reward: str | None = _setting(None, "Name of a reward formula.")
    latency_target_ms: float | None = _setting(
        None, "Latency target in ms; each device's median if not given."
    )
    constraints: Mapping[str, float] | None = _setting(
        None,
        "A limit that architectures have to keep to, as name=value: latency_ms, params, macs, "
        "flops, memory_mb, peak_activation_bytes. May be given several times.",
        hashed=False,
    )
    noise: str = _setting("mean", "'mean', or 'sampled' trainings.")
    max_queries: int | None = _setting(
        None, "Architectures that each search may ask for; 20 times the budget if not given.", 1
    )
    simulated_workers: int = _setting(
        1, "Trainings that each search does at once, in simulated time.", 1
    )
    simulated_hours: float | None = _setting(None, "Limit of each search in simulated time.")

    def shared(self) -> dict[str, Any]:
        """These settings by name, without those that a subclass adds."""
        return {each.name: getattr(self, each.name) for each in fields(SearchSettings)}

    def problem(self, benchmark: str, device: str | None, *, noise_seed: int = 0) -> Problem:
        """A fresh problem with a fresh clock.

        Args:
            benchmark: a name.
            device: a name, None for no latency.
            noise_seed: which training ``noise="sampled"`` draws of every architecture.
        """
        limits = self.constraints
        if isinstance(limits, Mapping):  # in the order in which files give them back
            limits = dict(sorted(limits.items()))
        return Problem(
            benchmark,
            device,
            self.reward,
            latency_target_ms=self.latency_target_ms,
            budget=self.budget,
            max_queries=self.max_queries,
            noise=self.noise,
            seed=noise_seed,
            constraints=limits,
            clock=Clock(self.simulated_workers, self.simulated_hours),
        )


@dataclass(frozen=True, kw_only=True)
class ExperimentSettings(SearchSettings):
    """Settings of an experiment: every agent on every benchmark and device, several times.

    Raises:
        ValueError: when names are missing or given twice, or options are for another agent.
    """

    agents: Sequence[str] = _setting(
        ("random-search", "regularized-evolution", "ppo"), "Names of agents."
    )
    benchmarks: Sequence[str] = _setting((defaults.BENCHMARK,), "Names of benchmarks.")
    devices: Sequence[str | None] = _setting(
        (defaults.DEFAULT,),
        f"Names of devices; 'none': no latency; 'default': {defaults.DEVICE} where the benchmark "
        "has its space, and none elsewhere.",
    )
    seeds: int = _setting(8, "Searches of each kind.", 1)
    seed: int = _setting(0, "Seed that those of all searches come from.", 0)
    options: Mapping[str, Mapping[str, Any]] | None = _setting(
        None, "Constructor arguments of agents, by agent."
    )

    def __post_init__(self) -> None:
        """Check what can be checked without loading anything."""
        for each in fields(self):
            minimum, value = each.metadata["minimum"], getattr(self, each.name)
            if minimum is not None and value is not None:
                check_positive_int(each.name, value, minimum)
        for kind in ("agents", "benchmarks", "devices"):
            names = getattr(self, kind)
            if isinstance(names, str):
                raise TypeError(f"{kind} must be a sequence of names, got the text {names!r}")
            if not names or len(set(names)) < len(names):
                raise ValueError(f"{kind} must be different names, at least one, got {list(names)}")
        for name in self.options or {}:
            if name not in self.agents:
                known = list(self.agents)
                raise ValueError(f"options are given for {name!r}, which is not among {known}")

    def options_of(self, agent: str) -> dict[str, Any]:
        """Constructor arguments of an agent."""
        return dict((self.options or {}).get(agent, {}))

    def search_seeds(self) -> list[int]:
        """The seeds of repeats 0, 1, …; they follow from ``seed``, and more of them begin alike."""
        return spawn_seeds(self.seed, self.seeds)

    def changed(self) -> dict[str, Any]:
        """Settings that are not the default, by name, in the order of a call."""
        order = ("agents", "benchmarks", "devices", "seeds", "budget", "seed")
        named = {each.name: each.default for each in fields(self)}
        names = [*order, *(name for name in named if name not in order)]
        values = {name: getattr(self, name) for name in names}
        return {name: value for name, value in values.items() if value != named[name]}
