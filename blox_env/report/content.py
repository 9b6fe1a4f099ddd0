"""Content of a page as data: a section a problem, one for all, and the call to repeat it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from blox_env.analysis.background import Background, space_of
from blox_env.analysis.fronts import FrontPoint, found_front
from blox_env.analysis.scores import REGRET, Pooled, Yardstick, best_runs, on_one
from blox_env.analysis.statistics import Summary, by_agent, count
from blox_env.analysis.targets import missed_target
from blox_env.experiment.facts import Facts
from blox_env.experiment.results import Run
from blox_env.experiment.settings import ExperimentSettings, SearchSettings
from blox_env.report import pictures, story, tables
from blox_env.report.architecture import architecture_svg
from blox_env.report.columns import problem_title, words
from blox_env.report.front_figure import TABLE
from blox_env.report.grid import Cell, Grid
from blox_env.report.pictures import Picture
from blox_env.spaces.base import SearchSpace

CHOICES = 80  # points of one front that can be chosen


@dataclass(frozen=True)
class Architecture:
    """An architecture as shown: an SVG, its stages in words, and its row of options."""

    drawing: str
    stages: Sequence[str]
    row: Sequence[int]


@dataclass(frozen=True)
class Best:
    """The best run of an agent: its cells by name, its architecture, and what is limited of it."""

    cells: Mapping[str, Cell]
    shown: Architecture
    limited: Mapping[str, Cell]


@dataclass(frozen=True)
class Section:
    """The part of a page about one problem.

    Attributes:
        title: of the problem.
        slug: the title as part of an id.
        compared: what was compared, in a sentence.
        conclusions: what came out, in sentences.
        warnings: what a reader has to know first, such as targets that were not met.
        estimates: table of interquartile means.
        matrix: table of probabilities of improvement, None for one agent.
        descriptive: table of medians.
        pictures: all but the front.
        front: accuracy against latency, None without a device.
        fronts: table of the architectures of all fronts, None without a device.
        architectures: what the points of the front show, by id.
        sources: where accuracies and latencies come from.
        best: the best run of each agent.
        runs: table of all runs.
        run_count: their number.
    """

    title: str
    slug: str
    compared: str
    conclusions: Sequence[str]
    warnings: Sequence[str]
    estimates: Grid
    matrix: Grid | None
    descriptive: Grid
    pictures: Sequence[Picture]
    front: Picture | None
    fronts: Grid | None
    architectures: Mapping[str, Architecture]
    sources: str
    best: Sequence[Best]
    runs: Grid
    run_count: int

    def every_picture(self) -> list[Picture]:
        """All pictures, the front last."""
        return [*self.pictures, *([] if self.front is None else [self.front])]


@dataclass(frozen=True)
class Together:
    """The part of a page about all problems: their number, sentences, a table and pictures."""

    problems: int
    conclusions: Sequence[str]
    matrix: Grid | None
    pictures: Sequence[Picture]


@dataclass(frozen=True)
class Again:
    """The call that gives the same runs, and its dependencies."""

    call: str
    versions: Sequence[str]
    checksums: Sequence[str]
    seeds: Sequence[str]
    default_seed: bool


def section(
    runs: Sequence[Run],
    rows: Sequence[Summary],
    background: Background,
    to: Yardstick,
    suffix: str,
) -> Section:
    """The section about one problem.

    Args:
        runs: all runs on it.
        rows: their summary.
        background: what its benchmark and device add.
        to: what the runs are measured against.
        suffix: of the names of its pictures.
    """
    slug = f"{rows[0].benchmark}-{rows[0].device or 'no-device'}"
    slug = "".join(c if c.isalnum() else "-" for c in slug)
    space = space_of(runs[0], background)
    pooled = on_one(runs, REGRET, to)
    fronts = _fronts(runs, background) if rows[0].device is not None else {}
    names = {
        point.row: f"a-{slug}-{'-'.join(map(str, point.row))}"
        for points in fronts.values()
        for point in points
    }
    sources = count(word for run in runs for word in run.columns["source"])
    said = f"Accuracies of all {sum(sources.values()):,} evaluations of all runs: {words(sources)}."
    if background.device is not None:
        from_ = count(background.device.provenance(np.concatenate([run.x for run in runs])))
        said += f" Their latencies: {words(from_)}."
    missed = missed_target(runs, background.whole)
    return Section(
        title=problem_title(rows[0]),
        slug=slug,
        compared=story.compared(runs),
        conclusions=story.conclusions(runs, to),
        warnings=[
            *([] if missed is None else [story.warning(missed, runs[0].facts.constraints)]),
            *story.broken(runs),
        ],
        estimates=tables.estimates(runs, to),
        matrix=tables.matrix(pooled) if len(pooled.agents()) > 1 else None,
        descriptive=tables.descriptive(rows),
        pictures=[*pictures.progress(runs, to, suffix), *pictures.compared(pooled, suffix)],
        front=pictures.front(runs, background, fronts, names, suffix) if fronts else None,
        fronts=tables.front_table(fronts, space, TABLE) if fronts else None,
        architectures={name: _architecture(space, row) for row, name in names.items()},
        sources=said,
        best=[_best(run, space, to.best) for run in best_runs(runs).values()],
        runs=tables.every_run(runs, to.best),
        run_count=len(runs),
    )


def together(pooled: Pooled) -> Together | None:
    """The section about all problems; None for one problem, or without a common agent."""
    agents = pooled.agents()
    if not agents or len(pooled.values[agents[0]]) < 2:
        return None
    return Together(
        problems=len(pooled.values[agents[0]]),
        conclusions=story.overall(pooled),
        matrix=tables.matrix(pooled) if len(agents) > 1 else None,
        pictures=pictures.compared(pooled, "-together"),
    )


def again(runs: Sequence[Run]) -> Again:
    """The call that gives these runs again, and what it depends on."""
    facts = [run.facts for run in runs]
    settings = _settings(facts)
    arguments = {**settings.changed(), "out": "runs/again"}
    lines = [
        f"    {name}={list(value) if isinstance(value, tuple) else value!r},"
        for name, value in arguments.items()
    ]
    spawned = settings.search_seeds()
    draws = _distinct((f.repeat, f.seed) for f in facts)
    return Again(
        call="\n".join(["import blox_env", "", "blox_env.compare(", *lines, ")"]),
        versions=_distinct(map(_versions, runs)),
        checksums=_distinct(
            f"{kind} {getattr(f, kind)}: {f.checksums[kind]}"
            for f in facts
            for kind in ("benchmark", "device")
            if f.checksums.get(kind) is not None
        ),
        seeds=[f"{repeat}: {seed}" for repeat, seed in draws],
        default_seed=all(seed == spawned[repeat] for repeat, seed in draws),
    )


def _settings(facts: Sequence[Facts]) -> ExperimentSettings:
    """The settings of an experiment, from what its run files say."""
    first = next((f for f in facts if f.device is not None), facts[0])
    shared: dict[str, Any] = first.shared()
    targets = _distinct(f.latency_target_ms for f in facts if f.device is not None)
    if len(targets) != 1:  # each device has a target of its own: the default
        shared["latency_target_ms"] = SearchSettings.latency_target_ms
    return ExperimentSettings(
        agents=tuple(_distinct(f.agent for f in facts)),
        benchmarks=tuple(_distinct(f.benchmark for f in facts)),
        devices=tuple(_distinct(f.device for f in facts)),
        seeds=1 + max(f.repeat for f in facts),
        options={f.agent: dict(f.options) for f in facts if f.options} or None,
        **shared,
    )


def _fronts(runs: Sequence[Run], background: Background) -> dict[str, list[FrontPoint]]:
    """Fronts by agent, and the whole space's; long ones thinned."""
    fronts = {TABLE: list(background.front)}  # drawn first, below the others
    fronts |= {agent: found_front(own, background.device) for agent, own in by_agent(runs).items()}
    return {
        agent: [points[i] for i in _spread(len(points))]
        for agent, points in fronts.items()
        if points
    }


