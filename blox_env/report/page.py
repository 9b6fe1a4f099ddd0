"""The page: one HTML file that needs no other and no network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import Any

import numpy as np

from blox_env.analysis.fronts import FrontPoint, found_front
from blox_env.analysis.scores import REGRET, Pooled, Yardstick, best_runs, on_one
from blox_env.analysis.statistics import Summary, by_agent, count
from blox_env.experiment.results import Run
from blox_env.ground.extras import extra
from blox_env.ground.seeds import spawn_seeds
from blox_env.report import pictures, story, tables
from blox_env.report.architecture import architecture_svg
from blox_env.report.columns import problem_title, words
from blox_env.report.front_figure import TABLE
from blox_env.report.ground import Ground, space_of
from blox_env.report.pictures import Picture
from blox_env.report.themes import DARK, LIGHT
from blox_env.spaces.base import SearchSpace

CHOICES = 80  # points of one front that can be chosen


def section(
    runs: Sequence[Run], rows: Sequence[Summary], ground: Ground, to: Yardstick, suffix: str
) -> dict[str, Any]:
    """What the page says about one problem; ``pictures`` and ``front`` have files as well."""
    slug = f"{rows[0].benchmark}-{rows[0].device or 'no-device'}"
    slug = "".join(c if c.isalnum() else "-" for c in slug)
    space = space_of(runs[0], ground)
    pooled = on_one(runs, REGRET, to)
    fronts = _fronts(runs, ground) if rows[0].device is not None else {}
    names = {
        point.row: f"a-{slug}-{'-'.join(map(str, point.row))}"
        for points in fronts.values()
        for point in points
    }
    sources = count(word for run in runs for word in run.columns["source"])
    said = f"Accuracies of all {sum(sources.values()):,} evaluations of all runs: {words(sources)}."
    if ground.device is not None:
        flags = ground.device.measured(np.concatenate([run.x for run in runs]))
        measured = count("measured" if flag else "predicted" for flag in flags)
        said += f" Their latencies: {words(measured)}."
    return {
        "title": problem_title(rows[0]),
        "slug": slug,
        "compared": story.compared(runs),
        "conclusions": story.conclusions(runs, to),
        "estimates": tables.estimates(runs, to),
        "matrix": tables.matrix(pooled) if len(pooled.agents()) > 1 else None,
        "descriptive": tables.descriptive(rows),
        "pictures": [*pictures.progress(runs, to, suffix), *pictures.compared(pooled, suffix)],
        "front": pictures.front(runs, ground, fronts, names, suffix) if fronts else None,
        "fronts": tables.front_table(fronts, space, TABLE) if fronts else None,
        "architectures": {name: _architecture(space, row) for row, name in names.items()},
        "sources": said,
        "best": [_best(run, space, to.best) for run in best_runs(runs).values()],
        "runs": tables.every_run(runs, to.best),
        "run_count": len(runs),
    }


def together(pooled: Pooled) -> dict[str, Any] | None:
    """What the page says about all problems, None where there is one or nothing in common."""
    agents = pooled.agents()
    if not agents or len(pooled.values[agents[0]]) < 2:
        return None
    return {
        "problems": len(pooled.values[agents[0]]),
        "conclusions": story.overall(pooled),
        "matrix": tables.matrix(pooled) if len(agents) > 1 else None,
        "pictures": pictures.compared(pooled, "-together"),
    }


def render(
    sections: Sequence[Mapping[str, Any]],
    whole: Mapping[str, Any] | None,
    *,
    agents: Sequence[str],
    cards: Mapping[str, str],
    missing: Sequence[str],
    how: Mapping[str, Any],
) -> str:
    """The page as HTML."""
    script = _part("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return str(
        _template().render(
            agents=agents,
            sections=sections,
            whole=whole,
            cards=cards,
            missing=missing,
            how=how,
            style=_part("report.css"),
            script=script,
            script_hash=digest,
            light=LIGHT.variables(),
            dark=DARK.variables(),
        )
    )


def reproduce(runs: Sequence[Run]) -> dict[str, Any]:
    """The call that gives these runs again, and what it depends on."""
    facts = [run.facts for run in runs]
    first = next((f for f in facts if f["device"] is not None), facts[0])
    arguments: dict[str, Any] = {
        "agents": _distinct(f["agent"] for f in facts),
        "benchmarks": _distinct(f["benchmark"] for f in facts),
        "devices": _distinct(f["device"] for f in facts),
        "seeds": 1 + max(f["seed"] for f in facts),
        "budget": first["budget"],
        "reward": first["reward"],
    }
    targets = _distinct(f["latency_target_ms"] for f in facts if f["device"] is not None)
    if len(targets) == 1:
        arguments["latency_target_ms"] = targets[0]
    if first["noise"] != "mean":
        arguments["noise"] = first["noise"]
    if first.get("max_queries") is not None:
        arguments["max_queries"] = first["max_queries"]
    for name in ("simulated_workers", "simulated_hours"):
        if first.get(name) is not None:
            arguments[name] = first[name]
    options = {f["agent"]: f["options"] for f in facts if f.get("options")}
    if options:
        arguments["options"] = options
    lines = [f"    {name}={value!r}," for name, value in {**arguments, "out": "runs/again"}.items()]
    draws = _distinct((f["seed"], f.get("random")) for f in facts)
    spawned = spawn_seeds(0, 1 + max(number for number, _ in draws))
    return {
        "call": "\n".join(["import blox_env", "", "blox_env.compare(", *lines, ")"]),
        "versions": _distinct(map(_versions, runs)),
        "checksums": _distinct(
            f"{kind} {f[kind]}: {value}"
            for f in facts
            for kind, value in f.get("checksums", {}).items()
            if value is not None
        ),
        "seeds": [f"{number}: {draw}" for number, draw in draws],
        "default_seed": all(draw == spawned[number] for number, draw in draws),
    }


def every_picture(content: Mapping[str, Any]) -> list[Picture]:
    """The pictures of a section."""
    front = content.get("front")
    return [*content["pictures"], *([] if front is None else [front])]


def _fronts(runs: Sequence[Run], ground: Ground) -> dict[str, list[FrontPoint]]:
    """Fronts by agent, and the whole space's; long ones thinned."""
    fronts = {TABLE: list(ground.front)}  # drawn first, below the others
    fronts |= {agent: found_front(own, ground.device) for agent, own in by_agent(runs).items()}
    return {
        agent: [points[i] for i in _spread(len(points))]
        for agent, points in fronts.items()
        if points
    }


