import errno
import json
import os
import stat
import subprocess
import sys

import pytest

from blox_env.ground.files import (
    make_folder,
    obstacle,
    short_name,
    write_atomic,
    write_files,
    write_json,
    write_new,
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_files_appear_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "file.json"
    write_json(path, {"b": 1, "a": [1, 2]})
    assert json.loads(path.read_text()) == {"a": [1, 2], "b": 1}
    before = path.read_bytes()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomic(path, b"other")
    assert path.read_bytes() == before
    assert names(path.parent) == ["file.json"]


@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_errors_of_the_system_name_the_file(tmp_path, monkeypatch, call, number):
    (tmp_path / "old").write_text("old")

    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="old") as caught:
        write_atomic(tmp_path / "old", b"new")
    monkeypatch.undo()
    assert (caught.value.errno, caught.value.filename) == (number, str(tmp_path / "old"))
    assert (names(tmp_path), (tmp_path / "old").read_text()) == (["old"], "old")


def test_permissions_follow_the_umask_and_stay_what_they_were(tmp_path):
    code = (
        "import os, sys; from blox_env.ground.files import write_atomic; os.umask(0o077)\n"
        "for path in sys.argv[1:]: write_atomic(path, b'x')"
    )
    (tmp_path / "there").write_text("")
    (tmp_path / "there").chmod(0o640)
    paths = [str(tmp_path / name) for name in ("new", "there")]
    subprocess.run([sys.executable, "-c", code, *paths], check=True)
    assert (mode(tmp_path / "new"), mode(tmp_path / "there")) == (0o600, 0o640)


def test_a_link_stays_one_and_what_it_names_is_written(tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "h.csv").write_text("old")
    (tmp_path / "link").symlink_to("shared/h.csv")
    (tmp_path / "dangling").symlink_to("shared/new.csv")
    for name in ("link", "dangling"):
        write_atomic(tmp_path / name, b"new")
        assert (tmp_path / name).is_symlink()
    assert names(tmp_path / "shared") == ["h.csv", "new.csv"]
    assert (tmp_path / "shared" / "h.csv").read_text() == "new"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_and_a_device_are_written_to_and_stay(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_atomic(tmp_path / "pipe", b"through")
    assert os.read(reader, 99) == b"through"
    os.close(reader)
    assert (tmp_path / "pipe").is_fifo()
    (tmp_path / "null").symlink_to(os.devnull)
    write_atomic(tmp_path / "null", b"away")
    assert (names(tmp_path), os.path.exists(os.devnull)) == (["null", "pipe"], True)
    assert not os.path.isfile(os.devnull)


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="no such file here")
@pytest.mark.parametrize("into", ["pipe", "file"])
def test_standard_output_is_written_to(tmp_path, into):
    code = "print('a', flush=True); from blox_env.ground.files import write_atomic; "
    code += "write_atomic('/dev/stdout', 'b'); print('c')"
    with (tmp_path / "file").open("w+b") as file:
        where = subprocess.PIPE if into == "pipe" else file
        done = subprocess.run([sys.executable, "-c", code], check=True, stdout=where)
        file.seek(0)
        assert (done.stdout or file.read()).split() == [b"a", b"bc"]
    assert names(tmp_path) == ["file"]


def test_several_files_come_in_order(tmp_path, monkeypatch):
    moved = []
    plain = os.replace
    monkeypatch.setattr(
        os, "replace", lambda a, b: (moved.append(os.path.basename(b)), plain(a, b))
    )
    write_files({tmp_path / "z": b"1", tmp_path / "a": "2"})
    assert moved == ["z", "a"]
    assert (names(tmp_path), (tmp_path / "a").read_text()) == (["a", "z"], "2")


def test_names_as_long_as_a_file_may_have(tmp_path):
    write_atomic(tmp_path / ("n" * 255), b"x")
    assert names(tmp_path) == ["n" * 255]
    assert short_name("store") == "store"
    cut = {short_name(start + "ä" * 120) for start in "ab"}
    assert len(cut) == 2
    assert all(len(name) <= 60 for name in cut)


def test_what_is_no_new_file_is_an_error(tmp_path):
    write_new(tmp_path / "a", [b"x", memoryview(b"yz"), b""])
    assert (tmp_path / "a").read_bytes() == b"xyz"
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "a", [b""])
    with pytest.raises(NotADirectoryError):
        make_folder(tmp_path / "a" / "b" / "c")
    with pytest.raises(IsADirectoryError, match=tmp_path.name):
        write_atomic(tmp_path, b"")


def test_obstacles_are_found_before_any_work(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("nowhere/h.csv")
    for path in ("new", "new/er/h.csv", "file", "link"):
        assert obstacle(tmp_path / path) is None
    assert obstacle(os.devnull) is None
    assert obstacle(tmp_path, folder=True) is None
    assert obstacle(tmp_path / "new" / "er", folder=True) is None
    assert "is a folder" in obstacle(tmp_path)
    assert "is not a folder" in obstacle(tmp_path / "file", folder=True)
    for path in ("file/h.csv", "file/a/h.csv"):
        assert "file is not a folder" in obstacle(tmp_path / path)
    for path in ("n" * 256, "n" * 256 + "/h.csv"):
        assert "too long" in obstacle(tmp_path / path)
    assert names(tmp_path) == ["file", "link"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may do all")
def test_a_file_that_may_not_be_written_is_an_obstacle(tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "file").chmod(0o400)
    assert "no permission" in obstacle(tmp_path / "file")
    with pytest.raises(PermissionError):
        write_atomic(tmp_path / "file", b"x")
