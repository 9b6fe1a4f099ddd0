"""Files that appear whole or not at all, and checksums of those that are there."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path

# Environment variables that say where a user's pictures and trainings on request are.
DATA_PLACE, CACHE_PLACE = "BLOX_ENV_DATA", "BLOX_ENV_CACHE"
PLACES = (DATA_PLACE, CACHE_PLACE)


def write_atomic(path: str | Path, content: bytes | str) -> None:
    """Write a file that is there whole or not at all, making its folder first.

    Args:
        path: of the file.
        content: bytes, or text to be written as UTF-8.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    handle, beside = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(beside).chmod(0o644)
        os.replace(beside, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)
        raise


def write_json(path: str | Path, value: object) -> None:
    """Write JSON atomically, keys sorted, so that equal values are equal files.

    Args:
        path: of the file.
        value: what JSON can hold.
    """
    write_atomic(path, json.dumps(value, indent=1, sort_keys=True) + "\n")


def file_hash(path: Path) -> str:
    """SHA-256 of a file, hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
