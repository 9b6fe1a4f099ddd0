"""Columns of an experiment's summary: headings, formats, and notes on reading them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from blox_env.analysis.statistics import Spread, Summary
from blox_env.problem.constraints import in_words


@dataclass(frozen=True)
class Column:
    """Heading and format of a quantity of :class:`~blox_env.analysis.statistics.Summary`."""

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


def problem_title(row: Summary) -> str:
    """Title of a problem: benchmark, device, reward and constraints."""
    device = row.device or "no device"
    limits = f", {in_words(row.constraints)}" if row.constraints else ""
    return f"benchmark {row.benchmark}, {device}, reward {row.reward}{limits}"


def notes(rows: Sequence[Summary]) -> str:
    """Notes on reading the numbers of a table."""
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
        regret = next(column for column in COLUMNS if column.field == "regret")
        seen = ", ".join(f"{r.agent} {regret.number(r.seen_regret.median)}" for r in rows)
        text += (
            " Noise was sampled: validation accuracies are those of single trainings, so the best "
            "are lucky ones too. Regret is by means, which the searches did not see; by what they "
            f"saw it would be, in the median: {seen}."
        )
    for target in dict.fromkeys(row.target_ms for row in rows if row.target_ms is not None):
        met = [f"{r.agent} {r.met} of {r.runs}" for r in rows if r.target_ms == target]
        text += f" Runs whose best meets the latency target of {target:.4g} ms: {', '.join(met)}."
    for limits in dict.fromkeys(in_words(row.constraints) for row in rows if row.constraints):
        own = [row for row in rows if in_words(row.constraints) == limits]
        kept = ", ".join(f"{row.agent} {row.within} of {row.runs}" for row in own)
        text += f" Runs whose best keeps to {limits}: {kept}. Regret is to the best that does"
        broken = any(row.within < row.runs for row in own)
        text += ", and what does not has a lower reward than all that do." if broken else "."
    text += f" Accuracies of the best: {sources(rows, 'acc_sources')}."
    if any(row.device is not None for row in rows):
        text += f" Their latencies: {sources(rows, 'latency_sources')}."
    return text


def sources(rows: Sequence[Summary], field: str) -> str:
    """Sources of the best architectures' values, such as ``7 trained, 17 surrogate``.

    Args:
        rows: of a summary.
        field: ``acc_sources`` or ``latency_sources``.
    """
    total: dict[str, int] = {}
    for row in rows:
        for word, number in getattr(row, field).items():
            total[word] = total.get(word, 0) + number
    return words(total)


def words(counts: dict[str, int]) -> str:
    """Counts in words; says so where there are none."""
    listed = ", ".join(f"{number:,} {word}" for word, number in counts.items())
    return listed or "source not recorded"
