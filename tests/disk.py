"""A disk that fails, stops or forgets: stands between ``ground/files.py`` and the system."""

import errno
import os
import stat

from blox_env.ground import folders

CALLS = ("open", "write", "fsync", "mkdir", "rename", "replace", "unlink", "rmdir")
MOVES = ("rename", "replace", "_rename")


class Disk:
    """Counts the calls that change something, and calls ``before`` and ``after`` each.

    Args:
        monkeypatch: pytest's.
        old: a system without the renames that Linux alone has.
    """

    def __init__(self, monkeypatch, *, old=False):
        self.count, self.moves = 0, 0
        for name in CALLS:
            monkeypatch.setattr(os, name, self._counted(name, getattr(os, name)))
        flagged = folders._rename if not old else lambda *_: False
        monkeypatch.setattr(folders, "_rename", self._counted("_rename", flagged))

    def _counted(self, name, call):
        def counted(*args, **kwargs):
            if name == "open" and not args[1] & os.O_CREAT:
                return self.opened(call, *args, **kwargs)
            self.count += 1
            self.moves += name in MOVES
            self.before(name, *args)
            result = call(*args, **kwargs)
            self.after(name, result, *args)
            return result

        return counted

    def opened(self, call, *args, **kwargs):
        return call(*args, **kwargs)

    def before(self, name, *args):
        """Happens before a call."""

    def after(self, name, result, *args):
        """Happens after a call."""


class Full(Disk):
    """Has no room from a call on; to make room is still possible."""

    def __init__(self, monkeypatch, number, **options):
        super().__init__(monkeypatch, **options)
        self.number, self.failed = number, False

    def before(self, name, *args):
        if self.count >= self.number and name not in ("unlink", "rmdir"):
            self.failed = True
            place = () if name in ("write", "fsync") else (str(args[0]),)  # as the system has it
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), *place)


class Forgetful(Disk):
    """Knows what would be lost if the power failed now: what nobody synced."""

    def __init__(self, monkeypatch):
        super().__init__(monkeypatch)
        self.files, self.folders, self.seen = set(), set(), set()

    def after(self, name, result, *args):
        if name == "open":
            self.seen.add(os.fstat(result).st_ino)
            self.files.add(os.fstat(result).st_ino)
            self._changed(args[0])
        elif name == "write":
            self.files.add(os.fstat(args[0]).st_ino)
        elif name == "fsync":
            self.files.discard(os.fstat(args[0]).st_ino)
            self.folders.discard(os.fstat(args[0]).st_ino)
        elif name in MOVES:
            self._changed(args[0])
            self._changed(args[1])
        elif name == "mkdir":
            self._changed(args[0])

    def _changed(self, path):
        self.folders.add(os.stat(os.path.dirname(os.path.abspath(path))).st_ino)

    def lost(self, path):
        """Whatever of a file or folder would not be there as it is after a power failure."""
        found = [os.path.dirname(path)] if self._is_lost(os.path.dirname(path)) else []
        inside = [os.path.join(path, name) for name in os.listdir(path)] if path.is_dir() else []
        found += [str(path)] if self._is_lost(path) else []
        for each in inside:
            found += self.lost(type(path)(each))
        return found

    def _is_lost(self, path):
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            return status.st_ino in self.folders
        return status.st_ino in self.files or status.st_ino not in self.seen
