"""A comparison on a machine that loses power: only what was synced is there afterwards."""

import os
import shutil
from pathlib import Path

import pytest

pytest.importorskip("pyarrow")

import blox_env
from blox_env.experiment.runner import compare
from blox_env.experiment.validate_folder import validate_folder

blox_env.register_benchmark("toy", "tests.toys:ToyBenchmark")
blox_env.register_device("toy-device", "tests.toys:ToyDevice")
SMALL = {"benchmarks": ["toy"], "devices": ["toy-device"], "seeds": 2, "budget": 5, "workers": 0}


class Synced:
    """A record of what was synced: contents of files, and names in folders."""

    def __init__(self):
        self.files, self.folders = {}, {}

    def note(self, handle):
        path = Path(os.readlink(f"/proc/self/fd/{handle}"))
        if path.is_dir():
            self.folders[str(path)] = {child.name: child.stat().st_ino for child in path.iterdir()}
        else:
            self.files[os.fstat(handle).st_ino] = path.read_bytes()

    def restore(self, folder, target):
        """What a machine that loses power now would find: synced names of synced contents."""
        for child in folder.iterdir():
            place = target / child.name
            if self.folders.get(str(folder), {}).get(child.name) != child.stat().st_ino:
                continue
            if child.is_dir():
                place.mkdir()
                self.restore(child, place)
            elif child.stat().st_ino in self.files:
                place.write_bytes(self.files[child.stat().st_ino])
            else:
                place.touch()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_what_was_reported_as_done_survives_a_loss_of_power(tmp_path, monkeypatch):
    synced, real = Synced(), os.fsync

    def fsync(handle):
        synced.note(handle if isinstance(handle, int) else handle.fileno())
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    base = tmp_path / "disk"
    base.mkdir()
    folder = base / "out"
    reported = []

    class Watcher:
        """Looks at each success what a loss of power would leave."""

        def planned(self, plan, left):
            pass

        def started(self, search, worker):
            pass

        def ended(self, ended):
            after = tmp_path / f"after-{len(reported)}"
            after.mkdir()
            synced.restore(base, after)
            reported.append(Path(ended.search.path).name)
            for name in reported:
                whole = (folder / "runs" / name).read_bytes()
                assert (after / "out" / "runs" / name).read_bytes() == whole
            shutil.rmtree(after)

    compare(["random-search"], **SMALL, out=folder, watcher=Watcher())
    assert len(reported) == 2
    (tmp_path / "after").mkdir()
    synced.restore(base, tmp_path / "after")
    for path in folder.rglob("*.[jp]*"):
        after = tmp_path / "after" / "out" / path.relative_to(folder)
        assert after.read_bytes() == path.read_bytes()
    assert validate_folder(tmp_path / "after" / "out").valid
