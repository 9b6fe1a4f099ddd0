"""Folders that one process at a time writes, and that appear whole: locks, moves, exchanges."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from blox_env.ground.files import patiently
from blox_env.ground.locks import lock

_LOCK = "lock"
_HERE = -100  # AT_FDCWD of Linux
_NO_REPLACE, _EXCHANGE = 1, 2  # flags of its renameat2
_UNKNOWN = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)


@contextlib.contextmanager
def held(folder: Path, what: str) -> Iterator[bool]:
    """Hold a working folder, which is made if it is not there and goes away after the block.

    The system lets go of it when the process ends, however that happens; the next that holds it
    then finds what was left. Only what is empty goes away: the block has to clear up.

    Args:
        folder: that nobody but callers of this function uses.
        what: is being done, for the message.

    Yields:
        Whether somebody left the folder behind.

    Raises:
        RuntimeError: when another process holds it.
        ValueError: when something else has this name.
    """
    handle, left = _grab(folder, what)
    try:
        yield left
    finally:
        if os.name != "posix":  # on Windows, what is open cannot be removed
            os.close(handle)
        with contextlib.suppress(OSError):
            if os.listdir(folder) == [_LOCK]:  # else it stays, for the next that holds it
                os.unlink(folder / _LOCK)
                os.rmdir(folder)
        if os.name == "posix":
            os.close(handle)


def _grab(folder: Path, what: str) -> tuple[int, bool]:
    while True:
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
        try:
            handle, new = _open_lock(folder)
        except OSError:
            with contextlib.suppress(OSError):
                os.rmdir(folder)  # which is empty: there was no room for the file
            raise
        if handle is None:  # the one before has just removed the folder
            continue
        try:
            _lock(handle, new, folder, what)
        except BaseException:
            os.close(handle)
            raise
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), os.stat(folder / _LOCK)):
                return handle, not new
        os.close(handle)


def _open_lock(folder: Path) -> tuple[int | None, bool]:
    try:
        if not stat.S_ISDIR(os.lstat(folder).st_mode):
            raise ValueError(f"{folder} is there and is not a folder: move it away")
        if os.listdir(folder) not in ([], [_LOCK]) and not (folder / _LOCK).exists():
            raise ValueError(f"{folder} holds other files than expected: move it away")
        with contextlib.suppress(FileExistsError):
            return os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666), True
        return os.open(folder / _LOCK, os.O_RDWR), False
    except FileNotFoundError:
        return None, False


def _lock(handle: int, new: bool, folder: Path, what: str) -> None:
    busy = f"{what} is at work: wait until it has ended, or choose another place"
    try:
        locked = lock(handle)
    except BlockingIOError:
        raise RuntimeError(busy) from None
    if not locked and not new:  # without locks, who makes the file has it
        raise RuntimeError(f"{busy}; if none is, remove {folder}")


def move_new(source: Path, target: Path) -> None:
    """Move a folder to a place where nothing is.

    Args:
        source: the folder.
        target: in the same file system.

    Raises:
        FileExistsError: when something is there, an empty folder too.
    """
    if _rename(source, target, _NO_REPLACE):
        return
    if os.name == "posix":
        target.mkdir()  # which nobody else can then make; an empty folder of ours is replaced
        try:
            os.rename(source, target)
        except OSError as error:
            with contextlib.suppress(OSError):
                target.rmdir()
            if error.errno != errno.ENOTEMPTY:
                raise
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
    else:
        patiently(os.rename, source, target)


def exchange(source: Path, target: Path, aside: Path) -> Path:
    """Put a folder in the place of another one, if the system can so that always one is there.

    Args:
        source: the new folder.
        target: what it replaces, in the same file system.
        aside: where the old one may go, a path at which nothing is.

    Returns:
        Where the old one is.

    Raises:
        OSError: where the disk refuses; says where the old one is if it could not be put back.
    """
    if _rename(source, target, _EXCHANGE):
        return source
    patiently(os.rename, target, aside)
    try:
        patiently(os.rename, source, target)
    except BaseException:
        try:
            patiently(os.rename, aside, target)
        except OSError as error:  # such as a full disk: nothing is lost
            text = f"{os.strerror(error.errno or 0)}; what was there is at {aside} now"
            raise OSError(error.errno, text, str(target)) from error
        raise
    return aside


def _rename(source: Path, target: Path, flag: int) -> bool:
    """Linux's rename with a flag; False where there is none."""
    if sys.platform != "linux":
        return False
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    places = os.fsencode(source), os.fsencode(target)
    if call(_HERE, places[0], _HERE, places[1], flag) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNKNOWN:
        return False
    raise OSError(number, os.strerror(number), str(target))
