"""Imports that are killed, race, run out of room or lose their power: `make faults`."""

import errno
import os
import signal
import sys
import time
import traceback

import numpy as np
import pytest

from blox_env.ground import files, folders
from blox_env.importers.importing import import_files
from blox_env.importers.made_up import write_release
from blox_env.spaces import BloxSpace
from blox_env.store import placing
from blox_env.store.reader import Store
from tests.disk import Disk, Forgetful, Full

SPACE = BloxSpace()
X = SPACE.from_index(np.random.default_rng(4).permutation(SPACE.size)[:30])
KILLS, ROUNDS, OTHERS = 30, 10, 4
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
faults = pytest.mark.faults


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    """Folders of releases with other numbers each, and the checksum of the store of each."""
    place = tmp_path_factory.mktemp("releases")
    found = {}
    for number in range(OTHERS):
        folder = place / str(number)
        write_release(
            folder, X, epochs=6, seeds=(0, 2), devices=("a",), formats=("custom",), rng=number
        )
        import_files(folder, place / "store" / str(number))
        found[folder] = Store(place / "store" / str(number)).checksum()
    assert len(set(found.values())) == OTHERS
    return found


def forked(work):
    """Process number of a child that does ``work`` and ends with 0, or 1 for a ValueError."""
    child = os.fork()
    if child:
        return child
    try:
        work()
        os._exit(0)
    except (ValueError, RuntimeError):
        os._exit(1)
    except BaseException:  # noqa: BLE001 (a child must not go on with the tests)
        traceback.print_exc()
        os._exit(2)


def whole(target):
    """Checksum of the store that is there, all of it verified; None where nothing is."""
    if not target.exists():
        return None
    store = Store(target)
    store.verify()
    return store.checksum()


def cleared(target, release):
    """The next import clears up, and nothing is left beside its store."""
    import_files(release, target, replace=True)
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    return whole(target)


@faults
def test_killed_at_random(tmp_path, releases):
    rng = np.random.default_rng(0)
    old, new = list(releases)[:2]
    target = tmp_path / "place" / "store"
    started = time.monotonic()
    import_files(old, target)
    seconds = time.monotonic() - started
    left = 0
    for number in range(KILLS):
        if number % 2:
            cleared(target, old)
        else:
            placing._remove(target)
        before = whole(target)
        child = forked(lambda: import_files(new, target, replace=True))
        time.sleep(rng.uniform(0, 1.2 * seconds))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert whole(target) in (before, releases[new])
        left += len(list(target.parent.iterdir())) > 1 or not target.exists()
    assert left > KILLS / 3  # were killed at work
    assert cleared(target, old) == releases[old]


class Killing(Disk):
    """Kills the process at a rename, or at any change of the disk."""

    def __init__(self, monkeypatch, number, *, moves, late, **options):
        super().__init__(monkeypatch, **options)
        self.number, self.of_moves, self.late = number, moves, late

    def _hit(self, name, late):
        is_one = name in ("rename", "replace", "_rename") or not self.of_moves
        count = self.moves if self.of_moves else self.count
        if is_one and late == self.late and count == self.number:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(self, name, *args):
        self._hit(name, False)

    def after(self, name, result, *args):
        self._hit(name, True)


@faults
@pytest.mark.parametrize("moves", [True, False])
@pytest.mark.parametrize("old_system", [False, True])
@pytest.mark.parametrize("there", [False, True])
def test_killed_at_each_rename_and_at_other_changes(tmp_path, releases, moves, old_system, there):
    old, new = list(releases)[:2]
    target = tmp_path / "place" / "store"
    kills, number = 0, 0
    ended = False
    while not ended:
        number += 1 if moves else 8
        for late in (True, False):
            placing._remove(target)
            before = None
            if there:
                before = cleared(target, old)
            patch = pytest.MonkeyPatch()

            def work(patch=patch, late=late, number=number):
                Killing(patch, number, moves=moves, late=late, old=old_system)
                import_files(new, target, replace=True)

            _, status = os.waitpid(forked(work), 0)
            killed = os.WIFSIGNALED(status)
            ended = not (killed or late)  # no call came that could be stopped before it
            kills += killed
            assert status == 0 or os.WTERMSIG(status) == signal.SIGKILL
            if not old_system or (target.exists() and any(target.iterdir())):
                assert whole(target) in (before, releases[new])
            if target.exists() and not any(target.iterdir()):
                target.rmdir()  # made to be replaced at once, where there is no better way
            if there:  # a store that was moved aside comes back
                with pytest.raises(ValueError, match="is there"):
                    import_files(new, target)
                assert whole(target) in (before, releases[new])
            assert cleared(target, old) == releases[old]
    assert kills >= (2 if moves else 30)
    sys.stderr.write(f"{kills} kills\n")  # seen with -s


