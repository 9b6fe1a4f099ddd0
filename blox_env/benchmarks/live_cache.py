"""Trainings that were done on request, in one file that several processes share.

An SQLite database in WAL mode: a training appears in it whole or not at all, whoever is killed.
Who starts a training claims it first, so that nothing is trained twice; the claim of a process that
is dead is taken over. The file belongs on a local disk: WAL does not work over a network.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from blox_env.ground.files import CACHE_PLACE

FILE = "trainings.sqlite3"
SCHEMA = 1
_APPLICATION = 0x626C6F78  # "blox": how SQLite tells our files from others
_PATIENCE_S = 60.0  # until another process's transaction ends
_LEASE_S = 6 * 3600.0  # a claim of a process that cannot be looked at is taken for dead after it
_TABLES = """
CREATE TABLE contexts (id TEXT PRIMARY KEY, description TEXT NOT NULL);
CREATE TABLE trainings (
    context TEXT NOT NULL, arch TEXT NOT NULL, seed INTEGER NOT NULL,
    val_acc TEXT NOT NULL, test_acc REAL NOT NULL, train_time_s REAL NOT NULL,
    PRIMARY KEY (context, arch, seed)
);
CREATE TABLE claims (
    context TEXT NOT NULL, arch TEXT NOT NULL, seed INTEGER NOT NULL,
    host TEXT NOT NULL, boot TEXT NOT NULL, space TEXT NOT NULL, pid INTEGER NOT NULL,
    born TEXT NOT NULL, since REAL NOT NULL,
    PRIMARY KEY (context, arch, seed)
);
"""


@dataclass(frozen=True)
class Key:
    """One training: on what and how (``context``), of which architecture, with which seed."""

    context: str
    arch: str
    seed: int


@dataclass(frozen=True)
class Training:
    """Accuracies of one training as fractions, ``val_acc`` one value an epoch."""

    val_acc: tuple[float, ...]
    test_acc: float
    train_time_s: float


def arch_text(row: Sequence[int]) -> str:
    """An architecture as it stands in the file: ``"3-0-41"``."""
    return "-".join(str(int(value)) for value in row)


def default_folder() -> Path:
    """Folder of caches: ``BLOX_ENV_CACHE``, or the user's folder for such files."""
    if given := os.environ.get(CACHE_PLACE):
        return Path(given).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "blox-env"


class TrainingCache:
    """Trainings in a file, shared between processes and threads.

    Args:
        path: the file; made with its folder where it is not there.

    Raises:
        ValueError: for a file that is damaged, or something else; names it.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.exists():
            _create(self.path)
        with self._open() as db:
            self._check(db)

    def describe(self, context: str, description: object) -> None:
        """Write down what a context is, for whoever looks into the file.

        Args:
            context: checksum of the context.
            description: what JSON can hold.
        """
        text = json.dumps(description, sort_keys=True)
        with self._open() as db:
            db.execute("INSERT OR IGNORE INTO contexts VALUES (?, ?)", (context, text))

    def get(self, keys: Iterable[Key]) -> dict[Key, Training]:
        """The trainings of ``keys`` that are there."""
        found: dict[Key, Training] = {}
        with self._open() as db:
            for key in keys:
                if (training := _select(db, key)) is not None:
                    found[key] = training
        return found

    def claim(self, key: Key) -> bool:
        """Claim a training; False if it is there already or a living process has claimed it."""
        with self._open() as db, _transaction(db):
            if _select(db, key) is not None or _is_held(db, key):
                return False
            row = (*astuple(key), *astuple(_me()), time.time())
            db.execute(f"INSERT OR REPLACE INTO claims VALUES ({', '.join('?' * len(row))})", row)
            return True

    def release(self, key: Key, training: Training | None = None) -> None:
        """Give up one's claim; with the training, if it was done.

        Args:
            key: of the training.
            training: its result.
        """
        with self._open() as db, _transaction(db):
            if training is not None:
                values = (json.dumps(training.val_acc), training.test_acc, training.train_time_s)
                db.execute(
                    "INSERT OR IGNORE INTO trainings VALUES (?, ?, ?, ?, ?, ?)",
                    (*astuple(key), *values),
                )
            db.execute("DELETE FROM claims WHERE context = ? AND arch = ? AND seed = ?",
                       astuple(key))  # fmt: skip

    def held(self, keys: Iterable[Key]) -> set[Key]:
        """Those of ``keys`` that a living process has claimed."""
        with self._open() as db:
            return {key for key in keys if _is_held(db, key)}

    def count(self, context: str | None = None) -> int:
        """Number of trainings, of one context or of all."""
        query = "SELECT count(*) FROM trainings WHERE ? IS NULL OR context = ?"
        with self._open() as db:
            return int(db.execute(query, (context, context)).fetchone()[0])

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection for one operation; damage that SQLite finds is a ValueError."""
        db: sqlite3.Connection | None = None
        try:
            # the form that makes no new file, if ours was removed
            address = f"{self.path.absolute().as_uri()}?mode=rw"
            db = sqlite3.connect(address, uri=True, timeout=_PATIENCE_S, isolation_level=None)
            yield db
        except sqlite3.OperationalError as error:  # locked for too long, no room, no permission
            raise OSError(f"cannot use {self.path}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise ValueError(
                f"{self.path} is no cache of trainings, or damaged: {error}"
            ) from error
        finally:
            if db is not None:
                db.close()

    def _check(self, db: sqlite3.Connection) -> None:
        application = db.execute("PRAGMA application_id").fetchone()[0]
        if application != _APPLICATION:
            raise ValueError(f"{self.path} is no cache of trainings: it is another program's file")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version != SCHEMA:
            raise ValueError(f"{self.path}: expected schema {SCHEMA}, got {version}")
        page = db.execute("PRAGMA page_size").fetchone()[0]
        cut = self.path.stat().st_size % page
        problems = "cut" if cut else db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if problems != "ok":
            raise ValueError(f"{self.path} is damaged: {problems}; remove it to begin a new one")


