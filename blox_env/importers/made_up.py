"""Writes releases in the upstream format with made-up numbers, for tests, examples and timings.

Nothing written here is a result: accuracies grow with parameters and epochs because that looks like
learning, and everything else is drawn at random.
"""

from __future__ import annotations

import io
import pickle
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import ArrayLike, NDArray

from blox_env.ground.typing import FloatArray, IntArray
from blox_env.importers.header import PARTS
from blox_env.spaces import BloxSpace
from blox_env.spaces.blox import OPERATIONS
from blox_env.store.columns import COLUMNS

SUFFIXES = {"csv": "csv", "pickle": "pickle", "custom": "blox"}
_TYPES = {"loss": "float", "time": "int", "latency": "float", "count": "int", "arch": "arch"}
_KINDS = {"info": "static", "env": "env", "bench": "benchmarking"}


@dataclass
class File:
    """One file of a release before it is written.

    Attributes:
        part: ``"base"``, ``"ext"``, ``"info"``, ``"env"`` or ``"bench"``.
        hashes: 32 hex digits a row.
        columns: counts of correct answers, millionths, whole numbers, nested lists, or text;
            ``(n, epochs)`` for curves.
        which: seed or device.
    """

    part: str
    hashes: list[str]
    columns: dict[str, Any]
    which: int | str | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """Name of the file without its suffix."""
        return f"blox-{self.part}" + ("" if self.which is None else f"-{self.which}")


def write_release(
    folder: str | Path,
    x: ArrayLike,
    *,
    epochs: int = 200,
    seeds: Sequence[int] = (0,),
    devices: Sequence[str] = ("phone",),
    formats: Sequence[str] = ("csv",),
    parts: Sequence[str] = PARTS,
    rng: int | np.random.Generator = 0,
    hashes: list[str] | None = None,
) -> list[Path]:
    """Write a made-up release of the architectures ``x (n, 3)``; returns the files.

    Args:
        folder: where to; made if it is not there.
        x: architectures of Blox, distinct.
        epochs: length of the curves.
        seeds: of the trainings.
        devices: names of the devices.
        formats: out of ``"csv"``, ``"pickle"``, ``"custom"``; each file is written in each.
        parts: which files to write.
        rng: where the numbers come from.
        hashes: of the architectures, where they are known already.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    written = []
    for file in make_files(x, epochs, seeds, devices, parts, np.random.default_rng(rng), hashes):
        for form in formats:
            path = place / f"{file.stem}.{SUFFIXES[form]}"
            with path.open("wb") as out:
                out.write(encode_file(file, form))
            written.append(path)
    return written


def make_files(
    x: ArrayLike,
    epochs: int,
    seeds: Sequence[int],
    devices: Sequence[str],
    parts: Sequence[str],
    rng: np.random.Generator,
    hashes: list[str] | None = None,
) -> list[File]:
    """Made-up numbers for every file of a release.

    Args:
        x: architectures ``(n, 3)``.
        epochs: length of the curves.
        seeds: of the trainings.
        devices: names of devices.
        parts: of the release, such as ``"base"``.
        rng: draws the numbers.
        hashes: model hashes of ``x``, if they are known already.
    """
    space = BloxSpace()
    rows = space.check(x)
    known = space.model_hash(rows) if hashes is None else hashes
    n, params = len(rows), space.params(rows)
    files: list[File] = []
    for seed in seeds:
        if "base" in parts:
            quality = (params / params.max())[:, None] + 0.1 * rng.random((n, 1))
            curve = 250 + 3000 * quality * np.linspace(0.02, 1, epochs) ** 0.5
            base: dict[str, Any] = {
                "val_top1": np.minimum(curve + rng.integers(0, 60, (n, epochs)), 4999).astype(int),
                "test_top1": rng.integers(6900, 7700, n),
                "train_time_s": rng.integers(4000, 20_000, n),
            }
            files.append(File("base", known, base, seed, {"epochs": epochs}))
        if "ext" in parts:
            ext = {name: _drawn(name, n, epochs, rng) for name in _columns("ext")}
            files.append(File("ext", known, ext, seed, {"epochs": epochs}))
        if "env" in parts:
            gpus = ["Tesla V100", "Made up 1080"]
            env = {"cuda": ["11.1"] * n, "gpu": [gpus[i] for i in rng.integers(0, 2, n)]}
            files.append(File("env", known, env, seed))
    if "info" in parts:
        vectors = [space.to_arch_vec(row) for row in rows]
        info = {"params": params, "flops": space.macs(rows), "arch_vec": vectors}
        files.append(File("info", known, info))
    for device in devices if "bench" in parts else ():
        latency = 500_000 + params + rng.integers(0, 9_000_000, n)
        files.append(File("bench", known, {"latency": latency}, device))
    return files


def encode_file(file: File, form: str) -> bytes:
    """The whole file in one of the formats.

    Args:
        file: with its made-up numbers.
        form: ``"csv"``, ``"pickle"`` or ``"custom"``.
    """
    encoders = {"csv": _as_csv, "pickle": _as_pickle, "custom": _as_custom}
    types = {name: _type(name, values) for name, values in file.columns.items()}
    header = _header(file, form, types)
    return (
        b"---\n"
        + yaml.safe_dump(header, sort_keys=False).encode()
        + b"---\n"
        + encoders[form](file, types)
    )


def _header(file: File, form: str, types: dict[str, str]) -> dict[str, Any]:
    shape = [[3], [3, 2, 2, 2]]
    header: dict[str, Any] = {
        "version": 1,
        # one list three times, which YAML writes as an anchor and aliases, as upstream's files do
        "search_space": {"shape": [shape] * 3, "nodes": 2, "stages": 3, "ops": list(OPERATIONS)},
        "dataset_type": _KINDS.get(file.part, "training"),
        "columns": ["model_hash", *file.columns],
        **file.extra,
    }
    if file.which is not None:
        header["device" if file.part == "bench" else "seed"] = file.which
    if file.part in ("base", "ext"):
        header.update(dataset="cifar100", part=file.part)
    header["format"] = form
    if form == "custom":
        header["column_types"] = {"model_hash": "hash", **types}
    return header


def _columns(part: str) -> list[str]:
    return [name for name, column in COLUMNS.items() if column.part == part]


def _drawn(name: str, n: int, epochs: int, rng: np.random.Generator) -> IntArray:
    column = COLUMNS[name]
    high = column.examples or 4_000_000
    return rng.integers(high // 20, high, (n, epochs) if column.curve else n)


def _type(name: str, values: Any) -> str:
    column = COLUMNS.get(name)
    if column is None:
        return "str"
    kind = _TYPES.get(column.kind, "")
    if column.kind == "accuracy":
        low, high = int(np.min(values)), int(np.max(values))
        bits = max(1, (high - low).bit_length()) if column.curve else 16
        kind = f"b_{low}_{high}_{bits}"
    return f"list[{kind}]" if column.curve else kind


def _plain(name: str, values: Any) -> Any:
    """Values as upstream's own readers give them: percentages, floats, whole numbers."""
    column = COLUMNS.get(name)
    if column is not None and column.kind == "accuracy":
        return np.rint(np.asarray(values) * (1e5 / column.examples)) / 1e3
    if column is not None and column.kind in ("loss", "latency"):
        return np.asarray(values) / 1e6
    return values


