"""Validation of a folder: its run files are those of its plan, each once, and none was changed.

This tells what was left out, added, copied or renamed. It cannot tell how the seed of the
experiment was chosen, or how often the whole experiment was run before one was kept.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from blox_env.experiment.facts import Facts
from blox_env.experiment.plan import Search
from blox_env.experiment.planfile import DIGESTS, FILE, folder_digest, problem_name, read_plan
from blox_env.experiment.results import parse_json, read_facts, run_digest
from blox_env.experiment.settings import ExperimentSettings
from blox_env.experiment.validate import Mismatch, Verdict
from blox_env.ground.seeds import spawn_seeds

_BY_PROBLEM = ("benchmark", "device", "reward", "latency_target_ms", "max_queries", "checksums")
_SHARED = ("budget", "noise", "constraints", "simulated_workers", "simulated_hours", "version")


def validate_folder(folder: str | Path) -> Verdict:
    """Compare the run files of a folder with its ``plan.json`` and ``digests.json``.

    Never raises for what is wrong with them.
    """
    path = Path(folder) / FILE
    try:
        plan = read_plan(path)
        if plan is None:
            return Verdict(path, error=f"{path} is not there: nothing says what was to be run")
        return _validate(path, plan)
    except Exception as error:  # noqa: BLE001 (whatever is in the files, it is their fault)
        return Verdict(path, error=f"{type(error).__name__}: {error}")


def _validate(path: Path, plan: Mapping[str, Any]) -> Verdict:
    files = sorted(path.parent.glob("runs/*.parquet"))
    facts = {file.name: read_facts(file) for file in files}
    wrong = [*_seeds(plan), *_run_set(plan, facts), *_digests(path.parent, files)]
    for name, said in facts.items():
        wrong += [
            Mismatch(None, f"{name}: {m.column}", m.expected, m.got) for m in _one(plan, said)
        ]
    notes: tuple[str, ...] = ()
    if plan["seed"] != ExperimentSettings.seed:
        note = (
            f"the experiment's seed is {plan['seed']}, not the default {ExperimentSettings.seed}: "
            "nothing tells whether it was chosen after its results were known"
        )
        notes = (note,)
    return Verdict(path, mismatches=tuple(wrong), notes=notes)


def _seeds(plan: Mapping[str, Any]) -> Iterator[Mismatch]:
    """The seeds of the searches against the experiment's."""
    said = {int(repeat): seed for repeat, seed in plan["seeds"].items()}
    spawned = spawn_seeds(plan["seed"], 1 + max(said, default=0))
    for repeat, seed in sorted(said.items()):
        if not 0 <= repeat < len(spawned) or seed != spawned[repeat]:
            yield Mismatch(None, f"seeds.{repeat}", spawned[repeat], seed)


def _run_set(plan: Mapping[str, Any], facts: Mapping[str, Facts]) -> Iterator[Mismatch]:
    """The searches of the plan, each in one file of its name."""
    wanted = {
        (problem, agent, repeat)
        for problem, counts in plan["repeats"].items()
        for agent, count in counts.items()
        for repeat in range(count)
    }
    there = sorted(
        (problem_name(f.benchmark, f.device), f.agent, f.repeat, name) for name, f in facts.items()
    )
    found = set()
    for place, same in itertools.groupby(there, key=lambda each: each[:3]):
        names = [name for *_, name in same]
        found.add(place)
        if place not in wanted:
            yield Mismatch(None, "run files", "only those of the plan", ", ".join(names))
        elif len(names) > 1:
            yield Mismatch(None, "run files", f"one of {_shown(place)}", ", ".join(names))
    for place in sorted(wanted - found):
        yield Mismatch(None, "run files", f"one of {_shown(place)}", "none")
    for name, said in facts.items():
        expected = f"{Search.of(said, name).name}.parquet"
        if name != expected:
            yield Mismatch(None, "name of a run file", expected, name)


def _one(plan: Mapping[str, Any], said: Facts) -> Iterator[Mismatch]:
    """Compare what determines a run with the plan."""
    problem = plan["problems"].get(problem_name(said.benchmark, said.device), {})
    agent = plan["agents"].get(said.agent, {})
    wanted = {
        "seed": plan["seeds"].get(str(said.repeat)),
        "agent_settings": agent.get("settings"),
        "versions": agent.get("versions"),
        **{name: problem.get(name) for name in _BY_PROBLEM},
        **{name: plan[name] for name in _SHARED},
    }
    for name, value in wanted.items():
        if getattr(said, name) != value:
            yield Mismatch(None, name, value, getattr(said, name))


def _digests(folder: Path, files: list[Path]) -> Iterator[Mismatch]:
    """The digests of the run files against those that were written when the experiment ended."""
    path = folder / DIGESTS
    if not path.exists():
        yield Mismatch(None, DIGESTS, "written when the comparison has ended", "not there")
        return
    said = _read_digests(path)
    if said["sha256"] != folder_digest(said["runs"]):
        yield Mismatch(None, f"{DIGESTS}: sha256", folder_digest(said["runs"]), said["sha256"])
    now = {file.name: run_digest(file) for file in files}
    for name in sorted(name for name, digest in now.items() if not digest):
        yield Mismatch(None, f"digest of {name}", "one, as its plan's version has", "none")
    for name in sorted(now.keys() | said["runs"].keys()):
        if now.get(name) != said["runs"].get(name):
            yield Mismatch(None, f"digest of {name}", said["runs"].get(name), now.get(name))


def _read_digests(path: Path) -> dict[str, Any]:
    """The digests of a folder.

    Raises:
        ValueError: names the file, where it is damaged.
    """
    try:
        said = parse_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    if not isinstance(said, dict) or not isinstance(said.get("runs"), dict) or "sha256" not in said:
        raise ValueError(f"{path} is damaged: expected an object with runs and sha256")
    return said


def _shown(place: tuple[Any, ...]) -> str:
    problem, agent, repeat = place
    return f"{agent}, {problem}, repeat {repeat}"
