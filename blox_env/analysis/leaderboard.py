"""Places of agents from the experiments of several people, under one protocol.

Only what was validated belongs here: ``blox-env leaderboard`` runs every search again first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from blox_env.analysis.intervals import Estimate, improvement, iqm
from blox_env.analysis.statistics import by_agent, final_regret, reference
from blox_env.experiment.results import Run
from blox_env.ground.typing import FloatArray

SEEDS = 20
PROTOCOL = (
    (
        "A folder is what blox-env compare writes. It counts if blox-env validate confirms "
        "every trial of every run, the plan and the digests; one that does not is named with "
        "the reason."
    ),
    (
        "Results are put together only where benchmark, device, reward, target, budget, "
        "constraints, noise, simulated workers and the checksums of the data are the same."
    ),
    (
        "The seed of the experiment is 0, so that nobody picks the seed, and an agent has at "
        "least as many searches as the page says; all of its searches count."
    ),
    (
        "The score of a search is its simple regret: how far the reward of its best "
        "architecture is from the best of all. Searches see validation accuracy; test "
        "accuracy decides nothing."
    ),
    (
        "Rows are in the order of the interquartile mean of the scores, with its 95 % "
        "interval. A place is one more than the number of agents that are better beyond "
        "chance: the 95 % interval of the probability that one of their searches beats one of "
        "this agent's lies above one half. Agents that cannot be told apart share a place."
    ),
    (
        "Agents may be tuned, on other seeds than these; options that are not the defaults "
        "are shown."
    ),
)


@dataclass(frozen=True)
class Entry:
    """An agent's results from one folder.

    Attributes:
        place: 1 is the best; agents that cannot be told apart share one.
        agent: its name.
        options: what it was given beyond its defaults, as JSON.
        folder: where the runs are from.
        regret: interquartile mean of simple regret over the searches.
        solved: share of the searches that found the best of all.
    """

    place: int
    agent: str
    options: str
    folder: str
    regret: Estimate
    solved: float


@dataclass(frozen=True)
class Board:
    """All agents on one problem.

    Attributes:
        title: benchmark and device.
        facts: what the problem is, name and value in words.
        known: whether regret is measured to the best of the whole space, else to that of all runs.
        entries: in the order of their regret.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    known: bool
    entries: tuple[Entry, ...]


def boards(
    folders: Mapping[str, Sequence[Run]], *, seeds: int = SEEDS
) -> tuple[list[Board], list[str]]:
    """Boards of all problems in these folders, and sentences about what was left out.

    Args:
        folders: runs by name of the folder that they are from, validated.
        seeds: how many searches an agent has to have.
    """
    problems: dict[str, dict[tuple[str, str], list[Run]]] = {}
    left_out = []
    for folder, runs in folders.items():
        for key, group in _by_problem(runs):
            for agent, own in _by_options(group):
                if len(own) < seeds:
                    left_out.append(
                        f"{folder}: {agent} has {len(own)} searches, fewer than {seeds}"
                    )
                else:
                    problems.setdefault(key, {})[agent, folder] = own
    found = [_board(groups) for _, groups in sorted(problems.items())]
    return found, left_out


def _by_problem(runs: Sequence[Run]) -> Iterator[tuple[str, list[Run]]]:
    """Runs by all that has to be equal."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        facts = run.facts
        same = [facts.benchmark, facts.device, facts.space, facts.shared(), dict(facts.checksums)]
        groups.setdefault(json.dumps(same, sort_keys=True, default=dict), []).append(run)
    yield from groups.items()


def _by_options(runs: Sequence[Run]) -> Iterator[tuple[str, list[Run]]]:
    """Runs by agent; each search counts once, whatever files it is in."""
    for agent, group in by_agent(runs).items():
        yield agent, list({run.facts.repeat: run for run in group}.values())


def _board(groups: Mapping[tuple[str, str], Sequence[Run]]) -> Board:
    """The board of one problem.

    Args:
        groups: runs by agent and folder.
    """
    best, known = reference([run for runs in groups.values() for run in runs])
    scores = {
        key: np.array([final_regret(run, best) for run in runs]) for key, runs in groups.items()
    }
    entries = []
    for (agent, folder), own in scores.items():
        options = groups[agent, folder][0].facts.options
        entries.append(
            Entry(
                place=1 + sum(_beats(other, own) for other in scores.values() if other is not own),
                agent=agent,
                options=json.dumps(dict(options), sort_keys=True) if options else "",
                folder=folder,
                regret=iqm([own]),
                solved=float((own == 0).mean()) if known else np.nan,
            )
        )
    facts = next(iter(groups.values()))[0].facts
    said = {"benchmark": facts.benchmark, "device": facts.device, **facts.shared()}
    words = tuple((name, _words(value)) for name, value in said.items() if value not in (None, {}))
    return Board(
        title=f"{facts.benchmark}, {facts.device or 'no device'}",
        facts=words,
        known=known,
        entries=tuple(sorted(entries, key=lambda each: (each.regret.value, each.agent))),
    )


def _beats(one: FloatArray, other: FloatArray) -> bool:
    """True where searches of one agent are better than those of another beyond chance."""
    return improvement([one], [other]).low > 0.5


def _words(value: object) -> str:
    """A fact in words."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} ≤ {limit:g}" for name, limit in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)
