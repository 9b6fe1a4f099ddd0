"""A table as data, and as CSV and LaTeX; the page of a report draws it as HTML."""

from __future__ import annotations

import csv
import io
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field

Value = float | int | str | bool | None


@dataclass(frozen=True)
class Heading:
    """Of one column: what it says, in which unit, and its names in a CSV file, one a value."""

    text: str
    unit: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Cell:
    """A cell of a table; ``values`` are the same numbers for a file, the first one sorts."""

    text: str
    values: tuple[Value, ...]
    small: str = ""  # a second line, such as an interval

    @classmethod
    def word(cls, text: str, small: str = "") -> Cell:
        """A cell that is a name.

        Args:
            text: the name.
            small: a second line.
        """
        return cls(text, (text,), small)


@dataclass(frozen=True)
class Grid:
    """A table; the first cell of a row is its heading, ``note`` says how to read it."""

    title: str
    note: str
    headings: Sequence[Heading]
    rows: Sequence[Sequence[Cell]]
    breaks: frozenset[int] = field(default_factory=frozenset)  # rows with a gap before, in LaTeX

    def __post_init__(self) -> None:
        """Check that all rows are as long as the headings.

        Raises:
            ValueError: names the first that is not.
        """
        names = [heading.names for heading in self.headings]
        for number, row in enumerate(self.rows):
            if [len(cell.values) for cell in row] != [len(name) for name in names]:
                raise ValueError(f"row {number} must have a value for each of {names}, got {row}")


def to_csv(grid: Grid) -> str:
    """The values, in full precision."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([name for heading in grid.headings for name in heading.names])
    writer.writerows([value for cell in row for value in cell.values] for row in grid.rows)
    return buffer.getvalue()


def to_latex(grid: Grid) -> str:
    r"""A ``tabular`` in the manner of booktabs, to be put into a document with ``\input``."""
    aligned = [_alignment(grid, column) for column in range(len(grid.headings))]
    heads = [
        _escape(h.text) + (f" ({_escape(h.unit)})" if h.unit else "") for h in grid.headings
    ]  # fmt: skip
    lines = [
        *(f"% {line}" for line in textwrap.wrap(f"{grid.title}. {grid.note}", 98)),
        r"% needs \usepackage{booktabs}",
        rf"\begin{{tabular}}{{@{{}}{''.join(aligned)}@{{}}}}",
        r"\toprule",
        " & ".join(heads) + r" \\",
        r"\midrule",
    ]
    for number, row in enumerate(grid.rows):
        if number in grid.breaks:
            lines.append(r"\addlinespace")
        cells = [
            _escape(cell.text) + (rf" {{\small {_escape(cell.small)}}}" if cell.small else "")
            for cell in row
        ]
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def stacked(grids: Sequence[tuple[Sequence[Cell], Grid]], first: Sequence[Heading]) -> Grid:
    """Tables with equal headings below each other, each with cells of its own in front.

    Args:
        grids: the cells in front, and the table.
        first: headings of the cells in front.
    """
    rows: list[list[Cell]] = []
    breaks: set[int] = set()
    for cells, grid in grids:
        breaks |= {len(rows)} - {0}
        rows += [[*cells, *row] for row in grid.rows]
    top = grids[0][1]
    return Grid(top.title, top.note, [*first, *top.headings], rows, frozenset(breaks))


_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$",
    "#": r"\#", "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "–": "--",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "−": "$-$", "≤": r"$\leq$",
    "[": "{[}", "]": "{]}",  # a row that begins with a bracket would be an argument of \\
}  # fmt: skip


def _escape(text: str) -> str:
    text = re.sub(r"[\\{}&%$#_~^–<>|−≤\[\]]", lambda match: _SPECIAL[match[0]], text)
    return re.sub(r"(\d[\d.]*)e-0*(\d+)", r"$\1\\cdot10^{-\2}$", text)


def _alignment(grid: Grid, column: int) -> str:
    words = all(isinstance(row[column].values[0], str) for row in grid.rows)
    return "l" if words else "r"
