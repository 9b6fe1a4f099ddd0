"""The one place that writes files: whole or not at all, and on the disk before it says so.

A link is followed and stays one, what is no regular file (a device, a pipe) is written to and left
what it is, permissions of a file that is there are kept and those of a new one follow the umask.
Errors of the system name the file. Whole folders are in :mod:`blox_env.ground.folders`.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import secrets
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

# Environment variables that say where a user's pictures and trainings on request are.
DATA_PLACE, CACHE_PLACE = "BLOX_ENV_DATA", "BLOX_ENV_CACHE"
PLACES = (DATA_PLACE, CACHE_PLACE)

_UNSYNCED = (errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EBADF)  # of folders, on some systems
_BINARY = getattr(os, "O_BINARY", 0)
_PAUSES_S = tuple(0.01 * 2**i for i in range(8))  # 2.6 s in all
_OPENED = ("/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/")  # what the process has open
Data = bytes | memoryview


def write_atomic(path: str | Path, content: bytes | str) -> None:
    """Write a file that is there whole or not at all, making its folder first.

    Args:
        path: of the file.
        content: bytes, or text to be written as UTF-8.

    Raises:
        OSError: names the file; what was there before is there still.
    """
    write_files({path: content})


def write_json(path: str | Path, value: object) -> None:
    """Write JSON atomically, keys sorted, so that equal values are equal files.

    Args:
        path: of the file.
        value: what JSON can hold.
    """
    write_atomic(path, json_text(value))


def json_text(value: object) -> str:
    """JSON with sorted keys, so that equal values are equal files."""
    return json.dumps(value, indent=1, sort_keys=True) + "\n"


def write_files(contents: Mapping[str | Path, bytes | str]) -> None:
    """Write files atomically one by one, in this order, with one look at the disk for all.

    Args:
        contents: bytes, or text to be written as UTF-8, by path.

    Raises:
        OSError: names the file; what was there before is there still, but for those of the files
            that come before it.
    """
    beside: dict[str, str] = {}  # target -> where it is until it is complete
    try:
        for path, content in contents.items():
            data = content.encode() if isinstance(content, str) else content
            with naming(path):
                there = _state(path)
                if there is not None and _stays(path, there):
                    _write_through(path, data)
                    continue
                if there is not None and not os.access(path, os.W_OK):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
                target = os.path.realpath(path)
                make_folder(os.path.dirname(target))
                beside[target] = os.path.join(os.path.dirname(target), temporary_name())
                _write_beside(beside[target], data, there)
        for target, place in beside.items():
            with naming(target):
                patiently(os.replace, place, target)
        for folder in dict.fromkeys(map(os.path.dirname, beside)):
            sync_folder(folder)
    except BaseException:
        for place in beside.values():
            with contextlib.suppress(OSError):
                os.unlink(place)
        raise


def write_new(path: str | Path, parts: Iterable[Data]) -> None:
    """Write a file that is not there yet, to be synced by :func:`sync_tree` later.

    Args:
        path: of the file, in a folder that nobody else writes to.
        parts: its content.

    Raises:
        OSError: names the file.
    """
    with naming(path):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
        try:
            for part in parts:
                _write(handle, part)
        finally:
            os.close(handle)


def sync_tree(folder: str | Path) -> None:
    """Have everything below a folder on the disk, and the folder itself.

    Raises:
        OSError: names the file or folder.
    """
    for place, _, names in os.walk(folder, topdown=False):
        for name in names:
            path = os.path.join(place, name)
            with naming(path):
                handle = os.open(path, os.O_RDWR | _BINARY)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)
        sync_folder(place)


def sync_folder(folder: str | Path) -> None:
    """Have the names in a folder on the disk, where the system knows such a thing.

    Raises:
        OSError: names the folder.
    """
    if os.name != "posix":
        return
    with naming(folder):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        except OSError as error:
            if error.errno not in _UNSYNCED:
                raise
        finally:
            os.close(handle)


def patiently(move: Callable[[str | Path, str | Path], None], *places: str | Path) -> None:
    """Move a file or a folder; on Windows, wait a few seconds for who has it open to close it.

    There, a file that is being read, if only by a virus scanner, is neither replaced nor moved.

    Args:
        move: such as ``os.replace``.
        places: its two arguments.

    Raises:
        OSError: whatever ``move`` raised in the end.
    """
    for pause in () if os.name == "posix" else _PAUSES_S:
        try:
            return move(*places)
        except PermissionError:
            time.sleep(pause)
    return move(*places)


def make_folder(folder: str | Path) -> None:
    """Make a folder and those above it, where they are missing, so that they stay.

    Raises:
        OSError: names what is no folder, or may not be written to.
    """
    missing = []
    place = os.path.abspath(folder)
    while not os.path.isdir(place) and place != os.path.dirname(place):
        missing.append(place)
        place = os.path.dirname(place)
    os.makedirs(folder, exist_ok=True)
    for each in missing:
        sync_folder(os.path.dirname(each))


def temporary_name() -> str:
    """A short name of a hidden file, unlike any that is there."""
    return f".{secrets.token_hex(6)}.part"


def short_name(name: str, most: int = 60) -> str:
    """A name as part of a longer one: itself, or its beginning and a hash of all of it.

    Args:
        name: of a file or folder.
        most: bytes that it may have.
    """
    data = os.fsencode(name)
    if len(data) <= most:
        return name
    return f"{os.fsdecode(data[: most - 17]).encode('ascii', 'ignore').decode()}-{_digest(data)}"


def obstacle(path: str | Path, *, folder: bool = False) -> str | None:
    """Words for why a file cannot be written, found without writing; None if it seems it can.

    Args:
        path: of the file.
        folder: it is to be a folder to write in.
    """
    try:
        there = _state(path)
    except OSError as error:
        return f"{path}: {error.strerror}"
    if there is not None:
        if stat.S_ISDIR(there.st_mode) != folder:
            return f"{path} is not a folder" if folder else f"{path} is a folder"
        if not os.access(path, os.W_OK):
            return f"no permission to write {path}"
        if folder or _stays(path, there):
            return None
    above = target = os.path.realpath(path)
    while not os.path.lexists(above) or above == target:
        name, above = os.path.basename(above), os.path.dirname(above)
    if not os.path.isdir(above):
        return f"{above} is not a folder"
    if not os.access(above, os.W_OK | os.X_OK):
        return f"no permission in {above}"
    try:
        os.lstat(os.path.join(above, name))
    except FileNotFoundError:
        pass
    except OSError as error:
        return f"{path}: {error.strerror}"
    return None


def file_hash(path: Path) -> str:
    """SHA-256 of a file, hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def naming(path: str | Path) -> Iterator[None]:
    """Let errors of the system inside name this file instead of another one or none."""
    try:
        yield
    except OSError as error:
        if error.errno is None or (error.filename == str(path) and error.filename2 is None):
            raise
        raise type(error)(error.errno, error.strerror, str(path)) from error


