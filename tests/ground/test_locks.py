import errno
import os

import pytest

from blox_env.ground import locks
from blox_env.ground.locks import lock
from tests.windows import Locking


class Refusing:
    LOCK_EX = LOCK_NB = 0

    @staticmethod
    def flock(*_):
        raise OSError(errno.ENOLCK, "no locks")


@pytest.fixture
def handles(tmp_path):
    opened = [os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT) for _ in range(2)]
    yield opened
    for handle in opened:
        os.close(handle)


@pytest.mark.parametrize("windows", [False, True])
def test_one_holds_it(handles, monkeypatch, windows):
    pytest.importorskip("fcntl")
    if windows:
        monkeypatch.setattr(locks, "fcntl", None)
        monkeypatch.setattr(locks, "msvcrt", Locking)
    assert lock(handles[0])
    with pytest.raises(BlockingIOError):
        lock(handles[1])
    os.close(handles[0])
    assert lock(handles[1])
    handles[0] = os.dup(handles[1])


@pytest.mark.parametrize("without", [Refusing, None])
def test_where_there_are_none(handles, monkeypatch, without):
    monkeypatch.setattr(locks, "fcntl", without)
    monkeypatch.setattr(locks, "msvcrt", None)
    assert not lock(handles[0])
