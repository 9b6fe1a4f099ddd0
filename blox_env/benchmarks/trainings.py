"""The raw trainings of a benchmark as one compact text file, without loss."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blox_env.ground.files import write_atomic
from blox_env.ground.typing import FloatArray, IntArray

SCHEMA = 1


@dataclass(frozen=True)
class Trainings:
    """Single trainings: ``x`` ``(n, slots)``, ``seed`` ``(n,)``, accuracies as fractions.

    ``val_acc`` is ``(n, epochs)``, ``test_acc`` and ``train_time_s`` (CPU seconds) ``(n,)``;
    ``header`` says on what and how they were trained.
    """

    header: dict[str, Any]
    x: IntArray
    seed: IntArray
    val_acc: FloatArray
    test_acc: FloatArray
    train_time_s: FloatArray

    def __len__(self) -> int:
        """Number of trainings."""
        return len(self.seed)


def pack(results: Iterable[Path], target: Path, header: dict[str, Any]) -> int:
    """Join result files of :mod:`blox_env.benchmarks.collect` into one file; returns how many.

    Rows are sorted by architecture and seed, so equal results give equal files. Accuracies stand as
    numbers of correct answers.

    Args:
        results: files of single trainings.
        target: the file to be written.
        header: facts about the task.

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
    rows.sort(key=lambda row: (row["row"], row["seed"]))
    head = {"schema": SCHEMA, "task_sha256": rows[0]["task"], "recipe": rows[0]["recipe"], **header}
    text = io.StringIO()
    text.write(f"# {json.dumps(head, sort_keys=True)}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["arch", "seed", "val_correct", "test_correct", "train_time_s"])
    for row in rows:
        writer.writerow(
            [
                "-".join(map(str, row["row"])),
                row["seed"],
                " ".join(map(str, row["val_correct"])),
                row["test_correct"],
                row["train_time_s"],
            ]
        )
    write_atomic(target, text.getvalue())
    return len(rows)


def read(path: Path) -> Trainings:
    """Read a packed file.

    Raises:
        ValueError: names the file and what is wrong with it.
    """
    lines = path.read_text().splitlines()
    try:
        header = json.loads(lines[0].removeprefix("# "))
        if header["schema"] != SCHEMA:
            raise ValueError(f"expected schema {SCHEMA}, got {header['schema']!r}")
        rows = list(csv.DictReader(lines[1:]))
        return Trainings(
            header=header,
            x=np.array([[int(v) for v in row["arch"].split("-")] for row in rows]),
            seed=np.array([int(row["seed"]) for row in rows]),
            val_acc=np.array([[int(v) for v in row["val_correct"].split()] for row in rows])
            / header["val_images"],
            test_acc=np.array([int(row["test_correct"]) for row in rows]) / header["test_images"],
            train_time_s=np.array([float(row["train_time_s"]) for row in rows]),
        )
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a file of trainings: {error!r}") from error
