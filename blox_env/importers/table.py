"""One's own numbers from a CSV file: a row an architecture, or one a training.

======================================  ============================================================
column                                  what it holds
======================================  ============================================================
``architecture`` (or ``x0``, ``x1``, …)  option indices as ``3-17-44``, or the space's own notation
``val_acc``, ``test_acc``               fractions; percentages are ``val_acc_percent``, …
``seed``                                of the training, where an architecture has several
``train_time_s``, ``params``, ``flops``  optional
``latency_ms:NAME``                     of the device NAME; also ``latency_us``, ``latency_s``
``epochs``                              of the training; only the longest ones are kept
======================================  ============================================================

Empty cells are what is not known. The files of ``blox-env search --out`` are such tables.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from blox_env.ground.typing import FloatArray, IntArray
from blox_env.importers.contents import Contents, Wishes, source
from blox_env.importers.sheet import ARCHITECTURE, Sheet, read_sheet

FRACTIONS = ("val_acc", "test_acc")
PERCENT = "_percent"
SIZES = ("params", "flops")
KNOWN = (
    *(*ARCHITECTURE, *FRACTIONS, *(f"{name}{PERCENT}" for name in FRACTIONS)),
    *("train_time_s", *SIZES, "seed", "epochs"),
)


def read(paths: list[Path], wishes: Wishes) -> list[Contents]:
    """The numbers in each file.

    Args:
        paths: of the files.
        wishes: the space may be named.

    Raises:
        ValueError: names file, row and column, and says what was expected.
    """
    return [_read(read_sheet(path), wishes) for path in paths]


def _read(sheet: Sheet, wishes: Wishes) -> Contents:
    others = sheet.check_headings(KNOWN)
    space, of_row = sheet.architectures(wishes.space)
    numbers, place = np.unique(of_row, return_inverse=True)
    seeds, epochs = _whole(sheet, "seed", 0), _whole(sheet, "epochs", 1)
    _check_distinct(sheet, of_row, seeds, epochs)
    full = epochs == epochs.max()
    latencies = {
        name: _medians(values, place, len(numbers)) for name, values in sheet.latencies().items()
    }
    columns = _columns(sheet)
    if not columns and not latencies:
        raise ValueError(
            f"{sheet.path}: expected a column val_acc, val_acc{PERCENT} or latency_ms, got "
            f"{', '.join(map(repr, sheet.cells))}"
        )
    trainings: dict[int, dict[str, FloatArray]] = {}
    for seed in np.unique(seeds[full]).tolist() if columns else []:
        rows = full & (seeds == seed)
        trainings[seed] = {name: np.full(len(numbers), np.nan) for name in columns}
        for name, values in columns.items():
            trainings[seed][name][place[rows]] = values[rows]
    notes = [f"space: {space.name}"]
    if not full.all():
        notes.append(f"left out: {(~full).sum()} rows with fewer than {epochs.max()} epochs")
    if others:
        notes.append(f"columns not read: {', '.join(others)}")
    missing = [
        f"device {name}: {np.isnan(values).sum() + space.size - len(numbers)} of {space.size} "
        "architectures have no latency; blox-env measure --from predicts them"
        for name, values in latencies.items()
        if np.isnan(values).any() or len(numbers) < space.size
    ]
    if "val_acc" not in columns:
        missing.insert(0, "no accuracies: the store has devices alone")
    elif len(numbers) < space.size:
        missing.insert(0, f"architectures: {len(numbers)} of {space.size} are there")
    return Contents(
        name=re.sub(r"[^A-Za-z0-9._-]+|\.{2,}", "-", sheet.path.stem).lstrip(".-")[:64] or "table",
        space=space,
        numbers=numbers,
        description=f"Numbers of one's own, from {sheet.path.name}",
        trainings=trainings,
        sizes={
            name: _medians(sheet.numbers(name, 0, 2.0**53, "a number"), place, len(numbers))
            for name in SIZES
            if name in sheet.cells
        },
        latencies=latencies,
        devices=dict.fromkeys(latencies, f"as given in {sheet.path.name}"),
        found=[f"{sheet.path.name}: {len(of_row)} rows, {len(numbers)} architectures"],
        missing=missing,
        notes=notes,
        sources=[source(sheet.path, "table", len(numbers))],
    )


def _columns(sheet: Sheet) -> dict[str, FloatArray]:
    """Columns of trainings, by row."""
    columns: dict[str, FloatArray] = {}
    for name in FRACTIONS:
        percent = f"{name}{PERCENT}"
        if name in sheet.cells and percent in sheet.cells:
            raise ValueError(f"{sheet.path}: columns {name} and {percent} say the same: give one")
        if name in sheet.cells:
            words = f"a fraction in 0 … 1 (percentages go in a column {percent!r})"
            columns[name] = sheet.numbers(name, 0, 1, words)
        elif percent in sheet.cells:
            columns[name] = sheet.numbers(percent, 0, 100, "a percentage in 0 … 100") / 100
    if "train_time_s" in sheet.cells:
        columns["train_time_s"] = sheet.numbers("train_time_s", 0, 1e12, "seconds, at least 0")
    return columns


def _whole(sheet: Sheet, name: str, least: int) -> IntArray:
    """A column of whole numbers, the least one where it is not there."""
    if name not in sheet.cells:
        return np.full(len(sheet.lines), least)
    words = f"a whole number of at least {least}"
    values = sheet.numbers(name, least, 2**31, words)
    wrong = np.isnan(values) | (values != np.rint(values))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise sheet.error(row, name, f"expected {words}, got {sheet.cells[name][row]!r:.60}")
    return values.astype(np.int64)


def _check_distinct(sheet: Sheet, of_row: IntArray, seeds: IntArray, epochs: IntArray) -> None:
    """Refuse two rows of one training; timings may be there any number of times."""
    if not any(name.startswith(FRACTIONS) for name in sheet.cells):
        return
    rows: dict[tuple[int, ...], int] = {}
    for row, key in enumerate(zip(of_row.tolist(), seeds.tolist(), epochs.tolist(), strict=True)):
        if (other := rows.setdefault(key, row)) != row:
            have = "seed" in sheet.cells
            what = "and the same seed " if have else ""
            hint = "" if have else "; several trainings of one have a column 'seed'"
            raise ValueError(
                f"{sheet.path}, row {sheet.lines[row]}: the same architecture {what}as in row "
                f"{sheet.lines[other]}{hint}"
            )


def _medians(values: FloatArray, place: IntArray, n: int) -> FloatArray:
    """Median of the values of each architecture ``(n,)``, NaN for those without."""
    medians = np.full(n, np.nan)
    known = ~np.isnan(values)
    order = np.lexsort((values[known], place[known]))
    sorted_values, at = values[known][order], place[known][order]
    which, start, count = np.unique(at, return_index=True, return_counts=True)
    low, high = start + (count - 1) // 2, start + count // 2
    medians[which] = (sorted_values[low] + sorted_values[high]) / 2
    return medians