def _spread(n: int) -> list[int]:
    kept: list[int] = np.unique(np.linspace(0, n - 1, min(n, CHOICES)).round()).astype(int).tolist()
    return kept


def _architecture(space: SearchSpace | None, row: Sequence[int]) -> Architecture:
    drawing = "" if space is None else architecture_svg(space, row)
    stages = [] if space is None else space.describe(np.array(row)).split(" | ")
    return Architecture(drawing, stages, list(row))


def _best(run: Run, space: SearchSpace | None, best: float) -> Best:
    """The best architecture of an agent's best run."""
    cells = tables.run_cells(run, best)
    limited = {name: cells[name] for name in tables.limited(run)}
    return Best(cells, _architecture(space, run.x[run.facts.best].tolist()), limited)


def _versions(run: Run) -> str:
    """Versions that ran the search, as far as the files tell."""
    known = {"blox-env": run.facts.version}
    known |= {name: run.meta[name] for name in ("python", "numpy") if name in run.meta}
    known |= run.facts.versions
    text = ", ".join(f"{name} {version}" for name, version in known.items())
    git = run.meta.get("git")
    if git and git.get("commit"):
        text += f"; commit {git['commit'][:12]}{', changed' if git.get('dirty') else ''}"
    return text


def _distinct(values: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys(values))
