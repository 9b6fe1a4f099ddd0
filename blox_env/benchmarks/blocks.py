"""Signatures of distilled blocks beside a table, and what it took to get them.

A benchmark's folder may hold ``blocks.json``: for one or several teachers the losses of all 45
blocks of the three stages (:mod:`blox_env.networks.blockwise`), and CPU seconds of the teacher, of
every block and of fine-tuning. They were measured on another machine, and another day, than the
table's own ``train_time_s``; ``speed`` is how many of the table's seconds one of them is, from
trainings from scratch that ran among them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blox_env.ground.files import json_text, write_files
from blox_env.networks.signatures import MEASURES, Signatures
from blox_env.spaces.blox import BLOCKS, STAGES

FILE = "blocks.json"
SCHEMA = 1
_TABLES = (*MEASURES, "seconds")
CARD = "BLOCKS.md"
_CARD = """\
# Signatures of distilled blocks

`blocks.json` holds, for each teacher below, what all 45 blocks of the three stages came to when
they learned what its stage does (`blox_env.networks.blockwise`): `nsr`, the squared error over the
variance of the teacher's channels; `mse`; `swap_acc`, the teacher's validation accuracy with the
block in place of its own; CPU `seconds` of the training. One training each, with one seed; errors
on validation pictures. Agents such as `donna` pay for them: {speed:.3f} seconds of this table's
`train_time_s` are one of these, by trainings of whole networks that ran among them.

Made by `examples/blockwise_questions.py`; settings: `{origin}`.

`good` is the best architecture of the table: whoever uses its blocks searches with the answer of a
search before. `mediocre` is an ordinary one, trained in part. `round0` was never trained, `round1`
is what a search by its blocks had found, and so on; seconds of fine-tuning belong to those.

| teacher | architecture | accuracy | seconds: its training | all blocks | fine-tuning |
| --- | --- | --- | --- | --- | --- |
{lines}
"""


@dataclass(frozen=True)
class TaughtBlocks:
    """Blocks that one teacher taught.

    Attributes:
        name: of the teacher, such as ``"mediocre"``; ``"round0"`` and on are those of a search
            that began with a random teacher.
        row: its architecture.
        val_acc: its validation accuracy.
        teacher_s: seconds of its training, in those of the table.
        blocks_s: seconds of all blocks.
        tuned_s: seconds of fine-tuning whole networks of them, where that led to the next teacher.
        signatures: of the blocks.
    """

    name: str
    row: tuple[int, ...]
    val_acc: float
    teacher_s: float
    blocks_s: float
    tuned_s: float
    signatures: Signatures

    @property
    def seconds(self) -> float:
        """All that was needed before the signatures were there, and to go on from them."""
        return self.teacher_s + self.blocks_s + self.tuned_s


def write_blocks(
    folder: str | Path, teachers: Sequence[TaughtBlocks], speed: float, origin: Mapping[str, Any]
) -> None:
    """Put signatures beside a table.

    Args:
        folder: of the table.
        teachers: their seconds as they were measured.
        speed: seconds of the table in one that was measured.
        origin: task, recipe and other facts of the run, for readers.
    """
    entries = [
        {
            **{name: getattr(each, name) for name in ("name", "row", "val_acc")},
            **{name: round(getattr(each, name), 3) for name in ("teacher_s", "tuned_s")},
            **{name: np.round(getattr(each.signatures, name), 6).tolist() for name in _TABLES},
        }
        for each in teachers
    ]
    content = {"schema": SCHEMA, "speed": speed, "origin": dict(origin), "teachers": entries}
    text = _digested(json.loads(json_text(content)))
    write_files({Path(folder) / FILE: text, Path(folder) / CARD: _card(entries, speed, origin)})


def _card(entries: Sequence[Mapping[str, Any]], speed: float, origin: Mapping[str, Any]) -> str:
    """The data card: what was trained, and how good the teachers are."""
    lines = [
        f"| `{each['name']}` | {'-'.join(map(str, each['row']))} | {each['val_acc']:.4f} "
        f"| {each['teacher_s']:.1f} | {np.sum(each['seconds']):.1f} | {each['tuned_s']:.1f} |"
        for each in entries
    ]
    return _CARD.format(
        origin=json.dumps(dict(origin), sort_keys=True), speed=speed, lines="\n".join(lines)
    )


def read_blocks(path: Path) -> tuple[TaughtBlocks, ...]:
    """Blocks of all teachers in a file.

    Raises:
        ValueError: for one that is damaged or of another schema; names it.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        said = content["sha256"]
        if content["schema"] != SCHEMA:
            raise ValueError(f"expected schema {SCHEMA}, got {content['schema']!r}")
        if json.loads(_digested(content))["sha256"] != said:
            raise ValueError("its SHA-256 is not the one that it says")
        return tuple(_entry(entry, float(content["speed"])) for entry in content["teachers"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged or no file of blocks: {error}") from error


def _digested(content: dict[str, Any]) -> str:
    """The text of a file, with the SHA-256 of all else in it."""
    rest = {key: value for key, value in content.items() if key != "sha256"}
    digest = hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
    return json.dumps({**rest, "sha256": digest}, sort_keys=True) + "\n"


def _entry(entry: dict[str, Any], speed: float) -> TaughtBlocks:
    tables = {name: np.array(entry[name], dtype=float) for name in _TABLES}
    for name, table in tables.items():
        if table.shape != (STAGES, len(BLOCKS)) or not np.isfinite(table).all():
            raise ValueError(
                f"{name} of {entry['name']!r} must be {STAGES} × {len(BLOCKS)} finite numbers"
            )
        table.setflags(write=False)
    return TaughtBlocks(
        name=str(entry["name"]),
        row=tuple(entry["row"]),
        val_acc=float(entry["val_acc"]),
        teacher_s=speed * float(entry["teacher_s"]),
        blocks_s=speed * float(tables["seconds"].sum()),
        tuned_s=speed * float(entry["tuned_s"]),
        signatures=Signatures(**tables),
    )
