import os
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from blox_env.benchmarks import live_cache
from blox_env.benchmarks.live_cache import Key, Training, TrainingCache
from tests.windows import Windows

KEY = Key("c", "1-2-3", 0)
DONE = Training((0.25, 0.1 + 0.2), 1 / 3, 12.5)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "trainings.sqlite3"


def test_what_is_stored_comes_back_exactly(path):
    cache = TrainingCache(path)
    assert cache.get([KEY]) == {}
    assert cache.claim(KEY)
    assert not cache.claim(KEY)
    assert cache.held([KEY, Key("c", "1-2-3", 1)]) == {KEY}
    cache.release(KEY, DONE)
    other = TrainingCache(path)
    assert other.get([KEY, Key("d", "1-2-3", 0)]) == {KEY: DONE}
    assert other.held([KEY]) == set()
    assert not other.claim(KEY)
    assert (other.count(), other.count("c"), other.count("d")) == (1, 1, 0)


def test_a_claim_that_is_given_up_is_free(path):
    cache = TrainingCache(path)
    assert cache.claim(KEY)
    cache.release(KEY)
    assert cache.claim(KEY)


def test_threads_do_not_claim_one_training_twice(path):
    won = []
    TrainingCache(path)
    keys = [Key("c", f"{k}-0-0", 0) for k in range(10)]

    def take():
        cache = TrainingCache(path)
        won.extend(key for key in keys if cache.claim(key))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(key.arch for key in won) == sorted(key.arch for key in keys)


def test_the_claim_of_a_dead_process_is_free(path):
    cache = TrainingCache(path)
    script = (
        "from blox_env.benchmarks.live_cache import *; import sys\n"
        "assert TrainingCache(sys.argv[1]).claim(Key('c', '1-2-3', 0))"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(path)])
    try:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, but still in the list
        assert cache.held([KEY]) == set()
    finally:
        assert process.wait() == 0
    assert cache.held([KEY]) == set()
    assert cache.claim(KEY)


@pytest.mark.parametrize(
    ("changes", "since", "alive"),
    [
        ({}, "now", True),
        ({"pid": 2**22 + 1}, "now", False),
        ({"born": "0"}, "now", False),  # the number was given to another process
        ({"boot": "another"}, "now", False),
        ({"host": "another"}, "now", True),  # cannot be looked at
        ({"host": "another"}, "long ago", False),
        ({"space": "pid:[1]"}, "now", True),
        ({"space": "pid:[1]"}, "long ago", False),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="what can be seen of processes differs")
def test_who_is_alive(changes, since, alive):
    import dataclasses
    import time

    owner = dataclasses.replace(live_cache._me(), **changes)
    assert live_cache._alive(owner, time.time() if since == "now" else 0.0) is alive


def filled(path):
    cache = TrainingCache(path)
    for number in range(300):
        key = Key("c", f"{number}-0-0", 0)
        assert cache.claim(key)
        cache.release(key, DONE)
    return path.read_bytes()


def test_a_cut_file_is_named(path):
    whole = filled(path)
    assert len(whole) > 3 * 4096
    for size in (0, 50, 100, 4096, 3 * 4096, len(whole) - 4096, len(whole) - 10):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"trainings\.sqlite3 is (no cache|damaged)"):
            TrainingCache(path)
        assert path.read_bytes() == whole[:size]  # and left alone


def test_a_foreign_file_is_named_and_left_alone(path):
    path.parent.mkdir()
    path.write_text("Dear diary, " * 1000)
    with pytest.raises(ValueError, match=r"trainings\.sqlite3 is no cache of trainings, or dam"):
        TrainingCache(path)
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE mine (a)")
    db.close()
    with pytest.raises(ValueError, match="another program's file"):
        TrainingCache(path)


def test_a_file_of_another_schema_is_named(path):
    TrainingCache(path)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 9")
    db.close()
    with pytest.raises(ValueError, match=r"trainings\.sqlite3: expected schema 1, got 9"):
        TrainingCache(path)


def test_a_file_that_was_removed_is_named(path):
    cache = TrainingCache(path)
    path.unlink()
    with pytest.raises(OSError, match=r"cannot use .*trainings\.sqlite3"):
        cache.get([KEY])


def test_the_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("BLOX_ENV_CACHE", str(tmp_path / "mine"))
    assert live_cache.default_folder() == tmp_path / "mine"
    monkeypatch.delenv("BLOX_ENV_CACHE")
    assert live_cache.default_folder().name == "blox-env"


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_claims_where_processes_cannot_be_looked_at(monkeypatch, system):
    """Nobody is killed by a question, and a number that came again holds nothing for ever."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    monkeypatch.setattr(live_cache.sys, "platform", system)
    if system == "win32":
        monkeypatch.setattr(live_cache, "os", Windows())
        monkeypatch.setattr(os, "kill", None)
    me, now = live_cache._me(), time.time()
    assert live_cache._alive(me, since=now)
    assert not live_cache._alive(me, since=now - 7 * 3600)
    gone = replace(me, pid=ended.pid)
    assert live_cache._alive(gone, since=now) == (system == "win32")
