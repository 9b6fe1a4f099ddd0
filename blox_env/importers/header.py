"""The header of a release file: YAML between two lines of ``---``.

Read with YAML's base loader, for which every scalar is text: it builds nothing but text, lists and
dicts, and does not merge keys, so that no header can grow beyond its own size.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import yaml

from blox_env.ground.errors import shown, unknown_name
from blox_env.spaces.blox import OPERATIONS
from blox_env.store.columns import COLUMNS, is_name

LONGEST = 16_384  # bytes of a header; upstream's have 500
MOST_BRACKETS = 64  # PyYAML's time grows with their square
MOST_EPOCHS = 10_000
MOST_COLUMNS = 64
FORMATS = ("csv", "pickle", "custom")
PARTS = ("base", "ext", "info", "env", "bench")
_PARTS = {
    ("training", "base"): "base",
    ("training", "ext"): "ext",
    ("static", None): "info",
    ("env", None): "env",
    ("benchmarking", None): "bench",
}
_HASH = "model_hash"


@dataclass(frozen=True)
class Header:
    """The header of a file of a release.

    Attributes:
        part: ``"base"``, ``"ext"``, ``"info"``, ``"env"`` or ``"bench"``.
        format: ``"csv"``, ``"pickle"`` or ``"custom"``.
        columns: names in the order of a row; the first is ``model_hash``.
        types: of the columns of a custom stream, as written.
        seed: of the trainings; None for info and bench.
        device: of a bench file.
        epochs: length of the lists; None where there are none.
        dataset: what was trained on, where it says so.
        start: byte of the file at which the rows begin.
    """

    part: str
    format: str
    columns: tuple[str, ...]
    types: dict[str, str]
    seed: int | None
    device: str | None
    epochs: int | None
    dataset: str | None
    start: int


def read_header(file: BinaryIO, path: Path) -> Header:
    """Read the header of an open file and leave it where the rows begin.

    Args:
        file: open at its beginning.
        path: of the file, for messages.

    Raises:
        ValueError: names the file, and what was expected and what came.
    """
    text = _text(file, path)
    if text.count("[") + text.count("{") > MOST_BRACKETS:
        raise ValueError(f"{path}: the header has more than {MOST_BRACKETS} brackets")
    try:
        values = yaml.load(text, Loader=yaml.BaseLoader)
    except RecursionError:
        raise ValueError(f"{path}: the header is nested too deeply") from None
    except (yaml.YAMLError, ValueError, TypeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 2}" if mark is not None else ""
        reason = getattr(error, "problem", None) or str(error)
        raise ValueError(f"{path}: the header is no YAML{where}: {reason[:200]}") from None
    if not isinstance(values, dict):
        raise ValueError(f"{path}: expected a header of keys and values, got {shown(values)}")
    try:
        return _checked(values, file.tell())
    except ValueError as error:
        raise ValueError(f"{path}: header: {error}") from None


def _text(file: BinaryIO, path: Path) -> str:
    """The lines between ``---`` and ``---``."""
    first = file.readline(8)
    if first.rstrip() != b"---":
        raise ValueError(f"{path}: expected a first line of '---', got {shown(first)}")
    lines: list[bytes] = []
    size = 0
    while True:
        line = file.readline(LONGEST)
        if line.rstrip() == b"---":
            break
        size += len(line)
        if not line or size > LONGEST:
            raise ValueError(f"{path}: the header has no closing line of '---' in {LONGEST} bytes")
        lines.append(line)
    try:
        return b"".join(lines).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: the header is not UTF-8: {error}") from None


def _checked(values: dict[Any, Any], start: int) -> Header:
    if values.get("version") != "1":
        raise ValueError(f"expected version 1, got {shown(values.get('version'))}")
    kind, part = (_word(values, key) for key in ("dataset_type", "part"))
    if (kind, part) not in _PARTS:
        raise ValueError(f"unknown dataset_type {shown(kind)} with part {shown(part)}")
    part = _PARTS[kind, part]  # type: ignore[index]
    form = _word(values, "format")
    if form not in FORMATS:
        raise ValueError(unknown_name("format", form, FORMATS))
    space = values.get("search_space")
    ops = space.get("ops") if isinstance(space, dict) else None
    if ops is not None and ops != list(OPERATIONS):
        raise ValueError(f"expected operations {list(OPERATIONS)}, got {shown(ops)}")
    columns = _columns(values.get("columns"), part)
    lists = part in ("base", "ext")
    device = _word(values, "device") if part == "bench" else None
    if part == "bench" and not is_name(device):
        raise ValueError(
            f"device must be of letters, digits, '.', '_' and '-', got {shown(device)}"
        )
    return Header(
        part=part,
        format=form,
        columns=columns,
        types=_types(values.get("column_types"), columns) if form == "custom" else {},
        seed=_whole(values, "seed", 0, 2**31 - 1) if part in ("base", "ext", "env") else None,
        device=device,
        epochs=_whole(values, "epochs", 1, MOST_EPOCHS) if lists else None,
        dataset=_word(values, "dataset"),
        start=start,
    )


def _columns(names: object, part: str) -> tuple[str, ...]:
    if not isinstance(names, list) or not all(is_name(name) for name in names):
        raise ValueError(f"columns must be a list of names, got {shown(names)}")
    if names[:1] != [_HASH] or not 2 <= len(names) <= MOST_COLUMNS:
        raise ValueError(
            f"columns must begin with {_HASH!r} and have 2 to {MOST_COLUMNS} names, "
            f"got {shown(names)}"
        )
    if len({name.lower() for name in names}) < len(names):
        raise ValueError(f"columns must be distinct, got {shown(names)}")
    if part != "env":
        known = [name for name, column in COLUMNS.items() if column.part == part]
        for name in names[1:]:
            if name not in known:
                raise ValueError(unknown_name(f"column of a file of part {part!r}:", name, known))
    return tuple(names)


def _types(types: object, columns: tuple[str, ...]) -> dict[str, str]:
    if not isinstance(types, dict) or set(types) != set(columns):
        raise ValueError(f"column_types must have one for each column, got {shown(types)}")
    for name, value in types.items():
        if not isinstance(value, str) or len(value) > 100:
            raise ValueError(f"column_types: {name} must be text, got {shown(value)}")
    return dict(types)


def _word(values: dict[Any, Any], key: str) -> str | None:
    value = values.get(key)
    if value is not None and not (isinstance(value, str) and len(value) <= 100):
        raise ValueError(f"{key} must be a word, got {shown(value)}")
    return value


def _whole(values: dict[Any, Any], key: str, low: int, high: int) -> int:
    text = values.get(key)
    if not (isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 12):
        raise ValueError(f"{key} must be a whole number, got {shown(text)}")
    if not low <= int(text) <= high:
        raise ValueError(f"{key} must be in {low} … {high}, got {text}")
    return int(text)
