"""A table of one's own as CSV: cells by column, architectures, and errors that name the cell."""

from __future__ import annotations

import csv
import difflib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blox_env.ground.errors import RowError, unknown_name
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces import SPACES, SearchSpace
from blox_env.store.columns import is_name

ARCHITECTURE = ("architecture", "arch", "arch_str", "arch_vec", "model_hash", "key")
LATENCY = re.compile(r"latency_(ms|us|s)(?:[_:@. ](.+))?")
UNITS = {"ms": 1.0, "us": 1e-3, "s": 1e3}  # in milliseconds
UNNAMED = "device"  # what a device is called whose column does not name it
MOST_ROWS = 2_000_000
_SLOT = re.compile(r"x(\d+)")
_SEPARATORS = ",;\t"
_MISSING = ("", "nan", "none", "null", "na", "n/a", "-")


@dataclass(frozen=True)
class Sheet:
    """The cells of a file as text.

    Attributes:
        path: of the file.
        cells: of each column, from the left.
        lines: of the file, where each row is; the headings are in line 1.
    """

    path: Path
    cells: dict[str, list[str]]
    lines: list[int]

    def error(self, row: int, column: str, what: str) -> ValueError:
        """An error that names file, row and column.

        Args:
            row: counted from 0 in :attr:`cells`.
            column: its heading.
            what: was expected and came.
        """
        return ValueError(f"{self.path}, row {self.lines[row]}, column {column!r}: {what}")

    def numbers(self, column: str, low: float, high: float, expected: str) -> FloatArray:
        """A column as numbers ``(n,)``, NaN for empty cells.

        Args:
            column: its heading.
            low: the least that is allowed.
            high: the most that is allowed.
            expected: in words.

        Raises:
            ValueError: for a cell that is none; names row and column.
        """
        values = np.full(len(self.lines), np.nan)
        for row, cell in enumerate(self.cells[column]):
            if cell.strip().lower() in _MISSING:
                continue
            try:
                values[row] = float(cell)
            except ValueError:
                comma = "; decimals are written with a point" if "," in cell else ""
                raise self.error(
                    row, column, f"expected {expected}, got {cell!r:.60}{comma}"
                ) from None
            if not (low <= values[row] <= high and math.isfinite(values[row])):
                raise self.error(row, column, f"expected {expected}, got {cell!r:.60}")
        return values

    def architectures(self, wanted: str | None = None) -> tuple[SearchSpace, IntArray]:
        """The space of the rows and the numbers of their architectures, ``(n,)``.

        Args:
            wanted: name of the space; the only one that the first row fits if not given.

        Raises:
            ValueError: for a row that is no architecture; names it.
        """
        if wanted is not None and wanted not in SPACES:
            raise ValueError(unknown_name("space", wanted, SPACES))
        slots = sorted((int(m[1]), name) for name in self.cells if (m := _SLOT.fullmatch(name)))
        column = next((name for name in ARCHITECTURE if name in self.cells), None)
        if column is not None:
            texts = self.cells[column]
        elif slots:
            column = f"{slots[0][1]} … {slots[-1][1]}"
            by_slot = [self.cells[name] for _, name in slots]
            texts = ["-".join(cell.strip() for cell in row) for row in zip(*by_slot, strict=True)]
        else:
            near = [n for n in self.cells if difflib.get_close_matches(n, ARCHITECTURE, n=1)]
            hint = f"; is {near[0]!r} meant as {ARCHITECTURE[0]!r}?" if near else ""
            raise ValueError(
                f"{self.path}: expected a column {ARCHITECTURE[0]!r}, or x0, x1, … with an option "
                f"each, got {', '.join(map(repr, self.cells))}{hint}"
            )
        space = self._space(texts[0], column) if wanted is None else SPACES[wanted]()
        try:
            return space, space.index(space.parse(texts))
        except RowError as error:
            what = f"no architecture of the space {space.name!r}: {error}"
            raise self.error(error.row, column, what) from None

    def check_headings(self, known: Iterable[str]) -> list[str]:
        """Columns that are not read, none of which is nearly one that is.

        Args:
            known: those that are read.

        Raises:
            ValueError: for a column that looks like a slip of the pen.
        """
        names, others = set(known), []
        for name in self.cells:
            if name in names or LATENCY.fullmatch(name) or _SLOT.fullmatch(name):
                continue
            if name.startswith("latency"):
                raise ValueError(
                    f"{self.path}: column {name!r}: the unit of a latency is in the name: expected "
                    "latency_ms, latency_us or latency_s, with a device as in latency_ms:phone"
                )
            if near := difflib.get_close_matches(name, names, n=1, cutoff=0.8):
                raise ValueError(f"{self.path}: unknown column {name!r}; did you mean {near[0]!r}?")
            others.append(name)
        return others

    def latencies(self) -> dict[str, FloatArray]:
        """Milliseconds ``(n,)`` by name of the device, NaN for empty cells.

        Raises:
            ValueError: for what is no number above 0, or two columns of one device.
        """
        found: dict[str, FloatArray] = {}
        for column in self.cells:
            if match := LATENCY.fullmatch(column):
                device = match[2] or UNNAMED
                if not is_name(device):
                    raise ValueError(
                        f"{self.path}, column {column!r}: a device's name is of letters, digits, "
                        f"'.', '_' and '-', got {device!r}"
                    )
                if device in found:
                    raise ValueError(f"{self.path}: two columns of latency for {device!r}")
                low = np.nextafter(0.0, 1.0)
                values = self.numbers(column, low, np.inf, "a latency above 0")
                found[device] = values * UNITS[match[1]]
        return found

    def _space(self, text: str, column: str) -> SearchSpace:
        fitting, reasons = [], []
        for name, make in SPACES.items():
            try:
                make().parse([text])
                fitting.append(name)
            except ValueError as error:
                reasons.append(f"{name}: {error}")
        if len(fitting) != 1:
            what = f"{text!r:.60} is an architecture of {' and '.join(fitting) or 'no space'}"
            raise self.error(0, column, "; ".join([f"{what}: name the space (--space)", *reasons]))
        return SPACES[fitting[0]]()


def read_sheet(path: Path) -> Sheet:
    """The cells of a CSV file with headings; separated by commas, semicolons or tabs.

    Raises:
        ValueError: for what is no such file; names file and row.
    """
    cells: dict[str, list[str]] = {}
    lines: list[int] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            separator = max(_SEPARATORS, key=first.count)
            file.seek(0)
            reader = csv.reader(file, delimiter=separator)
            headings = [heading.strip() for heading in next(reader, [])]
            cells = {heading: [] for heading in headings}
            if len(cells) < len(headings):
                twice = next(h for h in headings if headings.count(h) > 1)
                raise ValueError(f"two columns are called {twice!r}")
            for row in reader:
                if not row:
                    continue
                if len(row) != len(headings) or len(lines) >= MOST_ROWS:
                    raise ValueError(
                        f"row {reader.line_num}: expected {len(headings)} cells as in the headings "
                        f"({', '.join(headings)}), got {len(row)}"
                    )
                lines.append(reader.line_num)
                for heading, cell in zip(headings, row, strict=True):
                    cells[heading].append(cell)
    except (OSError, ValueError, csv.Error) as error:
        raise ValueError(f"{path}: {error}") from None
    if not lines:
        raise ValueError(f"{path}: expected headings and a row for each architecture, got none")
    return Sheet(path, cells, lines)
