"""The summary of an experiment as a table for the terminal, and how its numbers are written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from blox_env.experiment.results import Run
from blox_env.experiment.statistics import Spread, Summary, summary


@dataclass(frozen=True)
class Column:
    """How one quantity of a :class:`~blox_env.experiment.statistics.Summary` is shown."""

    field: str
    heading: str
    unit: str
    form: str
    scale: float = 1.0
    narrow: str = ""  # the heading in a terminal, where it has to be short
    spread: bool = True  # whether a terminal shows the quartiles

    def number(self, value: float) -> str:
        """One value in the column's unit, a dash where it is not known."""
        return "–" if math.isnan(value) else format(self.scale * value, self.form)

    def median(self, row: Summary) -> str:
        """Median over seeds."""
        return self.number(self._spread(row).median)

    def quartiles(self, row: Summary) -> str:
        """Quartiles over seeds; empty where they are the median or not known."""
        spread = self._spread(row)
        if spread.low == spread.high or math.isnan(spread.low):
            return ""
        low, high = self.number(spread.low), self.number(spread.high)
        return "" if low == high else f"{low} – {high}"

    def _spread(self, row: Summary) -> Spread:
        value: Spread = getattr(row, self.field)
        return value


COLUMNS = (
    Column("val_acc", "validation accuracy", "%", ".2f", 100.0, "validation\naccuracy"),
    Column("test_acc", "test accuracy", "%", ".2f", 100.0, "test\naccuracy"),
    Column("latency_ms", "latency", "ms", ".4g"),
    Column("regret", "regret", "reward", ".2g"),
    Column("evaluations", "evaluations", "", ".5g", 1.0, "evalu-\nations", spread=False),
    Column("train_hours", "simulated training", "h", ".3g", 1.0, "simul.\ntrain.", spread=False),
    Column("wall_s", "wall time", "s", ".3g", 1.0, "wall\ntime", spread=False),
)


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


def problem_title(row: Summary) -> str:
    """What a group of runs searched for."""
    device = row.device or "no device"
    return f"benchmark {row.benchmark}, {device}, reward {row.reward}"


def notes(rows: Sequence[Summary]) -> str:
    """How the numbers of a table are to be read."""
    known = {row.optimum_known for row in rows}
    to = "the best of the whole table" if known == {True} else "the best that any run found"
    if len(known) > 1:
        to = "the best of the whole table or, where that is not known, that any run found"
    text = (
        "Median over runs, below it the quartiles, of the best architecture of each run. Regret: "
        f"difference in reward to {to}. Evaluations: full trainings paid for. Simulated training: "
        "what these take according to the benchmark; wall time is what the search took."
    )
    if any(row.noise == "sampled" for row in rows):
        text += (
            " Noise was sampled: accuracies and rewards are those of single trainings, so the best "
            "are lucky ones too, and regret, to the optimum of the means, is too low."
        )
    text += f" Accuracies of the best: {sources(rows, 'acc_sources')}."
    if any(row.device is not None for row in rows):
        text += f" Their latencies: {sources(rows, 'latency_sources')}."
    return text


def sources(rows: Sequence[Summary], field: str) -> str:
    """Where the values of the best architectures come from, such as ``7 trained, 17 surrogate``."""
    total: dict[str, int] = {}
    for row in rows:
        for word, number in getattr(row, field).items():
            total[word] = total.get(word, 0) + number
    return words(total)


def words(counts: dict[str, int]) -> str:
    """Counts in words; says so where there are none."""
    listed = ", ".join(f"{number:,} {word}" for word, number in counts.items())
    return listed or "source not recorded"
