"""The consoles of the command, and tables that fit a terminal, a pipe and a script."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console, ConsoleDimensions
from rich.segment import Segment, Segments
from rich.table import Table
from rich.text import Text

from blox_env.ground.files import obstacle

WIDE = 10_000  # columns where nobody looks: nothing is cut or broken in a pipe or file


class Screen(Console):
    """A console that cuts nothing in pipes and survives readers that go away."""

    @property
    def size(self) -> ConsoleDimensions:
        """Size of the terminal; wide elsewhere."""
        return super().size if self.is_terminal else ConsoleDimensions(WIDE, 25)

    @size.setter
    def size(self, new_size: tuple[int, int]) -> None:
        self._width, self._height = new_size

    def on_broken_pipe(self) -> None:
        """Go on in silence: the work is worth more than what nobody reads."""
        self.quiet = True
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def say(self, text: str) -> None:
        """Print a line as it is: no markup, no colours, no line breaks within paths."""
        self.print(text, markup=False, highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Listing:
    """A table of texts; ``values`` are its rows for a script.

    Attributes:
        headings: one a column.
        rows: texts, one a column each.
        values: each row as it is written as JSON.
        title: above the table.
        caption: below it.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    values: Sequence[Mapping[str, object]] = field(default_factory=tuple)
    title: str = ""
    caption: str = ""

    def show(self, console: Console, *, as_json: bool = False) -> None:
        """Print the table; below each other where its lines are wider than the terminal.

        Where nobody looks, in a pipe or file, it is plain: a line a row, cells separated by tabs.

        Args:
            console: where to.
            as_json: print the values for a script instead.
        """
        if as_json:
            print_json(console, list(self.values))
            return
        table = Table(title=Text(self.title) if self.title else None, title_justify="left")
        table.caption = Text(self.caption) if self.caption else None
        table.caption_justify = "left"
        for heading in self.headings:
            table.add_column(Text(heading), no_wrap=True)
        for row in self.rows:
            table.add_row(*map(Text, row))
        if not console.is_terminal:
            print_table(console, table)
            return
        if console.measure(table, options=console.options.update(width=WIDE)).maximum <= (
            console.width
        ):
            console.print(table)
            return
        if self.title:
            console.print(Text(self.title, style="bold"))
        for row in self.rows:
            console.print()
            for heading, cell in zip(self.headings, row, strict=True):
                console.print(Text(f"{heading}: {cell}"), soft_wrap=True)
        if self.caption:
            console.print(Text(self.caption))


def print_table(console: Console, table: Table) -> None:
    """Print a table as it is in a terminal, and plainly where nobody looks.

    Args:
        console: where to.
        table: of texts, or a grid of tables and texts.
    """
    if console.is_terminal:
        console.print(table)
    else:
        text = "".join(f"{line}\n" for line in _lines(table))
        console.print(Segments([Segment(text)]), soft_wrap=True, end="")  # tabs stay tabs


def _lines(table: Table) -> list[str]:
    """Title, headings, rows and caption, cells separated by tabs; nothing is padded or cut."""
    lines = [_plain(table.title)] if table.title else []
    headings = [_plain(column.header, broken="") for column in table.columns]
    if table.show_header and any(headings):
        lines.append("\t".join(headings))
    for row in zip(*(column.cells for column in table.columns), strict=True):
        if len(row) == 1 and isinstance(row[0], Table):
            lines += _lines(row[0])
        else:
            lines.append("\t".join(map(_plain, row)))
    return [*lines, _plain(table.caption)] if table.caption else lines


def _plain(cell: object, broken: str = "-") -> str:
    """One line of a cell; ``broken`` stands for a hyphen at the end of a line."""
    text = cell.plain if isinstance(cell, Text) else Text.from_markup(str(cell)).plain
    return " ".join(text.replace("-\n", broken).split())


def print_json(console: Console, value: object) -> None:
    """Print a value as JSON; what is no finite number becomes null.

    Args:
        console: where to.
        value: of dicts, lists, texts, numbers.
    """
    text = json.dumps(_finite(value), indent=1, allow_nan=False)
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _finite(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def check_file(path: Path, option: str) -> Path:
    """A file that can be written, looked at before any work.

    Args:
        path: of the file.
        option: that it was given with, for the message.

    Raises:
        ValueError: when it is a folder, or its folder cannot be made or written to.
    """
    if path.is_dir():
        raise ValueError(f"{option} must be a file, got the folder {path}")
    _check_writable(path, option, folder=False)
    return path


def check_folder(path: Path, option: str) -> Path:
    """A folder that can be made or written to, looked at before any work.

    Args:
        path: of the folder.
        option: that it was given with, for the message.

    Raises:
        ValueError: when it cannot.
    """
    _check_writable(path, option, folder=True)
    return path


def _check_writable(path: Path, option: str, *, folder: bool) -> None:
    if (reason := obstacle(path, folder=folder)) is not None:
        raise ValueError(f"{option}: cannot write {path}: {reason}")
