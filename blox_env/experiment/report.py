"""A report of an experiment: two pictures, a table as CSV, and one page that shows everything.

The page needs no other file and no network. It is made from the run files; benchmark and device
are loaded as well, if they can be, for the whole space behind the picture, for what they say about
their data, and for which latencies were measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from blox_env.benchmarks.base import Benchmark, load_benchmark
from blox_env.devices.base import Device, load_device
from blox_env.errors import missing_extra
from blox_env.experiment import figures
from blox_env.experiment.results import Run, read_runs
from blox_env.experiment.statistics import (
    Summary,
    by_agent,
    by_problem,
    count,
    final_regret,
    of_best,
    reference,
    regret_curves,
    summary,
)
from blox_env.experiment.tables import COLUMNS, notes, problem_title, summary_csv, words
from blox_env.parallel import spawn_seeds, write_atomic
from blox_env.spaces import BloxSpace
from blox_env.spaces.base import SearchSpace

LISTABLE = 10**6  # architectures of a space that is drawn as a whole


@dataclass(frozen=True)
class Ground:
    """What a problem's benchmark and device say beyond the runs.

    Attributes:
        benchmark: as it is here; None when it is not, or holds other data than the runs used.
        device: likewise, and None without latency.
        missing: why something is None, a sentence each.
        cards: (name, description) of what is here.
        whole: every architecture, where both are here and the space can be listed.
    """

    benchmark: Benchmark | None
    device: Device | None
    missing: tuple[str, ...]
    cards: tuple[tuple[str, str], ...]
    whole: figures.Points | None


def write_report(folder: str | Path) -> list[Path]:
    """Write pictures, ``summary.csv`` and ``report.html`` of the runs below ``folder``.

    The pictures are ``regret.png`` and, with a device, ``front.png``; where there are several
    benchmarks or devices their names follow, as in ``front-digits-x86-ort-1t.png``.

    Returns:
        The files, the page last.

    Raises:
        FileNotFoundError: when there are no runs.
        ValueError: when runs on the same benchmark and device cannot be compared.
        ImportError: without the extra ``experiment``.
    """
    folder = Path(folder)
    problems = by_problem(read_runs(folder))
    written: list[Path] = []
    sections: list[dict[str, Any]] = []
    every: list[Summary] = []
    cards: dict[str, str] = {}
    missing: dict[str, None] = {}
    for runs in problems.values():
        ground = load_ground(runs[0])
        runs = [_with_measured(run, ground.device) for run in runs]
        rows = summary(runs)
        pictures = _pictures(runs, rows, ground, suffix=_suffix(rows[0], len(problems)))
        for picture in pictures:
            written.append(folder / picture["file"])
            write_atomic(written[-1], picture.pop("png"))
        sections.append(_section(runs, rows, ground, pictures))
        every += rows
        cards |= dict(ground.cards)
        missing |= dict.fromkeys(ground.missing)
    written.append(folder / "summary.csv")
    write_atomic(written[-1], summary_csv(every))
    page = _template().render(
        agents=list(dict.fromkeys(row.agent for row in every)),
        sections=sections,
        columns=COLUMNS,
        cards=cards,
        missing=list(missing),
        how=_reproduce([run for runs in problems.values() for run in runs]),
    )
    written.append(folder / "report.html")
    write_atomic(written[-1], page)
    return written


def load_ground(run: Run) -> Ground:
    """Benchmark and device of a run as they are here, if their data is that of the run.

    Only names are loaded, never a ``"module:Class"`` from a run file: a report of somebody else's
    results must not run their code.
    """
    sums = run.facts.get("checksums", {})
    missing: list[str] = []
    benchmark = _load(load_benchmark, "benchmark", run, sums, missing)
    device = None
    if run.facts["device"] is not None:
        device = _load(load_device, "device", run, sums, missing)
    cards = tuple(
        (f"{kind} {thing.name}", str(getattr(thing, "description", "") or "No description."))
        for kind, thing in (("Benchmark", benchmark), ("Device", device))
        if thing is not None
    )
    whole = None
    listable = benchmark is not None and "table" in benchmark.provides
    if listable and device is not None and benchmark.space.size <= LISTABLE:
        rows = benchmark.space.all()
        whole = figures.Points(device.latency_ms(rows), benchmark.evaluate(rows).val_acc)
    return Ground(benchmark, device, tuple(missing), cards, whole)


def _load(
    load: Callable[[str], Any], kind: str, run: Run, sums: dict[str, Any], missing: list[str]
) -> Any:  # noqa: ANN401 (a benchmark or a device)
    name = str(run.facts[kind])
    if ":" in name:
        missing.append(f"The {kind} {name} is code and not a registered name: not loaded.")
        return None
    try:
        found = load(name)
    except (ValueError, TypeError, ImportError, OSError) as error:
        missing.append(f"The {kind} {name} could not be loaded: {error}")
        return None
    if found.checksum() != sums.get(kind):
        missing.append(f"The {kind} {name} holds other data here than the runs used: not shown.")
        return None
    return found


def _with_measured(run: Run, device: Device | None) -> Run:
    """The run with the fact ``measured``, whether the latency of its best was measured."""
    if device is None or run.facts.get("measured") is not None:
        return run
    measured = bool(device.measured(run.x[run.facts["best"]][None])[0])
    return replace(run, facts={**run.facts, "measured": measured})


# -- pictures ------------------------------------------------------------------------------


def _pictures(
    runs: Sequence[Run], rows: Sequence[Summary], ground: Ground, suffix: str
) -> list[dict[str, Any]]:
    """Both pictures of a problem: ``file``, ``png``, ``light``, ``dark``, ``alt``, ``caption``."""
    groups = by_agent(runs)
    best, known = reference(runs)
    curves = {agent: regret_curves(own, best) for agent, own in groups.items()}
    length = max(len(evaluations) for evaluations, _ in curves.values())
    padded = {
        agent: np.pad(regret, ((0, 0), (0, length - len(grid))), constant_values=np.nan)
        for agent, (grid, regret) in curves.items()
    }
    to = "best of the whole table" if known else "best that any run found"
    ends = "; ".join(f"{row.agent} {COLUMNS[3].median(row)}" for row in rows)
    result = [
        _picture(
            f"regret{suffix}",
            lambda theme: figures.regret_figure(
                padded, np.arange(1, length + 1), to=to, theme=theme
            ),
            alt=f"Median simple regret over {length} evaluations. At the end: {ends}.",
            caption=f"Simple regret to the {to} (reward {rows[0].reward}). Lines are medians over "
            "runs, bands reach from the lower to the upper quartile. The lowest part of the axis "
            "is linear, so that 0 is in the picture.",
        )
    ]
    if rows[0].device is None:
        return result
    found = {agent: figures.Points.of(own) for agent, own in groups.items()}
    facts = runs[0].facts
    text = (
        "Dots are architectures that the runs evaluated, lines with markers the Pareto fronts of "
    )
    text += "all runs of an agent together."
    if ground.whole is not None:
        text += " The grey area is the whole space, the line around it its Pareto front."
    if facts.get("noise") == "sampled":
        text += " Dots are single noisy trainings and may lie beyond the front, which is of means."
    spans = "; ".join(
        f"{agent} {len(points.front())} architectures from {points.front().latency_ms[0]:.4g} ms "
        f"and {points.front().val_acc[0]:.2%} to {points.front().latency_ms[-1]:.4g} ms and "
        f"{points.front().val_acc[-1]:.2%}"
        for agent, points in found.items()
        if len(points)
    )
    result.append(
        _picture(
            f"front{suffix}",
            lambda theme: figures.front_figure(
                found,
                whole=ground.whole,
                target_ms=None if facts["reward"] == "accuracy" else facts["latency_target_ms"],
                device=facts["device"],
                theme=theme,
            ),
            alt=f"Validation accuracy against latency on {facts['device']}. Fronts: {spans}.",
            caption=text,
        )
    )
    return result


def _picture(
    name: str, draw: Callable[[figures.Theme], Any], *, alt: str, caption: str
) -> dict[str, Any]:
    return {
        "file": f"{name}.png",
        "png": figures.to_png(draw(figures.LIGHT)),
        "light": figures.data_url(figures.to_svg(draw(figures.LIGHT))),
        "dark": figures.data_url(figures.to_svg(draw(figures.DARK))),
        "width": figures.PIXELS[0],
        "height": figures.PIXELS[1],
        "alt": alt,
        "caption": caption,
    }


def _suffix(row: Summary, problems: int) -> str:
    """What tells the files of a problem from those of others, empty where there is one."""
    if problems == 1:
        return ""
    text = f"-{row.benchmark}-{row.device or 'no-device'}"
    return "".join(c if c.isalnum() or c in "-_." else "." for c in text)


# -- the page ------------------------------------------------------------------------------


def _section(
    runs: Sequence[Run], rows: Sequence[Summary], ground: Ground, pictures: list[dict[str, Any]]
) -> dict[str, Any]:
    """What the page says about one problem."""
    best, _ = reference(runs)
    space = _space(runs[0], ground)
    sources = count(word for run in runs for word in run.columns["source"])
    text = f"Accuracies of all {sum(sources.values()):,} evaluations of all runs: {words(sources)}."
    if ground.device is not None:
        x = np.concatenate([run.x for run in runs])
        flags = ground.device.measured(x)
        measured = count("measured" if flag else "predicted" for flag in flags)
        text += f" Their latencies: {words(measured)}."
    return {
        "title": problem_title(rows[0]),
        "slug": _suffix(rows[0], 2).strip("-"),
        "target_ms": runs[0].facts["latency_target_ms"],
        "rows": rows,
        "notes": notes(rows),
        "sources": text,
        "pictures": pictures,
        "best": [
            _best(max(own, key=lambda run: float(of_best(run, "reward"))), space, best)
            for own in by_agent(runs).values()
        ],
        "runs": [_one_run(run, best) for run in runs],
        "run_count": len(runs),
    }


def _best(run: Run, space: SearchSpace | None, best: float) -> dict[str, Any]:
    """The best architecture of an agent's best run."""
    row = run.x[run.facts["best"]]
    stages = "-".join(map(str, row)) if space is None else space.describe(row)
    return {**_one_run(run, best), "row": row.tolist(), "stages": stages.split(" | ")}


