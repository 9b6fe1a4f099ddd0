"""One experiment at a time in a folder."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from blox_env.ground.files import make_folder
from blox_env.ground.locks import lock

FILE = ".lock"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which is made if it is not there, during the block.

    The system lets go of it when the process ends, however that happens. The empty file stays: to
    delete it would let two others hold the lock. On a file system without locks nothing is held.

    Raises:
        RuntimeError: when another process holds it, or this one does already.
    """
    make_folder(folder)
    handle = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            lock(handle)
        except BlockingIOError:
            raise RuntimeError(
                f"another comparison is at work in {folder}: wait until it has ended, or "
                "choose another folder for out"
            ) from None
        yield
    finally:
        os.close(handle)
