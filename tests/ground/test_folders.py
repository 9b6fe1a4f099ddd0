import errno
import os
import subprocess
import sys

import pytest

from blox_env.ground import folders, locks
from blox_env.ground.folders import exchange, held, move_new

OLD_SYSTEM = pytest.mark.parametrize("flags", [True, False], ids=["flags", "no flags"])


@pytest.fixture
def renames(monkeypatch, flags):
    """With and without the renames that Linux alone has."""
    if not flags:
        monkeypatch.setattr(folders, "_rename", lambda *_: False)


def folder(path, name):
    path.mkdir()
    (path / name).touch()
    return path


def content(path):
    return sorted(each.name for each in path.iterdir())


@OLD_SYSTEM
def test_moving_replaces_nothing(tmp_path, renames):
    new = folder(tmp_path / "new", "a")
    for name in ("empty", "full"):
        (tmp_path / name).mkdir()
    (tmp_path / "full" / "thesis").touch()
    (tmp_path / "file").touch()
    for name in ("empty", "full", "file"):
        with pytest.raises(FileExistsError):
            move_new(new, tmp_path / name)
    move_new(new, tmp_path / "target")
    assert content(tmp_path / "target") == ["a"]
    assert content(tmp_path) == ["empty", "file", "full", "target"]


@OLD_SYSTEM
def test_exchanging(tmp_path, renames):
    new, target = folder(tmp_path / "new", "b"), folder(tmp_path / "target", "a")
    old = exchange(new, target, tmp_path / "aside")
    assert (content(target), content(old)) == (["b"], ["a"])
    assert len(content(tmp_path)) == 2


def test_an_exchange_that_fails_is_undone(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "_rename", lambda *_: False)
    target = folder(tmp_path / "target", "a")
    with pytest.raises(FileNotFoundError):
        exchange(tmp_path / "nowhere", target, tmp_path / "aside")
    assert (content(tmp_path), content(target)) == (["target"], ["a"])


CHILD = """
import sys
from pathlib import Path
from blox_env.ground.folders import held
with held(Path(sys.argv[1]), "another child"):
    print("has it", flush=True)
    sys.stdin.readline()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no locks here")
@pytest.mark.parametrize("killed", [False, True])
def test_one_process_at_a_time(tmp_path, killed):
    work = tmp_path / "work"
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, work], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    child.stdout.readline()
    with (
        pytest.raises(RuntimeError, match="another child is at work: wait"),
        held(work, "another child"),
    ):
        pass
    if killed:
        child.kill()
    child.communicate(b"\n")
    with held(work, "") as left:
        assert left == killed
        with pytest.raises(RuntimeError), held(work, ""):
            pass
    assert content(tmp_path) == []


def test_without_locks_who_makes_the_file_has_it(tmp_path, monkeypatch):
    class NoLocks:
        LOCK_EX = LOCK_NB = 0

        @staticmethod
        def flock(*_):
            raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(locks, "fcntl", NoLocks)
    work = tmp_path / "work"
    with (
        held(work, "it"),
        pytest.raises(RuntimeError, match="if none is, remove"),
        held(work, "it"),
    ):
        pass
    with held(work, "it"):
        pass


def test_what_is_not_of_this_is_left_alone(tmp_path):
    (tmp_path / "file").touch()
    folder(tmp_path / "mine", "thesis")
    (tmp_path / "link").symlink_to("mine")
    for name in ("file", "mine", "link"):
        with pytest.raises(ValueError, match="move it away"), held(tmp_path / name, "it"):
            pass
    with held(tmp_path / "work", "it"):
        (tmp_path / "work" / "kept").touch()
    assert (tmp_path / "work" / "kept").exists()


def test_a_working_folder_that_is_not_empty_stays_one_for_the_next(tmp_path):
    work = tmp_path / "work"
    with held(work, "somebody"):
        (work / "left").mkdir()
    with held(work, "somebody") as left:
        assert left
        (work / "left").rmdir()
    assert not work.exists()


def test_what_could_not_be_put_back_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "_rename", lambda *_: False)  # a system without an exchange
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
    rename, calls = os.rename, []

    def once(*places):
        calls.append(places)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "full", str(places[0]))
        rename(*places)

    monkeypatch.setattr(os, "rename", once)
    with pytest.raises(OSError, match=r"what was there is at .*aside now") as error:
        exchange(tmp_path / "new", tmp_path / "old", tmp_path / "aside")
    assert error.value.errno == errno.ENOSPC
    assert (tmp_path / "aside").is_dir()
