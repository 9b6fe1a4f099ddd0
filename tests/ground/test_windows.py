"""Files and folders as on a system where what is open can be neither replaced nor removed."""

import threading
import time

import pytest

pytest.importorskip("fcntl")  # the simulation's locks

from blox_env.ground import files, folders, locks
from blox_env.ground.files import write_atomic
from blox_env.ground.folders import exchange, held, move_new
from blox_env.store.placing import new_folder
from tests.windows import Locking, Windows


@pytest.fixture(autouse=True)
def windows(monkeypatch):
    for module in (files, folders):
        monkeypatch.setattr(module, "os", Windows())
    monkeypatch.setattr(files.sys, "platform", "win32")
    monkeypatch.setattr(locks, "fcntl", None)
    monkeypatch.setattr(locks, "msvcrt", Locking)
    monkeypatch.setattr(files, "_PAUSES_S", (0.01,) * 20)


def content(path):
    return sorted(each.name for each in path.iterdir())


def test_a_file_that_is_read_is_replaced_when_it_is_closed(tmp_path):
    target = tmp_path / "table.json"
    write_atomic(target, "old")
    with target.open(encoding="utf-8") as reader:
        begun = time.monotonic()
        with pytest.raises(PermissionError, match=r"table\.json"):
            write_atomic(target, "new")
        assert time.monotonic() - begun > 0.1
        assert reader.read() == "old"
        closing = threading.Timer(0.05, reader.close)
        closing.start()
        write_atomic(target, "new")
        closing.join()
    assert target.read_text(encoding="utf-8") == "new"
    assert content(tmp_path) == ["table.json"]


def test_one_at_a_time_again_and_again(tmp_path):
    for _ in range(2):
        with held(tmp_path / "work", "it") as left:
            assert not left
            with pytest.raises(RuntimeError, match="it is at work"), held(tmp_path / "work", "it"):
                pass
        assert content(tmp_path) == []


def test_folders_move_and_are_exchanged(tmp_path):
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    with pytest.raises(FileExistsError):
        move_new(tmp_path / "new", tmp_path / "old")
    with (tmp_path / "old" / "old").open(encoding="utf-8"), pytest.raises(PermissionError):
        exchange(tmp_path / "new", tmp_path / "old", tmp_path / "aside")
    assert content(tmp_path) == ["new", "old"]
    assert exchange(tmp_path / "new", tmp_path / "old", tmp_path / "aside") == tmp_path / "aside"
    assert content(tmp_path / "old") == ["new"]


def test_a_folder_appears_whole(tmp_path):
    with new_folder(tmp_path / "store") as folder:
        (folder / "model.json").write_bytes(b"{}")
    assert content(tmp_path) == ["store"]
    assert content(tmp_path / "store") == ["model.json"]
