"""What Windows lacks and forbids, for tests on other systems."""

import errno
import os

# Of `os`, as typeshed has it: what is neither on Windows nor, of a few, on macOS.
POSIX_ONLY = {
    "chown", "chroot", "confstr", "ctermid", "eventfd", "fchdir", "fchmod", "fchown", "fdatasync",
    "fork", "forkpty", "fpathconf", "fstatvfs", "fwalk", "getegid", "geteuid", "getgid",
    "getgrouplist", "getgroups", "getloadavg", "getpgid", "getpgrp", "getpriority", "getrandom",
    "getresgid", "getresuid", "getsid", "getuid", "getxattr", "initgroups", "killpg", "lchown",
    "listxattr", "lockf", "login_tty", "major", "makedev", "memfd_create", "minor", "mkfifo",
    "mknod", "nice", "openpty", "pathconf", "pidfd_open", "pipe2", "posix_fadvise",
    "posix_fallocate", "posix_spawn", "posix_spawnp", "pread", "preadv", "pwrite", "pwritev",
    "readv", "register_at_fork", "removexattr", "sched_getaffinity", "sched_getparam",
    "sched_getscheduler", "sched_setaffinity", "sched_setparam", "sched_setscheduler",
    "sched_yield", "sendfile", "setegid", "seteuid", "setgid", "setgroups", "setpgid", "setpgrp",
    "setpriority", "setregid", "setresgid", "setresuid", "setreuid", "setsid", "setuid", "setxattr",
    "spawnlp", "spawnvp", "splice", "statvfs", "sync", "sysconf", "tcgetpgrp", "tcsetpgrp",
    "ttyname", "uname", "wait", "wait3", "wait4", "waitid", "writev", "O_DIRECTORY", "O_NOFOLLOW",
    "O_NONBLOCK", "O_SYNC", "O_CLOEXEC",
}  # fmt: skip


class Windows:
    """``os`` as there: without what is of POSIX, and what is open stays where it is."""

    name = "nt"

    def __getattr__(self, name):
        if name in POSIX_ONLY:
            raise AttributeError(f"module 'os' has no attribute {name!r}")
        return getattr(os, name)

    def open(self, path, *args):
        if os.path.isdir(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return os.open(path, *args)

    def unlink(self, path):
        _refuse(path)
        os.unlink(path)

    def replace(self, source, target):
        _refuse(source)
        _refuse(target)
        os.replace(source, target)

    def rename(self, source, target):
        _refuse(source)
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, "file already exists", str(target))
        os.rename(source, target)


class Locking:
    """``msvcrt``: locks of a file's first byte."""

    LK_NBLCK = 2

    @staticmethod
    def locking(handle, mode, size):
        import fcntl

        assert (mode, size) == (Locking.LK_NBLCK, 1)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PermissionError(errno.EACCES, "Permission denied") from None


def _refuse(path):
    """Raise where this process has the file open, or one below the folder."""
    place = os.path.realpath(path)
    for handle in os.listdir("/proc/self/fd"):
        try:
            held = os.readlink(f"/proc/self/fd/{handle}")
        except FileNotFoundError:  # of the listing itself
            continue
        if held == place or held.startswith(f"{place}/"):
            raise PermissionError(errno.EACCES, "The process cannot access the file", str(path))