def _spread(n: int) -> list[int]:
    kept: list[int] = np.unique(np.linspace(0, n - 1, min(n, CHOICES)).round()).astype(int).tolist()
    return kept


def _architecture(space: SearchSpace | None, row: Sequence[int]) -> dict[str, Any]:
    """What is shown of an architecture."""
    drawing = "" if space is None else architecture_svg(space, row)
    stages = [] if space is None else space.describe(np.array(row)).split(" | ")
    return {"drawing": drawing, "stages": stages, "row": list(row)}


def _best(run: Run, space: SearchSpace | None, best: float) -> dict[str, Any]:
    """The best architecture of an agent's best run."""
    row = run.x[run.facts["best"]].tolist()
    cells = {name: cell.text for name, cell in tables.run_cells(run, best).items()}
    return {**cells, **_architecture(space, row)}


def _versions(run: Run) -> str:
    """What ran the search, as far as the files tell."""
    known = {"blox-env": run.facts["version"]}
    known |= {name: run.meta[name] for name in ("python", "numpy") if name in run.meta}
    known |= run.facts.get("versions") or {}
    text = ", ".join(f"{name} {version}" for name, version in known.items())
    git = run.meta.get("git")
    if git and git.get("commit"):
        text += f"; commit {git['commit'][:12]}{', changed' if git.get('dirty') else ''}"
    return text


def _distinct(values: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys(values))


def _part(name: str) -> str:
    folder = resources.files("blox_env.report") / "templates"
    return (folder / name).read_text(encoding="utf-8")


def _template() -> Any:
    with extra("experiment", "a report"):
        import jinja2
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("blox_env.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")
