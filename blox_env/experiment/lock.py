"""One experiment at a time in a folder."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from blox_env.ground.files import make_folder

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

FILE = ".lock"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which is made if it is not there, during the block.

    The system lets go of it when the process ends, however that happens. The empty file stays: to
    delete it would let two others hold the lock. Where the system has no such locks, as on Windows,
    nothing is held.

    Raises:
        RuntimeError: when another process holds it, or this one does already.
    """
    make_folder(folder)
    handle = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if fcntl is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RuntimeError(
                    f"another comparison is at work in {folder}: wait until it has ended, or "
                    "choose another folder for out"
                ) from None
        yield
    finally:
        os.close(handle)
