"""The tables of a report as data: what the runs reached, and how the agents compare."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from blox_env.analysis.fronts import FrontPoint
from blox_env.analysis.intervals import Estimate
from blox_env.analysis.scores import MEASURES, Measure, Pooled, Yardstick, on_one
from blox_env.analysis.statistics import Spread, Summary, final_regret, latency_source, of_best
from blox_env.experiment.results import Run
from blox_env.problem.constraints import in_words
from blox_env.report.columns import COLUMNS, Column, notes, words
from blox_env.report.grid import Cell, Grid, Heading
from blox_env.spaces.base import SearchSpace

AGENT = Heading("agent", "", ("agent",))
PROBLEM = (Heading("benchmark", "", ("benchmark",)), Heading("device", "", ("device",)))


def problem_cells(row: Summary) -> list[Cell]:
    """Cells in front of a row where a table holds several problems."""
    return [Cell.word(row.benchmark), Cell.word(row.device or "none")]


def estimates(runs: Sequence[Run], to: Yardstick) -> Grid:
    """Interquartile means with 95 % intervals, an agent a row.

    Args:
        runs: on one problem.
        to: the references of the problem.
    """
    pools = {m: on_one(runs, m, to) for m in MEASURES}
    shown = [m for m, pooled in pools.items() if pooled.agents()]
    headings = [
        Heading(_heading(m, to), m.unit, (f"{m.key}_iqm", f"{m.key}_low", f"{m.key}_high"))
        for m in shown
    ]
    number = Heading("runs", "", ("runs",))
    rows = []
    for agent, strata in pools[MEASURES[0]].values.items():
        count = sum(map(len, strata))
        cells = [_estimate(pools[m].middle(agent), m) for m in shown]
        rows.append([Cell.word(agent), Cell(str(count), (count,)), *cells])
    note = _notes(to)
    if limits := in_words(runs[0].facts.constraints):
        note += f" The best and the true front are among what keeps to {limits}."
    return Grid("What the agents reached", note, [AGENT, number, *headings], rows)


def descriptive(rows: Sequence[Summary]) -> Grid:
    """Medians and quartiles, an agent a row."""
    headings = [
        Heading(c.heading, c.unit, tuple(f"{c.field}_{what}" for what in ("median", "q25", "q75")))
        for c in COLUMNS
    ]
    sources = Heading("sources of accuracy", "", ("acc_sources",))
    latencies = Heading("of latency", "", ("latency_sources",))
    return Grid(
        "Medians and quartiles",
        notes(rows),
        [AGENT, Heading("runs", "", ("runs",)), *headings, sources, latencies],
        [
            [
                Cell.word(row.agent),
                Cell(str(row.runs), (row.runs,)),
                *(_spread(column, row) for column in COLUMNS),
                Cell.word(words(row.acc_sources)),
                Cell.word(words(row.latency_sources)),
            ]
            for row in rows
        ],
    )


def matrix(pooled: Pooled) -> Grid:
    """Probability that a run of the agent of the row is better than one of that of the column."""
    title = f"Probability of improvement in {pooled.measure.heading}"
    agents = pooled.agents()
    rows = []
    for agent in agents:
        cells = [
            Cell("·", (None,)) if agent == other else _probability(pooled.better(agent, other))[0]
            for other in agents
        ]
        rows.append([Cell.word(agent), *cells])
    note = (
        f"Probability that a run of the agent on the left has a better {pooled.measure.heading} "
        "than a run of the agent above, with 95 % intervals. Equal runs count half."
    )
    return Grid(title, note, [AGENT, *(Heading(a, "", (a,)) for a in agents)], rows)


def pairs(pooled: Pooled) -> Grid:
    """The same, a pair of agents a row."""
    agents = pooled.agents()
    found = [(a, b, pooled.better(a, b)) for a in agents for b in agents if a != b]
    return Grid(
        f"Probability of improvement in {pooled.measure.heading}",
        f"Probability that a run of the agent has a better {pooled.measure.heading} than one of "
        "the other, with 95 % intervals.",
        [
            AGENT,
            Heading("better than", "", ("other",)),
            Heading("probability of improvement", "", ("probability", "low", "high")),
        ],
        [[Cell.word(a), Cell.word(b), _probability(p)[1]] for a, b, p in found],
    )


def every_run(runs: Sequence[Run], best: float) -> Grid:
    """Best architecture of every run.

    Args:
        runs: on one problem.
        best: the reward that regret is measured to.
    """
    names = (
        ("agent", ""), ("seed", ""), ("reward", ""), ("regret", ""), ("validation accuracy", "%"),
        ("test accuracy", "%"), ("accuracy is", ""), ("latency", "ms"), ("latency is", ""),
        ("evaluations", ""), ("queries", ""), ("wall time", "s"),
    )  # fmt: skip
    keys = (
        "agent", "seed", "reward", "regret", "val_acc", "test_acc", "acc_source", "latency_ms",
        "latency_source", "evaluations", "queries", "wall_s",
    )  # fmt: skip
    headings = [Heading(text, unit, (key,)) for (text, unit), key in zip(names, keys, strict=True)]
    limits = runs[0].facts.constraints or {}
    headings += [Heading(f"{n}, at most {limits[n]:g}", "", (n,)) for n in limited(runs[0])]
    return Grid(
        "The best architecture of every run",
        "",
        headings,
        [list(run_cells(run, best).values()) for run in runs],
    )


def run_cells(run: Run, best: float) -> dict[str, Cell]:
    """Cells of a run's best architecture, by name of the column.

    Args:
        run: one run.
        best: the reward that regret is measured to.
    """
    show = {column.field: column for column in COLUMNS}
    queries = run.facts.queries
    values = {name: float(run.facts.best_values.get(name, math.nan)) for name in limited(run)}
    known = {
        "regret": final_regret(run, best),
        "val_acc": float(of_best(run, "val_acc")),
        "test_acc": float(run.facts.test_acc),
        "latency_ms": float(of_best(run, "latency_ms")),
        "evaluations": float(run.columns["cost"].sum()),
        "wall_s": float(run.meta.get("wall_s", math.nan)),
    }
    cells = {name: Cell(show[name].number(value), (value,)) for name, value in known.items()}
    reward, seed = float(of_best(run, "reward")), int(run.facts.repeat)
    return {
        "agent": Cell.word(str(run.facts.agent)),
        "seed": Cell(str(seed), (seed,)),
        "reward": Cell(f"{reward:.5g}", (reward,)),
        "regret": cells["regret"],
        "val_acc": cells["val_acc"],
        "test_acc": cells["test_acc"],
        "acc_source": Cell.word(str(of_best(run, "source"))),
        "latency_ms": cells["latency_ms"],
        "latency_source": Cell.word(latency_source(run) or "–"),
        "evaluations": cells["evaluations"],
        "queries": Cell("–" if queries is None else str(queries), (queries,)),
        "wall_s": cells["wall_s"],
        **{name: Cell(f"{value:,.7g}", (value,)) for name, value in values.items()},
    }


def limited(run: Run) -> list[str]:
    """Constraints of what has no column of its own."""
    return [name for name in run.facts.constraints or {} if name != "latency_ms"]


def front_table(
    fronts: Mapping[str, Sequence[FrontPoint]], space: SearchSpace | None, table: str
) -> Grid:
    """Every architecture of every front; ``table`` names the front of the whole space.

    Args:
        fronts: points by agent.
        space: describes architectures, None where it is not known.
        table: name of the whole space's front in ``fronts``.
    """
    rows = []
    for agent, points in fronts.items():
        for point in points:
            text = "-".join(map(str, point.row))
            options = np.array(point.row)
            said = "" if space is None else space.describe(options)
            rows.append(
                [
                    Cell.word("the whole table" if agent == table else agent),
                    Cell(f"{point.latency_ms:.4g}", (point.latency_ms,)),
                    Cell.word(point.latency_source),
                    Cell(f"{100 * point.val_acc:.2f}", (point.val_acc,)),
                    Cell.word(point.source),
                    Cell.word(text, said),
                ]
            )
    headings = [
        Heading("front of", "", ("agent",)),
        Heading("latency", "ms", ("latency_ms",)),
        Heading("latency is", "", ("latency_source",)),
        Heading("validation accuracy", "%", ("val_acc",)),
        Heading("accuracy is", "", ("acc_source",)),
        Heading("architecture", "", ("architecture",)),
    ]
    note = "Fastest first; architectures are rows of options, one a slot."
    return Grid("The architectures of all fronts", note, headings, rows)


def _estimate(estimate: Estimate, measure: Measure) -> Cell:
    low, high = measure.show(estimate.low), measure.show(estimate.high)
    return Cell(
        measure.show(estimate.value),
        (estimate.value, estimate.low, estimate.high),
        f"{low} – {high}" if estimate.known else "",
    )


def _probability(estimate: Estimate) -> tuple[Cell, Cell]:
    """With one value to sort by, and with all of them."""
    text = f"{estimate.value:.2f}"
    small = f"{estimate.low:.2f} – {estimate.high:.2f}" if estimate.known else ""
    every = (estimate.value, estimate.low, estimate.high)
    return Cell(text, every[:1], small), Cell(text, every, small)


def _spread(column: Column, row: Summary) -> Cell:
    spread: Spread = getattr(row, column.field)
    values = (spread.median, spread.low, spread.high)
    return Cell(column.median(row), values, column.quartiles(row))


def _heading(measure: Measure, to: Yardstick) -> str:
    if measure.key == "hypervolume" and to.volume_known:
        return "hypervolume, share of the true front's"
    return measure.heading


def _notes(to: Yardstick) -> str:
    """Notes on reading the estimates."""
    space = "best of the whole table"
    text = (
        "Interquartile means over runs, below them 95 % intervals (symmetric studentised bootstrap "
        "over seeds). Simple regret: difference in reward to the "
        f"{space if to.best_known else 'best that any run found'}. Mean regret over evaluations: "
        "the area under the curve of simple regret, divided by the number of evaluations."
    )
    if not math.isnan(to.test_best):
        text += (
            " Inference regret on test: the same difference with test in place of validation "
            "accuracy, for the architecture that validation chose, to the "
            f"{space if to.test_known else 'best test reward among the runs'}."
        )
    if to.corner is not None:
        where = "of all architectures" if to.volume_known else "that any run evaluated"
        text += (
            f" Hypervolume: of accuracy and latency, up to {100 * to.corner[0]:.2f} % and "
            f"{to.corner[1]:.4g} ms, which lie a tenth of the span beyond the worst {where}"
            + (", divided by that of the true front." if to.volume_known else ".")
        )
    return text
