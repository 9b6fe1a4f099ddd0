"""The raw trainings of a benchmark as one compact text file, without loss."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.files import write_atomic
from blox_env.ground.typing import FloatArray, IntArray

SCHEMA = 2  # 1 had neither asked_by nor ran_on: all of it was uniform, on CPUs
UNIFORM = "uniform"
ROUND = "round"  # what optimisers asked for on an earlier table begins with it
COLUMNS = (
    "arch", "seed", "val_correct", "test_correct", "train_time_s", "asked_by", "ran_on",
)  # fmt: skip

_DEFAULTS = {**dict.fromkeys(COLUMNS, ""), "asked_by": UNIFORM, "ran_on": "cpu"}


@dataclass(frozen=True)
class Trainings:
    """Single trainings.

    Attributes:
        header: on what and how they were trained.
        x: architectures ``(n, slots)``.
        seed: ``(n,)``.
        val_acc: learning curves ``(n, epochs)``, fractions.
        test_acc: ``(n,)``, fractions, after the last epoch.
        train_time_s: CPU seconds ``(n,)``; NaN where they were not trained on a CPU of their own.
        asked_by: what asked for the training ``(n,)``: ``"uniform"``, or round, agent and device
            such as ``"round1:local-search:x86-ort-1t"``.
        ran_on: kind of machine and arithmetic ``(n,)``, such as ``"cpu"``.
    """

    header: dict[str, Any]
    x: IntArray
    seed: IntArray
    val_acc: FloatArray
    test_acc: FloatArray
    train_time_s: FloatArray
    asked_by: NDArray[np.str_]
    ran_on: NDArray[np.str_]

    def __len__(self) -> int:
        """Number of trainings."""
        return len(self.seed)

    def part(self, chosen: NDArray[np.bool_]) -> Trainings:
        """The trainings where ``chosen`` ``(n,)`` is true."""
        columns = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "header"}
        return Trainings(self.header, **{name: value[chosen] for name, value in columns.items()})


def pack(results: Iterable[Path], target: Path, header: dict[str, Any]) -> int:
    """Join result files of :mod:`blox_env.benchmarks.collect` into one file; returns how many.

    Args:
        results: the files.
        target: the one file.
        header: on what they were trained.

    Raises:
        ValueError: when results are of different tasks or recipes.
    """
    rows: list[dict[str, Any]] = []
    for path in results:
        try:
            rows.append(json.loads(path.read_text()))
        except json.JSONDecodeError as error:
            raise ValueError(f"{path} is damaged: {error}") from error
    if not rows:
        raise ValueError("there are no results to pack")
    for field in ("schema", "task", "recipe"):
        kinds = {json.dumps(row[field], sort_keys=True) for row in rows}
        if len(kinds) > 1:
            raise ValueError(f"results differ in {field}: {sorted(kinds)}")
    write(rows, target, {"task_sha256": rows[0]["task"], "recipe": rows[0]["recipe"], **header})
    return len(rows)


def write(rows: Iterable[dict[str, Any]], target: Path, header: dict[str, Any]) -> None:
    """Write trainings as one file, sorted, so that equal trainings give equal files.

    Args:
        rows: ``row``, ``seed``, ``val_correct`` (numbers of right answers), ``test_correct``, and
            optionally ``train_time_s``, ``asked_by``, ``ran_on``.
        target: the file.
        header: on what and how they were trained.
    """
    text = io.StringIO()
    text.write(f"# {json.dumps({**header, 'schema': SCHEMA}, sort_keys=True)}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in sorted(rows, key=lambda row: (row["row"], row["seed"], row.get("ran_on", "cpu"))):
        seconds = row.get("train_time_s")
        writer.writerow(
            [
                "-".join(map(str, row["row"])),
                row["seed"],
                " ".join(map(str, row["val_correct"])),
                row["test_correct"],
                "" if seconds is None else seconds,
                row.get("asked_by", UNIFORM),
                row.get("ran_on", "cpu"),
            ]
        )
    write_atomic(target, text.getvalue())


def join(sources: Sequence[Path], target: Path) -> int:
    """Join packed files of one task, such as those of several rounds, into one; returns how many.

    Equal trainings that are in several files are taken once.

    Args:
        sources: the files; what the first says about the task is kept.
        target: the one file, which may be among them.

    Raises:
        ValueError: for files of different tasks or recipes, or a training that differs between
            them; names the file.
    """
    rows: dict[tuple[str, str, str], list[str]] = {}
    header: dict[str, Any] = {}
    for path in sources:
        read(path)
        first, *lines = path.read_text().splitlines()
        own = json.loads(first.removeprefix("# "))
        header = header or own
        for field in ("task_sha256", "recipe"):
            if own.get(field) != header.get(field):
                raise ValueError(
                    f"{path} has another {field} than {sources[0]}: expected "
                    f"{header.get(field)}, got {own.get(field)}"
                )
        for row in csv.DictReader(lines):
            whole = [row.get(name) or default for name, default in _DEFAULTS.items()]
            key = (row["arch"], row["seed"], whole[-1])
            if rows.setdefault(key, whole) != whole:
                raise ValueError(
                    f"{path}: training {', '.join(key)} differs from an earlier file's"
                )
    plain = (dict(zip(_DEFAULTS, whole, strict=True)) for whole in rows.values())
    write(
        [
            {
                **row,
                "row": [int(option) for option in row["arch"].split("-")],
                "seed": int(row["seed"]),
                "val_correct": row["val_correct"].split(),
                "train_time_s": row["train_time_s"] or None,
            }
            for row in plain
        ],
        target,
        {key: value for key, value in header.items() if key != "schema"},
    )
    return len(rows)


def read(path: Path) -> Trainings:
    """Read a packed file.

    Raises:
        ValueError: names the file and what is wrong with it.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    try:
        header = json.loads(lines[0].removeprefix("# "))
        if header["schema"] not in (1, SCHEMA):
            raise ValueError(f"expected schema {SCHEMA}, got {header['schema']!r}")
        rows = list(csv.DictReader(lines[1:]))
        return Trainings(
            header=header,
            x=np.array([[int(v) for v in row["arch"].split("-")] for row in rows]),
            seed=np.array([int(row["seed"]) for row in rows]),
            val_acc=np.array([[int(v) for v in row["val_correct"].split()] for row in rows])
            / header["val_images"],
            test_acc=np.array([int(row["test_correct"]) for row in rows]) / header["test_images"],
            train_time_s=np.array([float(row["train_time_s"] or "nan") for row in rows]),
            asked_by=np.array([row.get("asked_by", UNIFORM) for row in rows]),
            ran_on=np.array([row.get("ran_on", "cpu") for row in rows]),
        )
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a file of trainings: {error!r}") from error
