"""Run files: the history of one search with everything that determines it, as Parquet.

Equal searches are equal files, byte for byte: no time, host or path is in them. Those stand beside
each run file in a sidecar ``*.meta.json``.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.errors import missing_extra
from blox_env.history import History
from blox_env.parallel import write_atomic, write_json

SCHEMA = 1
_KEY = b"blox_env"


@dataclass(frozen=True)
class Run:
    """One finished search.

    Attributes:
        facts: what determines the run (``agent``, ``options``, ``benchmark``, ``device``,
            ``reward``, ``latency_target_ms``, ``budget``, ``noise``, ``seed``, ``checksums``,
            ``version``) and its result: ``best`` (row of the history), ``test_acc`` of that
            architecture, ``queries``, ``optimum`` (reward of the best of the whole space, or None).
        x: architectures ``(n, slots)`` in order of first evaluation.
        columns: the history's other columns, each ``(n,)``.
        meta: times and host; empty where the sidecar is missing.
    """

    facts: dict[str, Any]
    x: NDArray[np.int64]
    columns: dict[str, NDArray[Any]]
    meta: dict[str, Any]

    def __len__(self) -> int:
        """Number of trials."""
        return len(self.x)


def encode_run(history: History, facts: dict[str, Any]) -> bytes:
    """A run file as bytes; equal searches give equal bytes."""
    arrow, parquet = _pyarrow()
    columns: dict[str, Any] = {f"x{i}": history.x[:, i] for i in range(history.x.shape[1])}
    columns |= history.columns()
    columns["source"] = columns["source"].tolist()
    table = arrow.table(columns).replace_schema_metadata(
        {_KEY: json.dumps({"schema": SCHEMA, **facts}, sort_keys=True)}
    )
    buffer = io.BytesIO()
    parquet.write_table(table, buffer, compression="zstd", write_page_checksum=True)
    return buffer.getvalue()


def write_run(path: Path, content: bytes, meta: dict[str, Any]) -> None:
    """Write a run file and its sidecar atomically, the run file last."""
    write_json(sidecar(path), meta)
    write_atomic(path, content)


def read_run(path: str | Path) -> Run:
    """Read a run file.

    Raises:
        ValueError: names the file and what is wrong with it.
    """
    arrow, parquet = _pyarrow()
    path = Path(path)
    try:
        table = parquet.read_table(path, page_checksum_verification=True)
        facts = json.loads((table.schema.metadata or {})[_KEY])
    except FileNotFoundError:
        raise
    except (arrow.ArrowException, OSError, KeyError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not a run file: {error}") from error
    if facts.get("schema") != SCHEMA:
        raise ValueError(f"{path}: expected schema {SCHEMA}, got {facts.get('schema')!r}")
    data = {name: table[name].to_numpy() for name in table.column_names}
    slots = sorted((n for n in data if n[0] == "x" and n[1:].isdigit()), key=lambda n: int(n[1:]))
    x = np.stack([data.pop(name) for name in slots], axis=1)
    beside = sidecar(path)
    meta = json.loads(beside.read_text()) if beside.exists() else {}
    return Run(facts, x, data, meta)


def read_runs(folder: str | Path) -> list[Run]:
    """All runs below ``folder``, in order of file name.

    Raises:
        FileNotFoundError: when there is none.
    """
    paths = sorted(Path(folder).glob("runs/*.parquet"))
    if not paths:
        raise FileNotFoundError(f"no run files (runs/*.parquet) below {folder}")
    return [read_run(path) for path in paths]


def sidecar(path: Path) -> Path:
    """Where times and host of a run stand."""
    return path.with_suffix(".meta.json")


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow  # noqa: PLC0415 (an extra)
        import pyarrow.parquet  # noqa: PLC0415
    except ImportError as error:
        raise missing_extra("run files", "experiment", error) from error
    return pyarrow, pyarrow.parquet