def _one_run(run: Run, best: float) -> dict[str, Any]:
    measured = run.facts.get("measured")
    show = {column.field: column for column in COLUMNS}
    return {
        "agent": run.facts["agent"],
        "seed": run.facts["seed"],
        "random": run.facts.get("random", "–"),
        "reward": f"{of_best(run, 'reward'):.5g}",
        "regret": show["regret"].number(final_regret(run, best)),
        "val_acc": show["val_acc"].number(float(of_best(run, "val_acc"))),
        "test_acc": show["test_acc"].number(float(run.facts["test_acc"])),
        "acc_source": str(of_best(run, "source")),
        "latency_ms": show["latency_ms"].number(float(of_best(run, "latency_ms"))),
        "latency_source": "–" if measured is None else "measured" if measured else "predicted",
        "evaluations": show["evaluations"].number(float(run.columns["cost"].sum())),
        "queries": run.facts.get("queries", "–"),
        "wall_s": show["wall_s"].number(float(run.meta.get("wall_s", np.nan))),
    }


def _space(run: Run, ground: Ground) -> SearchSpace | None:
    if ground.benchmark is not None:
        return ground.benchmark.space
    return BloxSpace() if run.facts.get("space") == "blox" else None


def _reproduce(runs: Sequence[Run]) -> dict[str, Any]:
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
    options = {f["agent"]: f["options"] for f in facts if f.get("options")}
    if options:
        arguments["options"] = options
    lines = [f"    {name}={value!r}," for name, value in {**arguments, "out": "runs/again"}.items()]
    draws = _distinct((f["seed"], f.get("random")) for f in facts)
    return {
        "call": "\n".join(["import blox_env", "", "blox_env.compare(", *lines, ")"]),
        "versions": _distinct(
            f"blox-env {run.facts['version']}"
            + "".join(
                f", {name} {run.meta[name]}" for name in ("python", "numpy") if name in run.meta
            )
            for run in runs
        ),
        "checksums": _distinct(
            f"{kind} {f[kind]}: {value}"
            for f in facts
            for kind, value in f.get("checksums", {}).items()
            if value is not None
        ),
        "seeds": [f"{number}: {draw}" for number, draw in draws],
        "default_seed": all(draw == spawn_seeds(0, number + 1)[number] for number, draw in draws),
    }


def _distinct(values: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys(values))


def _template() -> Any:  # noqa: ANN401 (a template of an optional library)
    try:
        import jinja2  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise missing_extra("a report", "experiment", error) from error
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("blox_env.experiment"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")
