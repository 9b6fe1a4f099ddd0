"""Run files: the history of one search with everything that determines it, as Parquet.

Equal searches are equal files, byte for byte: no real time, host, path or commit is in them. Those
stand beside each run file in a sidecar ``*.meta.json``. Simulated time is in the run file. A digest
over trials and facts tells damage; it is no signature, so it does not tell who wrote the file.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.experiment.facts import Facts
from blox_env.ground.extras import extra
from blox_env.ground.files import json_text, write_files
from blox_env.problem import Problem
from blox_env.problem.clock import Schedule, schedule
from blox_env.problem.history import History

SCHEMA = 3
READABLE = (2, 3)  # 2 has other names of some facts, and no digest
SIMULATED = ("sim_start_s", "sim_end_s", "sim_worker")  # columns beyond those of the history
TRUTH = "true_reward"  # column of searches that saw single trainings: rewards by means
_KEY = b"blox_env"
_DIGEST = b"blox_env.sha256"


@dataclass(frozen=True)
class Run:
    """One finished search.

    Attributes:
        facts: what determines the run, and its result.
        x: architectures ``(n, slots)`` in order of first evaluation.
        columns: the history's other columns, each ``(n,)``, and ``sim_start_s``, ``sim_end_s``,
            ``sim_worker``: which of the simulated workers trained when, in simulated seconds (NaN
            where the benchmark does not know how long trainings take); of searches that saw single
            trainings ``true_reward`` as well, what the means give.
        meta: real times and host: ``wall_s`` and ``cpu_s`` of the search, ``trial_wall_s`` (a list
            of n: seconds since its start at which each trial was recorded), ``finished_unix``,
            ``host``, ``python``, ``git`` (``commit`` and ``dirty``, None outside a checkout); empty
            where the sidecar is missing.
    """

    facts: Facts
    x: NDArray[np.int64]
    columns: dict[str, NDArray[Any]]
    meta: Mapping[str, Any]

    def __len__(self) -> int:
        """Number of trials."""
        return len(self.x)


def encode_run(
    history: History,
    facts: Facts,
    simulated: Schedule | None = None,
    truth: NDArray[np.float64] | None = None,
) -> bytes:
    """A run file as bytes; equal searches give equal bytes.

    Args:
        history: the trials.
        facts: what determines the run, and its result.
        simulated: when which worker trained; if not given, one did everything in order.
        truth: rewards by means ``(n,)``, where trials were single trainings.
    """
    arrow, parquet = _pyarrow()
    when = schedule(history.train_time_s) if simulated is None else simulated
    columns: dict[str, Any] = {f"x{i}": history.x[:, i] for i in range(history.x.shape[1])}
    columns |= history.columns()
    columns |= {
        "sim_start_s": when.start_s,
        "sim_end_s": when.end_s,
        "sim_worker": when.worker,
    }
    if truth is not None:
        columns[TRUTH] = truth
    metadata = sealed(facts, columns)
    columns["source"] = columns["source"].tolist()
    table = arrow.table(columns).replace_schema_metadata(metadata)
    buffer = io.BytesIO()
    parquet.write_table(table, buffer, compression="zstd", write_page_checksum=True)
    return buffer.getvalue()


def truth_of(problem: Problem) -> NDArray[np.float64] | None:
    """Rewards of a problem's trials by means ``(n,)``; None where they are those of the history.

    Also None where asking for means would train.
    """
    if problem.noise != "sampled" or problem.benchmark.trains or problem.history is None:
        return None
    return problem.peek(problem.history.x).reward


def sealed(facts: Facts, columns: Mapping[str, NDArray[Any]]) -> dict[bytes, bytes]:
    """The facts as they stand in a run file, with a digest over them and the trials.

    Args:
        facts: of the run.
        columns: of the trials, those of ``x`` among them.
    """
    said = {"schema": SCHEMA, "trials_sha256": _digest(columns), **facts.to_json()}
    text = json.dumps(said, sort_keys=True).encode()
    return {_KEY: text, _DIGEST: hashlib.sha256(text).hexdigest().encode()}


def _digest(columns: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 over named columns, whatever their order."""
    found = hashlib.sha256()
    for name in sorted(columns):
        values = columns[name]
        if values.dtype.kind in "UO":
            content = "\0".join(map(str, values.tolist())).encode()
        else:
            content = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes()
        found.update(f"{name}\0{len(values)}\0".encode() + content)
    return found.hexdigest()


def write_run(path: Path, content: bytes, meta: Mapping[str, Any]) -> None:
    """Write a run file and its sidecar, each whole or not at all, the run file last.

    Args:
        path: of the run file.
        content: what :func:`encode_run` gave.
        meta: real times and host, for the sidecar.
    """
    write_files({sidecar(path): json_text(meta), path: content})