def _row_values(file: File) -> list[list[Any]]:
    columns = [_plain(name, values) for name, values in file.columns.items()]
    lists = [c.tolist() if isinstance(c, np.ndarray) else c for c in columns]
    return [list(row) for row in zip(file.hashes, *lists, strict=True)]


def _as_csv(file: File, _types: dict[str, str]) -> bytes:
    texts = []
    for name, values in file.columns.items():
        plain = _plain(name, values)
        if isinstance(plain, np.ndarray) and plain.ndim == 2:
            # every number is written once and looked up after that
            kinds, place = np.unique(np.asarray(values), return_inverse=True)
            words = [repr(v) for v in _plain(name, kinds).tolist()]
            lines = place.reshape(plain.shape).tolist()
            texts.append([f'"[{", ".join(map(words.__getitem__, line))}]"' for line in lines])
        else:
            cells = plain.tolist() if isinstance(plain, np.ndarray) else plain
            quoted = name == "arch_vec"
            texts.append([f'"{cell}"' if quoted else str(cell) for cell in cells])
    lines_of = zip(file.hashes, *texts, strict=True)
    return "".join(",".join(line) + "\n" for line in lines_of).encode()


def _as_pickle(file: File, _types: dict[str, str]) -> bytes:
    out = io.BytesIO()
    pickle.dump(_row_values(file), out, protocol=4)
    return out.getvalue()


def _as_custom(file: File, types: dict[str, str]) -> bytes:
    n = len(file.hashes)
    if "str" in types.values():
        rows = b"".join(
            bytes.fromhex(row[0])[::-1]
            + b"".join(bytes([len(text)]) + text.encode("ascii") for text in row[1:])
            for row in _row_values(file)
        )
    else:
        digests = np.frombuffer(bytes.fromhex("".join(file.hashes)), np.uint8).reshape(n, 16)
        parts = [digests[:, ::-1]]
        parts += [_packed(name, values, types[name]) for name, values in file.columns.items()]
        rows = np.concatenate(parts, axis=1).tobytes()
    body = struct.pack("<I", n) + rows
    return zlib.compress(struct.pack("<Q", 8 * len(body)) + body, 6)


def _packed(name: str, values: Any, kind: str) -> NDArray[np.uint8]:
    """A column of the custom stream: ``(n, bytes)``."""
    if kind == "arch":
        flat = np.array([[v for (a,), r in row for v in (a, *r)] for row in values]).reshape(
            -1, 3, 5
        )
        pair = (flat[:, :, 0] * 3 + flat[:, :, 1]) << 3
        stages: NDArray[np.uint8] = (pair | flat[:, :, 2:] @ np.array([4, 2, 1])).astype(np.uint8)
        return stages
    numbers = np.asarray(values, dtype=np.int64)
    table = numbers[:, None] if numbers.ndim == 1 else numbers
    element = kind.removeprefix("list[").removesuffix("]")
    if element.startswith("b_"):
        low, _, bits = (int(v) for v in element[2:].split("_"))
        single = (table - low)[:, :, None] >> np.arange(bits) & 1
        packed = np.packbits(
            single.reshape(len(table), -1).astype(np.uint8), axis=1, bitorder="little"
        )
    else:
        width = {"float": 3, "int": 4}[element]
        wide = np.ascontiguousarray(table.astype("<u4")).view(np.uint8)
        packed = wide.reshape(len(table), -1, 4)[:, :, :width].reshape(len(table), -1)
    if COLUMNS[name].curve:
        length = np.full((len(table), 1), table.shape[1], np.uint8)
        packed = np.concatenate([length, packed], axis=1)
    return packed


def expected(file: File, name: str) -> FloatArray:
    """A numeric column as a plain reading of the CSV file gives it.

    Args:
        file: with its made-up numbers.
        name: of the column.
    """
    values: FloatArray = np.asarray(_plain(name, file.columns[name]), dtype=np.float64)
    return values
