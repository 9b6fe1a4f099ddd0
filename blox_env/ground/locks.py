"""Locks of open files, which the system lets go of when the process ends, however that happens."""

from __future__ import annotations

from typing import Any

fcntl: Any
msvcrt: Any
try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None
try:
    import msvcrt
except ImportError:  # on Windows alone
    msvcrt = None


def lock(handle: int) -> bool:
    """Lock an open file until it is closed; False where the system or file system has no locks.

    Args:
        handle: of the file, open for writing.

    Raises:
        BlockingIOError: when somebody holds it, in this process or another one.
    """
    if fcntl is not None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:  # a file system without locks
            return False
        return True
    if msvcrt is not None:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError as error:  # PermissionError, or that it would wait for itself
            raise BlockingIOError(error.errno, error.strerror) from None
        return True
    return False