def _state(path: str | Path) -> os.stat_result | None:
    try:
        return os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _stays(path: str | Path, there: os.stat_result) -> bool:
    """Tell what is written to and not replaced: no regular file, or one that is open already."""
    return not stat.S_ISREG(there.st_mode) or os.path.abspath(path).startswith(_OPENED)


def _write_through(path: str | Path, data: Data) -> None:
    """Write to a device or a pipe; a folder is an error."""
    number = {"/dev/stdout": 1, "/dev/stderr": 2}.get(os.path.abspath(path))
    flags = os.O_WRONLY | os.O_APPEND | _BINARY
    handle = os.open(path, flags) if number is None else os.dup(number)
    try:
        _write(handle, data)
    finally:
        os.close(handle)


def _write_beside(place: str, data: Data, there: os.stat_result | None) -> None:
    """Write a new file that is to replace the one that is there, with its permissions."""
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
    try:
        if there is not None and sys.platform != "win32":
            now = os.fstat(handle)
            if (there.st_uid, there.st_gid) != (now.st_uid, now.st_gid):
                with contextlib.suppress(PermissionError):
                    os.fchown(handle, there.st_uid, there.st_gid)
            os.fchmod(handle, stat.S_IMODE(there.st_mode))
        _write(handle, data)
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(handle: int, data: Data) -> None:
    left = memoryview(data)
    if not left.nbytes:
        return
    left = left.cast("B")
    while left:
        left = left[os.write(handle, left) :]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
