"""A store that every kind of importer replaces, with a full disk and kills: `make faults`."""

import errno
import json
import os
import signal
import sys

import numpy as np
import pytest

from blox_env.importers.importing import import_files
from blox_env.importers.made_up import write_release
from blox_env.importers.made_up_nats import write_nats
from blox_env.spaces import BloxSpace, NatsTopologySpace
from tests.disk import Full
from tests.importers.test_faults import Killing, forked
from tests.importers.test_macro import entries

KINDS = ("release", "sheet", "macro", "nats", "yahpo")
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
faults = pytest.mark.faults


def write_source(kind, folder, number):
    """A source of a kind, another one for each number; returns where it is."""
    rng = np.random.default_rng(number)
    if kind == "release":
        x = BloxSpace().sample(rng, 5)
        write_release(folder, x, epochs=2, seeds=(0,), devices=("a",), formats=("csv",), rng=number)
        return folder
    if kind == "yahpo":
        pytest.importorskip("onnx")
        pytest.importorskip("onnxruntime")
        from tests.benchmarks.test_yahpo import made_up_folder

        made_up_folder(folder)
        settings = json.loads((folder / "encoding_v2.json").read_text())
        text = json.dumps(settings, indent=number)
        (folder / "encoding_v2.json").write_text(text)
        return folder
    if kind == "nats":
        write_nats(folder, NatsTopologySpace().sample(rng, 4), rng)
        return folder
    folder.mkdir()
    path = folder / {"sheet": "mine.csv", "macro": "macro.json"}[kind]
    if kind == "macro":
        path.write_text(json.dumps(entries(5, seed=number)))
    else:
        rows = BloxSpace().sample(rng, 5)
        cells = np.column_stack([rows, rng.random(5).round(4), 2 + rng.random(5).round(3)])
        lines = [",".join(f"{value:g}" for value in row) for row in cells]
        path.write_text("\n".join(["x0,x1,x2,val_acc,latency_ms", *lines]) + "\n")
    return path


def content(target):
    """Every file of a store; None where there is none."""
    if not target.exists():
        return None
    return {
        path.relative_to(target).as_posix(): path.read_bytes()
        for path in target.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module", params=KINDS)
def sources(request, tmp_path_factory):
    """An old source, a new one of another number, and the stores that they are imported to."""
    place = tmp_path_factory.mktemp(request.param)
    found = []
    for number in (1, 2):
        source = write_source(request.param, place / str(number), number)
        import_files(source, place / f"store-{number}")
        found.append((source, content(place / f"store-{number}")))
    assert found[0][1] != found[1][1]
    return found


@pytest.fixture(params=[False, True], ids=["exchange", "two renames"])
def system(request):
    """Whether the system has no exchange of two folders."""
    return request.param


def test_a_store_of_each_kind_is_replaced(tmp_path, sources):
    target = tmp_path / "place" / "store"
    for source, there in sources:
        import_files(source, target, replace=True)
        assert content(target) == there
        assert [path.name for path in target.parent.iterdir()] == ["store"]
    (target / "thesis.txt").touch()
    with pytest.raises(ValueError, match=r"it holds thesis\.txt, which is not of the store"):
        import_files(sources[0][0], target, replace=True)


@faults
def test_no_room_while_a_store_is_replaced(tmp_path, sources, system):
    (old, before), (new, after) = sources
    target = tmp_path / "place" / "store"
    number, failed = 0, True
    while failed:
        number += 1
        import_files(old, target, replace=True)
        error = None
        with pytest.MonkeyPatch.context() as patch:
            disk = Full(patch, number, old=system)
            try:
                import_files(new, target, replace=True)
            except OSError as raised:
                error = raised
            failed = disk.failed
        if error is None:
            assert content(target) == after
        else:
            assert error.errno == errno.ENOSPC
            assert str(error.filename).startswith(str(tmp_path))
            if content(target) is None:  # not even a rename was possible any more
                assert system
                assert "what was there is at" in str(error)
                with pytest.raises(ValueError, match="is there"):
                    import_files(new, target)  # brings it back
            assert content(target) in (before, after)
    assert number > 8
    sys.stderr.write(f"no room at {number - 1} places\n")  # seen with -s


@faults
@pytest.mark.parametrize("moves", [True, False], ids=["renames", "changes"])
def test_killed_while_a_store_is_replaced(tmp_path, sources, system, moves):
    (old, before), (new, after) = sources
    target = tmp_path / "place" / "store"
    kills, number, ended = 0, 0, False
    while not ended:
        number += 1 if moves else 3
        for late in (True, False):
            import_files(old, target, replace=True)
            patch = pytest.MonkeyPatch()

            def work(patch=patch, late=late, number=number):
                Killing(patch, number, moves=moves, late=late, old=system)
                import_files(new, target, replace=True)

            _, status = os.waitpid(forked(work), 0)
            killed = os.WIFSIGNALED(status)
            ended = not (killed or late)
            kills += killed
            assert status == 0 or os.WTERMSIG(status) == signal.SIGKILL
            if not system:  # never a moment without a store
                assert content(target) in (before, after)
            with pytest.raises(ValueError, match="is there"):
                import_files(new, target)  # brings back what was moved aside
            assert content(target) in (before, after)
            import_files(new, target, replace=True)
            assert content(target) == after
            assert [path.name for path in target.parent.iterdir()] == ["store"]
    assert kills >= 2
    sys.stderr.write(f"{kills} kills\n")
