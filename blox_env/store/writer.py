"""Writing a store: everything into a folder beside it, which is moved there when it is complete."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blox_env.ground.files import file_hash
from blox_env.ground.typing import IntArray
from blox_env.store.encodings import DTYPES, MISSING
from blox_env.store.reader import DIGEST, MANIFEST, NUMBERS, SCHEMA, digest_of
from blox_env.version import __version__


class StoreWriter:
    """Columns and a manifest, in a folder of their own.

    Args:
        folder: an empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._columns: dict[str, dict[str, Any]] = {}
        self._numbers: dict[str, IntArray] = {}
        self._texts: dict[str, list[str]] = {}

    def add(
        self, key: str, values: NDArray[Any], encoding: str, numbers: IntArray, examples: int = 0
    ) -> None:
        """Write a column ``(n,)`` or ``(n, epochs)`` of the architectures ``numbers``, rising.

        Args:
            key: such as ``"seed-0/val_top1"``.
            values: encoded.
            encoding: its name in :data:`~blox_env.store.reader.DTYPES`.
            numbers: of the architectures, ``(n,)``, rising.
            examples: number that counts are out of.
        """
        column: dict[str, Any] = {"encoding": encoding, "curve": values.ndim == 2}
        if examples:
            column["examples"] = examples
        self._columns[key], self._numbers[key] = column, numbers
        self._save(key, values.T.astype(DTYPES[encoding], copy=False))

    def add_text(self, key: str, texts: list[str], numbers: IntArray) -> None:
        """Write a column of text as codes; the texts themselves go into the manifest.

        Args:
            key: such as ``"seed-0/env/gpu"``.
            texts: one an architecture.
            numbers: of the architectures, ``(n,)``, rising.
        """
        known = {text: code for code, text in enumerate(sorted(set(texts)))}
        self._texts[key] = list(known)
        self.add(key, np.array([known[text] for text in texts]), "code", numbers)

    def finish(self, facts: dict[str, Any]) -> dict[str, Any]:
        """Bring all columns to the same rows, write the manifest with ``facts``, and return it."""
        every = np.unique(np.concatenate(list(self._numbers.values())))
        for key, numbers in self._numbers.items():
            if len(numbers) < len(every):
                self._widen(key, np.searchsorted(every, numbers), len(every))
        self._save(NUMBERS, every.astype("<i8"))
        entry: dict[str, Any] = {"encoding": "int", "curve": False}
        for key, column in {NUMBERS: entry, **self._columns}.items():
            path = self._path(key)
            column.update(bytes=path.stat().st_size, sha256=file_hash(path))
        manifest = {
            "schema": SCHEMA,
            "writer": f"blox-env {__version__}",
            "numbers": entry,
            "columns": self._columns,
            "texts": self._texts,
            **facts,
        }
        manifest[DIGEST] = digest_of(json.loads(json.dumps(manifest)))
        text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False)
        (self.folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
        return manifest

    def _widen(self, key: str, place: IntArray, rows: int) -> None:
        narrow = np.load(self._path(key), mmap_mode="r", allow_pickle=False)
        encoding = self._columns[key]["encoding"]
        wide = np.full((*narrow.shape[:-1], rows), MISSING[encoding], narrow.dtype)
        wide[..., place] = narrow
        del narrow
        self._save(key, wide)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.npy"

    def _save(self, key: str, values: ArrayLike) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".part")  # the file may be mapped
        with beside.open("wb") as file:
            np.save(file, np.ascontiguousarray(values), allow_pickle=False)
        beside.replace(path)


@contextlib.contextmanager
def new_folder(target: Path, *, replace: bool = False) -> Iterator[Path]:
    """A folder to write in that becomes ``target`` when the block ends well, and else goes away.

    A process that is killed leaves only a hidden folder beside ``target``, which the next import
    to the same place removes.

    Args:
        target: a path that is not there yet.
        replace: a store that is there may be replaced.

    Raises:
        ValueError: when something is there that may not be replaced.
    """
    target = Path(os.path.abspath(target))
    _sweep(target)
    if target.is_symlink() or (target.exists() and not (target / MANIFEST).is_file()):
        raise ValueError(f"{target} is there and is no store: choose another place")
    if target.exists() and not replace:
        raise ValueError(f"{target} is there: choose another place, or replace it (--replace)")
    target.parent.mkdir(parents=True, exist_ok=True)
    mark = f"{socket.gethostname()}-{os.getpid()}"
    beside = target.parent / f".{target.name}.importing-{mark}"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    try:
        yield beside
        old = target.parent / f".{target.name}.importing-{mark}.old"
        if target.exists():
            target.rename(old)
            try:
                beside.rename(target)
            except BaseException:
                old.rename(target)
                raise
            shutil.rmtree(old, ignore_errors=True)
        else:
            beside.rename(target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _sweep(target: Path) -> None:
    """Remove what processes of this machine left that are no more; bring back what one moved."""
    start = f".{target.name}.importing-{socket.gethostname()}-"
    for path in target.parent.glob(f".{_literal(target.name)}.importing-*"):
        process, _, ending = path.name.removeprefix(start).partition(".")
        if not path.name.startswith(start) or not process.isdigit() or _alive(int(process)):
            continue
        if ending == "old" and not target.exists():
            path.rename(target)
        else:
            shutil.rmtree(path, ignore_errors=True)


def _literal(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _alive(process: int) -> bool:
    if os.name != "posix":  # elsewhere asking would end the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return process != os.getpid()