@faults
@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("old_system", [False, True])
def test_no_room_at_each_write(tmp_path, releases, there, old_system):
    old, new = list(releases)[:2]
    target = tmp_path / "place" / "store"
    number, failed, named = 0, True, (0, "")
    while failed:
        number += 1
        placing._remove(target)
        before = cleared(target, old) if there else None
        with pytest.MonkeyPatch.context() as patch:
            disk = Full(patch, number, old=old_system)
            try:
                import_files(new, target, replace=True)
            except OSError as error:
                named = (error.errno, str(error.filename))
            failed = disk.failed
        assert named[0] == errno.ENOSPC
        assert named[1].startswith(str(tmp_path))
        if there and old_system and not target.exists():  # not even a rename was possible any more
            with pytest.raises(ValueError, match="is there"):
                import_files(new, target)  # brings back what was there
        after = whole(target)
        assert after in (before, releases[new])
        assert failed or after == releases[new]
        if after == before:
            beside = [path.name for path in target.parent.glob("*")]
            assert beside == ([target.name] if there else [])
    assert number > 50
    sys.stderr.write(f"no room at {number - 1} places\n")


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize(
    ("processes", "rounds"),
    [(2, 1), pytest.param(2, ROUNDS, marks=faults), pytest.param(4, ROUNDS, marks=faults)],
)
def test_processes_with_one_target(tmp_path, releases, processes, rounds, replace):
    target = tmp_path / "place" / "store"
    for _ in range(rounds):
        placing._remove(target)
        some = list(releases)[:processes]
        children = [
            forked(lambda release=release: import_files(release, target, replace=replace))
            for release in some
        ]
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        won = [releases[release] for release, code in zip(some, codes, strict=True) if code == 0]
        assert set(codes) <= {0, 1}
        assert whole(target) in won
        assert replace or len(won) == 1
        assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_what_is_reported_survives_a_power_failure(tmp_path, releases, monkeypatch):
    old, new = list(releases)[:2]
    target = tmp_path / "a" / "b" / "store"
    with monkeypatch.context() as patch:
        disk = Forgetful(patch)
        import_files(old, target)
        assert disk.lost(target) + disk.lost(target.parent.parent) == []
        import_files(new, target, replace=True)
        assert disk.lost(target) == []
        files.write_files({tmp_path / "c" / "d" / "run.json": "1", tmp_path / "c" / "run": b"2"})
        assert disk.lost(tmp_path / "c") == []
        files.write_atomic(tmp_path / "c" / "run", b"3")
        assert disk.lost(tmp_path / "c") == []


@pytest.mark.parametrize("name", ["sync_tree", "sync_folder"])
def test_the_power_failure_would_be_noticed(tmp_path, releases, monkeypatch, name):
    monkeypatch.setattr(placing, name, lambda _: None)
    disk = Forgetful(monkeypatch)
    import_files(next(iter(releases)), tmp_path / "store")
    assert disk.lost(tmp_path / "store") != []


def test_a_live_import_of_another_namespace_is_not_swept(tmp_path, releases, monkeypatch):
    """What tells that an import lives is its lock; numbers of processes say nothing elsewhere."""
    target = tmp_path / "store"
    with placing.new_folder(target) as folder:
        monkeypatch.setattr(os, "getpid", lambda: 1)
        monkeypatch.setattr(os, "kill", lambda *_: (_ for _ in ()).throw(ProcessLookupError()))
        with pytest.raises(RuntimeError, match="at work"):
            import_files(next(iter(releases)), target)
        assert folder.is_dir()
    assert folders.__name__  # held by ground/folders.py


def test_a_source_that_changes_while_it_is_read_is_an_error(tmp_path, monkeypatch):
    write_release(tmp_path / "r", X, epochs=6, parts=("base",), formats=("csv",))
    path = tmp_path / "r" / "blox-base-0.csv"
    data = path.read_bytes()

    def change(_what, _done):
        path.write_bytes(data.replace(b", ", b",", 1) + b"\n")

    with pytest.raises(ValueError, match="was changed while it was read"):
        import_files(path, tmp_path / "store", progress=change)
    assert [p.name for p in tmp_path.iterdir()] == ["r"]
