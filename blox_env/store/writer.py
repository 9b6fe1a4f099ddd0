"""Writing the files of a store; where they go is a matter of :mod:`blox_env.store.placing`."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.files import write_new
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
        self._save(key, values.T.astype(DTYPES[encoding], copy=False), column)

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
        entry: dict[str, Any] = {"encoding": "int", "curve": False}
        self._save(NUMBERS, every.astype("<i8"), entry)
        manifest = {
            "schema": SCHEMA,
            "writer": f"blox-env {__version__}",
            "numbers": entry,
            "columns": self._columns,
            "texts": self._texts,
            **facts,
        }
        manifest[DIGEST] = digest_of(manifest)
        text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False)
        write_new(self.folder / MANIFEST, [f"{text}\n".encode()])
        return manifest

    def _widen(self, key: str, place: IntArray, rows: int) -> None:
        narrow = np.load(self._path(key), allow_pickle=False)
        column = self._columns[key]
        wide = np.full((*narrow.shape[:-1], rows), MISSING[column["encoding"]], narrow.dtype)
        wide[..., place] = narrow
        self._path(key).unlink()
        self._save(key, wide, column)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.npy"

    def _save(self, key: str, values: NDArray[Any], column: dict[str, Any]) -> None:
        """Write a file, and note its size and checksum: of what was meant to be written."""
        values = np.ascontiguousarray(values)
        start = io.BytesIO()
        head = np.lib.format.header_data_from_array_1_0(values)
        np.lib.format.write_array_header_1_0(start, head)
        parts = (start.getvalue(), values.data)
        self._path(key).parent.mkdir(parents=True, exist_ok=True)
        write_new(self._path(key), parts)
        found = hashlib.sha256(parts[0])
        found.update(parts[1])
        column.update(bytes=len(parts[0]) + values.nbytes, sha256=found.hexdigest())