def read_run(path: str | Path) -> Run:
    """Read a run file and check its digest.

    Raises:
        ValueError: names the file and what is wrong with it.
    """
    arrow, parquet = _pyarrow()
    path = Path(path)
    try:
        with parquet.ParquetFile(path, page_checksum_verification=True) as file:
            said = _said(path, file.schema_arrow.metadata)
            table = file.read(use_threads=False)
        data = {name: _numpy(table[name]) for name in table.column_names}
        if said["schema"] > 2 and said.get("trials_sha256") != _digest(data):
            raise ValueError("its trials are not those that its digest is of")
        facts = Facts.from_json(said, said["schema"])
    except FileNotFoundError:
        raise
    except (arrow.ArrowException, OSError, ValueError, KeyError) as error:
        raise _not_a_run(path, error) from error
    slots = sorted((n for n in data if n[0] == "x" and n[1:].isdigit()), key=lambda n: int(n[1:]))
    if missing := [name for name in SIMULATED if name not in data] or not slots:
        raise ValueError(f"{path} is not a run file: columns are missing: {missing or 'x0 …'}")
    x = np.stack([data.pop(name) for name in slots], axis=1)
    return Run(facts, x, data, _meta(sidecar(path)))


def _numpy(column: Any) -> NDArray[Any]:
    """A column as an array, in which equal words are one object: many files are held at once."""
    values = column.to_numpy()
    if values.dtype != object:
        return np.asarray(values)
    words, places = np.unique(values.astype(str), return_inverse=True)
    return np.asarray(words.astype(object)[places])


def _meta(path: Path) -> dict[str, Any]:
    """Contents of a sidecar; nothing where it is missing.

    Raises:
        ValueError: names the file, where it is damaged.
    """
    if not path.exists():
        return {}
    try:
        meta = parse_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    if not isinstance(meta, dict):
        raise ValueError(f"{path} is damaged: expected an object, got {type(meta).__name__}")
    return meta


def parse_json(text: str | bytes) -> Any:
    """The value in a text from outside.

    Raises:
        ValueError: for what is no JSON, or nested so deeply that it cannot be read.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_facts(path: str | Path) -> Facts:
    """The facts of a run file without its trials.

    Raises:
        ValueError: names the file and what is wrong with it.
    """
    arrow, parquet = _pyarrow()
    try:
        said = _said(Path(path), parquet.read_schema(path).metadata)
        return Facts.from_json(said, said["schema"])
    except FileNotFoundError:
        raise
    except (arrow.ArrowException, OSError, ValueError) as error:
        raise _not_a_run(Path(path), error) from error


def run_digest(path: Path) -> str:
    """The digest that a run file states, over its facts and trials.

    Raises:
        ValueError: for what is no run file.
    """
    arrow, parquet = _pyarrow()
    try:
        metadata = parquet.read_schema(path).metadata or {}
    except (arrow.ArrowException, OSError) as error:
        raise _not_a_run(path, error) from error
    return str(metadata.get(_DIGEST, b"").decode())


def is_whole(path: Path) -> bool:
    """True if there is a run file that was written to its end."""
    try:
        with path.open("rb") as file:
            file.seek(-4, 2)
            return file.read() == b"PAR1"
    except OSError:  # not there, or shorter than that
        return False


def _said(path: Path, metadata: dict[bytes, bytes] | None) -> dict[str, Any]:
    """The facts as they stand in a file, their schema and digest checked."""
    text = (metadata or {}).get(_KEY, b"null")
    said: dict[str, Any] = parse_json(text)
    if not isinstance(said, dict):
        raise ValueError("there are no facts in it")
    if said.get("schema") not in READABLE:
        raise _OtherSchemaError(
            f"{path} has schema {said.get('schema')!r}, expected {SCHEMA}: it was written by "
            f"another version of blox-env; run the experiment again in another folder"
        )
    digest = hashlib.sha256(text).hexdigest().encode()
    if said["schema"] > 2 and (metadata or {}).get(_DIGEST) != digest:
        raise ValueError("its facts are not those that its digest is of")
    return said


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
        ValueError: names a file that is none, and what is wrong with it.
    """
    paths = sorted(Path(folder).glob("runs/*.parquet"))
    if not paths:
        raise FileNotFoundError(f"no run files (runs/*.parquet) below {folder}")
    runs = [read_run(path) for path in paths]
    for path, run in zip(paths, runs, strict=True):
        if not 0 <= run.facts.best < len(run):
            raise ValueError(f"{path}: its best is row {run.facts.best} of {len(run)} trials")
    return runs


def sidecar(path: Path) -> Path:
    """File with times and host of a run."""
    return path.with_suffix(".meta.json")


def _pyarrow() -> tuple[Any, Any]:
    with extra("experiment", "run files"):
        import pyarrow
        import pyarrow.parquet
    return pyarrow, pyarrow.parquet
