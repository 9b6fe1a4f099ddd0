"""The summary of an experiment as a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from blox_env.analysis.statistics import Summary, summary
from blox_env.experiment.results import Run
from blox_env.report.columns import COLUMNS, notes, problem_title


def summary_table(runs: Sequence[Run]) -> Table:
    """Tables for the terminal, one each benchmark and device with one row an agent, and notes.

    Fits 80 columns as long as names are short.

    Raises:
        ValueError: when runs cannot be compared, or there is none.
    """
    rows = summary(runs)
    if not rows:
        raise ValueError("no runs to summarise")
    whole = Table.grid()
    for problem in dict.fromkeys((row.benchmark, row.device) for row in rows):
        whole.add_row(_one_table([row for row in rows if (row.benchmark, row.device) == problem]))
        whole.add_row("")
    whole.add_row(Text(notes(rows), style="dim"))
    return whole


def _one_table(rows: Sequence[Summary]) -> Table:
    numbers = sorted({row.runs for row in rows})
    title = f"{problem_title(rows[0])}, {numbers[0]} runs each"
    if len(numbers) > 1:
        title = f"{problem_title(rows[0])}, {numbers[0]} to {numbers[-1]} runs each"
    table = Table(
        title=Text(title, style="bold"), title_justify="left", box=SIMPLE_HEAD, padding=0,
        pad_edge=False, show_edge=False,
    )  # fmt: skip
    table.add_column("agent", no_wrap=True)
    for column in COLUMNS:
        heading = column.narrow or column.heading
        heading += f"\n({column.unit})" if column.unit else ""
        width = max(map(len, heading.split("\n")))
        table.add_column(heading, justify="right", min_width=width, no_wrap=not column.spread)
    for row in rows:
        cells = [
            Text(column.median(row)).append(
                f"\n{column.quartiles(row)}" if column.spread else "", style="dim"
            )
            for column in COLUMNS
        ]
        table.add_row(Text(_broken(row.agent)), *cells)
    return table


def _broken(name: str, width: int = 14) -> str:
    """A long name with line breaks after hyphens."""
    lines = [""]
    for part in name.replace("-", "-\0").split("\0"):
        if len(lines[-1]) + len(part) > width and lines[-1]:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)