def _create(path: Path) -> None:
    """Make an empty cache, complete before it bears its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        beside = Path(folder, path.name)
        with contextlib.closing(sqlite3.connect(beside)) as db:
            db.execute(f"PRAGMA application_id = {_APPLICATION}")
            db.execute(f"PRAGMA user_version = {SCHEMA}")
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(_TABLES)
        try:
            os.link(beside, path)
        except FileExistsError:
            return  # another process was faster
        except OSError:  # a file system without links
            os.replace(beside, path)


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    """A block that no other writer comes between."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _select(db: sqlite3.Connection, key: Key) -> Training | None:
    row = db.execute(
        "SELECT val_acc, test_acc, train_time_s FROM trainings "
        "WHERE context = ? AND arch = ? AND seed = ?",
        astuple(key),
    ).fetchone()
    return None if row is None else Training(tuple(json.loads(row[0])), row[1], row[2])


def _is_held(db: sqlite3.Connection, key: Key) -> bool:
    row = db.execute(
        "SELECT host, boot, space, pid, born, since FROM claims "
        "WHERE context = ? AND arch = ? AND seed = ?",
        astuple(key),
    ).fetchone()
    return row is not None and _alive(_Process(*row[:5]), since=row[5])


# -- who lives -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Process:
    """Identity of a process: ``space`` is that of its number, ``born`` its start."""

    host: str
    boot: str
    space: str
    pid: int
    born: str


def _me() -> _Process:
    return _Process(*_machine(), os.getpid(), _born(os.getpid()))


@cache
def _machine() -> tuple[str, str, str]:
    boot, space = "", ""
    with contextlib.suppress(OSError):  # Linux only
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
        space = os.readlink("/proc/self/ns/pid")
    return platform.node(), boot, space


def _born(pid: int) -> str:
    """Start of a process, "" where it is gone or cannot be known."""
    fields = _stat(pid)
    return fields[19] if len(fields) > 19 else ""


def _stat(pid: int) -> list[str]:
    """Fields of a process from its state on; none where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return []


def _alive(owner: _Process, since: float) -> bool:
    """True if the owner of a claim still runs, as far as can be seen from here."""
    here = _me()
    if owner.host == here.host and owner.boot != here.boot:
        return False  # the machine was started again since
    if (owner.host, owner.boot, owner.space) != (here.host, here.boot, here.space):
        return time.time() - since < _LEASE_S
    if sys.platform == "linux":
        fields: list[Any] = _stat(owner.pid)
        return bool(fields) and fields[0] not in ("Z", "X") and _born(owner.pid) == owner.born
    recent = time.time() - since < _LEASE_S  # numbers of processes come again
    if os.name != "posix":
        return recent  # there, os.kill ends a process whatever the signal
    try:
        os.kill(owner.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return recent
    return recent
