"""``plan.json``: what a folder of runs is to hold, and everything that decides the results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from blox_env.experiment.plan import Search, other_experiment
from blox_env.experiment.results import is_whole, parse_json, run_digest
from blox_env.experiment.settings import SearchSettings
from blox_env.ground.files import write_json

SCHEMA = 2
FILE = "plan.json"
DIGESTS = "digests.json"
# Settings that each problem resolves for itself; the others are the same in the whole folder.
_BY_PROBLEM = ("reward", "latency_target_ms", "max_queries")
_LATER = {"constraints": None}  # settings that plans were written without, and what they were
_SECTIONS = ("seeds", "agents", "problems")


def claim(plan: Sequence[Search], seed: int) -> None:
    """Write ``plan.json`` beside the folder of runs, or see that the one there agrees.

    An experiment may grow by agents, benchmarks, devices or seeds, and a call may ask for a part of
    what is there; the file holds all that was asked for. What both have must be equal. The commit
    is not in it: it changes with every file of the checkout, while what decides the results of an
    agent is a hash of its code, which is.

    Args:
        plan: the searches, at least one.
        seed: that those of the searches come from.

    Raises:
        ValueError: when the folder belongs to another experiment; says what differs.
    """
    path = Path(plan[0].path).parents[1] / FILE
    wanted = description(plan, seed)
    there = read_plan(path)
    if there is None:
        write_json(path, wanted)
    elif (both := _merged(path, there, wanted)) != there:
        write_json(path, both)


def description(plan: Sequence[Search], seed: int) -> dict[str, Any]:
    """Everything that decides the results of an experiment, in terms of JSON.

    Args:
        plan: the searches.
        seed: that those of the searches come from.
    """
    found: dict[str, Any] = {"schema": SCHEMA, "seed": seed, "agents": {}, "problems": {}}
    repeats: dict[str, dict[str, int]] = {}
    for item in {item.kind: item for item in plan}.values():
        origin = item.origin(item.problem())
        values = origin.shared()
        found |= {name: values[name] for name in values if name not in _BY_PROBLEM}
        found["version"] = origin.version
        found["agents"][item.agent] = {
            "settings": origin.agent_settings,
            "versions": origin.versions,
        }
        found["problems"][problem_name(item.benchmark, item.device)] = {
            "benchmark": item.benchmark,
            "device": item.device,
            "checksums": origin.checksums,
            **{name: values[name] for name in _BY_PROBLEM},
        }
    for item in plan:
        counts = repeats.setdefault(problem_name(item.benchmark, item.device), {})
        counts[item.agent] = max(counts.get(item.agent, 0), item.repeat + 1)
    found["seeds"] = {str(item.repeat): item.seed for item in plan}
    return {**found, "repeats": repeats}


def write_digests(folder: Path) -> None:
    """Write the digest of each run file in a folder, and one over them all.

    Args:
        folder: of an experiment that has ended.
    """
    paths = [path for path in sorted(folder.glob("runs/*.parquet")) if is_whole(path)]
    runs = {path.name: run_digest(path) for path in paths}
    write_json(folder / DIGESTS, {"runs": runs, "sha256": folder_digest(runs)})


def folder_digest(runs: Mapping[str, str]) -> str:
    """The digest over the run files of a folder, from theirs by name of the file."""
    return hashlib.sha256(json.dumps(dict(runs), sort_keys=True).encode()).hexdigest()


def read_plan(path: Path) -> dict[str, Any] | None:
    """Read a ``plan.json``; None where there is none, or one that is empty.

    Raises:
        ValueError: for a file that is damaged or of another version; names it.
    """
    try:
        text = path.read_text(encoding="utf-8")
        there = parse_json(text) if text.strip() else None
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    if there is None:
        return None
    if not isinstance(there, dict) or there.get("schema") != SCHEMA:
        schema = there.get("schema") if isinstance(there, dict) else None
        raise ValueError(
            f"{path} has schema {schema!r}, expected {SCHEMA}: it was written by another version "
            f"of blox-env; choose another folder for out"
        )
    there = {**_LATER, **there}
    known = {each for each in SearchSettings().shared() if each not in _BY_PROBLEM}
    needed = {"seed", "version", "repeats", *_SECTIONS, *known}
    if missing := sorted(needed - there.keys()):
        raise ValueError(f"{path} is damaged: it lacks {', '.join(missing)}")
    for name in ("repeats", *_SECTIONS):
        if not isinstance(there[name], dict):
            raise ValueError(f"{path} is damaged: {name} must be an object")
    for name in ("repeats", "agents", "problems"):
        for key, value in there[name].items():
            if not isinstance(value, dict):
                raise ValueError(f"{path} is damaged: {name}.{key} must be an object"[:300])
    counts = [count for each in there["repeats"].values() for count in each.values()]
    numbers = [there["seed"], *there["seeds"].values(), *counts]
    if not all(type(each) is int and each >= 0 for each in numbers):
        raise ValueError(f"{path} is damaged: seeds and repeats must be whole numbers")
    if not all(repeat.isdecimal() for repeat in there["seeds"]):
        raise ValueError(f"{path} is damaged: seeds must be by number of the repeat")
    return there


def problem_name(benchmark: str, device: str | None) -> str:
    """Name of a problem in a plan.

    Args:
        benchmark: name of the benchmark.
        device: name of the device, None for no latency.
    """
    return f"{benchmark}, {device or 'no device'}"


def _merged(path: Path, there: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The union of two plans.

    Raises:
        ValueError: where both say something different about the same thing.
    """
    both = dict(there)
    for name, value in wanted.items():
        if name not in (*_SECTIONS, "repeats") and there.get(name) != value:
            raise other_experiment(path, name, there.get(name), value)
    for section in _SECTIONS:
        both[section] = {**there[section], **wanted[section]}
        for name in there[section].keys() & wanted[section].keys():
            _check_equal(path, f"{section}.{name}", there[section][name], wanted[section][name])
    both["repeats"] = {problem: dict(counts) for problem, counts in there["repeats"].items()}
    for problem, counts in wanted["repeats"].items():
        known = both["repeats"].setdefault(problem, {})
        known |= {agent: max(known.get(agent, 0), count) for agent, count in counts.items()}
    return both


def _check_equal(path: Path, name: str, there: Any, wanted: Any) -> None:
    """Compare leaf by leaf, so that the message names what differs."""
    if isinstance(there, dict) and isinstance(wanted, dict):
        for key in sorted(there.keys() | wanted.keys()):
            _check_equal(path, f"{name}.{key}", there.get(key), wanted.get(key))
    elif there != wanted:
        raise other_experiment(path, name, there, wanted)
