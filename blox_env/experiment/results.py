"""Run files: the history of one search with everything that determines it, as Parquet.

Equal searches are equal files, byte for byte: no real time, host, path or commit is in them. Those
stand beside each run file in a sidecar ``*.meta.json``. Simulated time is in the run file.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.extras import extra
from blox_env.ground.files import write_atomic, write_json
from blox_env.problem.clock import Schedule, schedule
from blox_env.problem.history import History

SCHEMA = 2
SIMULATED = ("sim_start_s", "sim_end_s", "sim_worker")  # columns beyond those of the history
_KEY = b"blox_env"


@dataclass(frozen=True)
class Run:
    """One finished search.

    Attributes:
        facts: what determines the run (``agent``, ``options``, ``settings``, ``benchmark``,
            ``device``, ``reward``, ``latency_target_ms``, ``budget``, ``noise``, ``seed``,
            ``simulated_workers``, ``simulated_hours``, ``checksums``, ``version``, ``versions``)
            and its result: ``best`` (row of the history), ``test_acc`` of that architecture,
            ``queries``, ``optimum`` (reward of the best of the whole space, or None).
        x: architectures ``(n, slots)`` in order of first evaluation.
        columns: the history's other columns, each ``(n,)``, and ``sim_start_s``, ``sim_end_s``,
            ``sim_worker``: which of the simulated workers trained when, in simulated seconds (NaN
            where the benchmark does not know how long trainings take).
        meta: real times and host: ``wall_s`` and ``cpu_s`` of the search, ``trial_wall_s`` (a list
            of n: seconds since its start at which each trial was recorded), ``finished_unix``,
            ``host``, ``python``, ``git`` (``commit`` and ``dirty``, None outside a checkout); empty
            where the sidecar is missing.
    """

    facts: dict[str, Any]
    x: NDArray[np.int64]
    columns: dict[str, NDArray[Any]]
    meta: dict[str, Any]

    def __len__(self) -> int:
        """Number of trials."""
        return len(self.x)


def encode_run(history: History, facts: dict[str, Any], simulated: Schedule | None = None) -> bytes:
    """A run file as bytes; equal searches give equal bytes.

    ``simulated`` says when which worker trained; if not given, one did everything in order.
    """
    arrow, parquet = _pyarrow()
    when = schedule(history.train_time_s) if simulated is None else simulated
    columns: dict[str, Any] = {f"x{i}": history.x[:, i] for i in range(history.x.shape[1])}
    columns |= history.columns()
    columns["source"] = columns["source"].tolist()
    columns |= {
        "sim_start_s": when.start_s,
        "sim_end_s": when.end_s,
        "sim_worker": when.worker,
    }
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
        with parquet.ParquetFile(path, page_checksum_verification=True) as file:
            facts = _facts(path, file.schema_arrow.metadata)
            table = file.read(use_threads=False)
        data = {name: table[name].to_numpy() for name in table.column_names}
    except FileNotFoundError:
        raise
    except (arrow.ArrowException, OSError, ValueError, KeyError) as error:
        raise _not_a_run(path, error) from error
    slots = sorted((n for n in data if n[0] == "x" and n[1:].isdigit()), key=lambda n: int(n[1:]))
    if missing := [name for name in SIMULATED if name not in data] or not slots:
        raise ValueError(f"{path} is not a run file: columns are missing: {missing or 'x0 …'}")
    x = np.stack([data.pop(name) for name in slots], axis=1)
    beside = sidecar(path)
    meta = json.loads(beside.read_text()) if beside.exists() else {}
    return Run(facts, x, data, meta)


def read_facts(path: str | Path) -> dict[str, Any]:
    """The facts of a run file without its trials.

    Raises:
        ValueError: names the file and what is wrong with it.
    """
    arrow, parquet = _pyarrow()
    try:
        return _facts(Path(path), parquet.read_schema(path).metadata)
    except FileNotFoundError:
        raise
    except (arrow.ArrowException, OSError, ValueError) as error:
        raise _not_a_run(Path(path), error) from error


def _facts(path: Path, metadata: dict[bytes, bytes] | None) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((metadata or {}).get(_KEY, b"null"))
    if not isinstance(facts, dict):
        raise ValueError("there are no facts in it")
    if facts.get("schema") != SCHEMA:
        raise _OtherSchemaError(
            f"{path} has schema {facts.get('schema')!r}, expected {SCHEMA}: it was written by "
            f"another version of blox-env; run the experiment again in another folder"
        )
    return facts


class _OtherSchemaError(ValueError):
    """Of a run file of another version."""


def _not_a_run(path: Path, error: Exception) -> ValueError:
    if isinstance(error, _OtherSchemaError):
        return error
    return ValueError(f"{path} is not a run file: {error}")


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
    with extra("experiment", "run files"):
        import pyarrow
        import pyarrow.parquet
    return pyarrow, pyarrow.parquet
