"""Whole imports: what agrees, what is reported, and that a store is there whole or not at all."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from blox_env.benchmarks.imported import from_folder
from blox_env.importers.importing import import_files
from blox_env.importers.made_up import encode_file, make_files, write_release
from blox_env.spaces import BloxSpace
from blox_env.store.placing import new_folder

SPACE = BloxSpace()
X = SPACE.from_index(np.random.default_rng(4).permutation(SPACE.size)[:30])
FORMATS = ("csv", "pickle", "custom")


@pytest.fixture
def release(tmp_path):
    folder = tmp_path / "release"
    write_release(folder, X, epochs=6, seeds=(0, 2), devices=("a", "b"), formats=FORMATS)
    return folder


def test_formats_give_the_same_store(release, tmp_path):
    sums = set()
    for prefer in ("csv", "pickle", "blox"):
        report = import_files(release, tmp_path / prefer, prefer=prefer)
        assert len(report.found) == 9
        assert all(f".{prefer}:" in line for line in report.found)
        benchmark = from_folder(tmp_path / prefer)
        benchmark.verify()
        sums.add(benchmark.checksum())
    assert len(sums) == 1


def test_sample_of_the_release_loads_with_both_seeds_and_devices(reference, tmp_path):
    folder = reference / "blox-release-sample"
    sums = set()
    for prefer in ("csv", "pickle", "blox"):
        report = import_files(folder, tmp_path / prefer, prefer=prefer)
        benchmark = from_folder(tmp_path / prefer)
        assert benchmark.seeds == (0, 1)
        assert benchmark.device_names == ("desktop-gpu", "mobile-cpu")
        assert any("150 of 91125" in line for line in report.missing)
        sums.add(benchmark.checksum())
    assert len(sums) == 1


def test_equal_imports_are_equal_files(release, tmp_path):
    for name in "xy":
        import_files(release, tmp_path / name)
    for path in (tmp_path / "x").rglob("*"):
        if path.is_file():
            other = tmp_path / "y" / path.relative_to(tmp_path / "x")
            assert path.read_bytes() == other.read_bytes()


def test_mixed_formats_and_single_files(release, tmp_path):
    paths = [release / "blox-base-0.csv", release / "blox-base-2.pickle"]
    report = import_files([*paths, release / "blox-bench-a.blox"], tmp_path / "store", name="mine")
    assert report.manifest["name"] == "mine"
    assert report.manifest["seeds"] == [0, 2]
    missing = " ".join(report.missing)
    for part in ("ext:", "info:", "env:"):
        assert part in missing
    assert "bench:" not in missing
    assert any("assumed" in note for note in report.notes)


def test_names_may_differ_where_a_file_is_given(release, tmp_path):
    shutil.copy(release / "blox-base-2.csv", tmp_path / "mine.csv")
    report = import_files(tmp_path / "mine.csv", tmp_path / "store")
    assert report.manifest["seeds"] == [2]


def test_a_seed_that_lacks_a_part_is_reported(release, tmp_path):
    for path in release.glob("blox-ext-2.*"):
        path.unlink()
    report = import_files(release, tmp_path / "store")
    assert any(line.startswith("ext 2: no training accuracy") for line in report.missing)


def test_files_of_different_architectures_are_joined(tmp_path):
    write_release(tmp_path / "r", X[:20], epochs=6, seeds=(0,), parts=("base",))
    write_release(tmp_path / "r", X[10:], epochs=6, seeds=(1,), parts=("base",), rng=1)
    report = import_files(tmp_path / "r", tmp_path / "store")
    assert report.manifest["rows"] == 30
    benchmark = from_folder(tmp_path / "store")
    known = [benchmark.known(X, seed=seed) for seed in (0, 1)]
    np.testing.assert_array_equal(known[0], np.arange(30) < 20)
    np.testing.assert_array_equal(known[1], np.arange(30) >= 10)
    assert benchmark.known(X).all()


def test_a_folder_with_base_and_ext_of_other_rows_says_so(tmp_path):
    write_release(tmp_path / "r", X, epochs=6, parts=("base",))
    write_release(tmp_path / "r", X[:7], epochs=6, parts=("ext",))
    report = import_files(tmp_path / "r", tmp_path / "store")
    assert any("ext 0: has 7 architectures of 30" in line for line in report.missing)


# -- contradictions ------------------------------------------------------------------------------


def edit(path, old, new):
    path.write_bytes(path.read_bytes().replace(old, new, 1))


def refused(sources, store, message, **options):
    with pytest.raises(ValueError, match=message):
        import_files(sources, store, **options)
    assert not store.exists()
    assert [p.name for p in store.parent.iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("blox-base-0.csv", b"seed: 0", b"seed: 1", "name says 'base 0', the header 'base 1'"),
        ("blox-base-0.csv", b"epochs: 6", b"epochs: 5", "epochs is 6, but 5 in"),
        ("blox-ext-2.csv", b"cifar100", b"cifar10", "dataset is 'cifar10', but 'cifar100' in"),
        ("blox-bench-a.csv", b"device: a", b"device: b", "the name says 'bench a', the header"),
        ("blox-base-0.csv", b"format: csv", b"format: pickle", "header says format 'pickle'"),
        ("blox-info.csv", b"static", b"env", "seed must be a whole number"),
    ],
)
def test_what_does_not_agree(release, tmp_path, name, old, new, message):
    edit(release / name, old, new)
    refused(release, tmp_path / "store", message, prefer="csv")


def test_epochs_have_to_agree(tmp_path):
    write_release(tmp_path / "r", X, epochs=6, seeds=(0,), parts=("base",))
    write_release(tmp_path / "r", X, epochs=7, seeds=(1,), parts=("base",))
    refused(tmp_path / "r", tmp_path / "store", "epochs is 7, but 6 in")


def test_two_files_of_the_same(release, tmp_path):
    other = tmp_path / "other.csv"
    shutil.copy(release / "blox-base-0.csv", other)
    refused([release, other], tmp_path / "store", "both hold base 0", prefer="csv")


def test_duplicate_and_unknown_hashes(release, tmp_path):
    path = release / "blox-base-0.csv"
    head, _, body = path.read_bytes().rpartition(b"---\n")
    lines = body.splitlines(keepends=True)
    path.write_bytes(head + b"---\n" + b"".join([*lines, lines[4]]))
    refused(path, tmp_path / "store", "row 31: the same model_hash as in row 5")
    lines[7] = b"0" * 32 + lines[7][32:]
    path.write_bytes(head + b"---\n" + b"".join(lines))
    refused(path, tmp_path / "store", f"row 8: no architecture of Blox has .* {'0' * 32}")


def test_hash_and_architecture_have_to_agree(tmp_path):
    (file,) = make_files(X, 6, (0,), ("a",), ("info",), np.random.default_rng(0))
    vectors = file.columns["arch_vec"]
    vectors[3], vectors[9] = vectors[9], vectors[3]
    path = tmp_path / "blox-info.csv"
    for form, suffix in (("csv", "csv"), ("custom", "blox"), ("pickle", "pickle")):
        path = tmp_path / f"blox-info.{suffix}"
        path.write_bytes(encode_file(file, form))
        refused(path, tmp_path / "store", "row 4: the arch_vec .* does not have the model_hash")


@pytest.mark.parametrize(
    ("part", "column", "value", "message"),
    [
        ("base", "val_top1", 5001, "row 3: val_top1: expected a percentage, .* epoch 2"),
        ("base", "test_top1", -1, "row 3: test_top1: expected a percentage"),
        ("bench", "latency", 0, "row 3: latency: expected a number above 0"),
        ("base", "train_time_s", -4, "row 3: train_time_s: expected a number of at least 0"),
        ("info", "params", -4, "row 3: params: expected a whole number"),
    ],
)
def test_numbers_that_cannot_be(tmp_path, part, column, value, message):
    (file,) = make_files(X, 6, (0,), ("a",), (part,), np.random.default_rng(0))
    values = file.columns[column]
    values[(2, 1) if values.ndim == 2 else 2] = value
    path = tmp_path / f"{file.stem}.csv"
    path.write_bytes(encode_file(file, "csv"))
    refused(path, tmp_path / "store", message)


def test_a_percentage_that_is_no_count(tmp_path):
    write_release(tmp_path, X, epochs=6, parts=("base",))
    path = tmp_path / "blox-base-0.csv"
    lines = path.read_text().splitlines(keepends=True)
    head, cells = lines[-1].split("[", 1)
    _, rest = cells.split(", ", 1)
    lines[-1] = f"{head}[5.013, {rest}"
    path.write_text("".join(lines))
    refused(
        path, tmp_path / "store", "row 30: val_top1: expected a percentage, a count out of 5000"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"latency_unit": "h"}, "unknown latency_unit 'h'"),
        ({"prefer": "parquet"}, "unknown format 'parquet'"),
        ({"name": "a/b"}, "name must be of letters"),
    ],
)
def test_bad_options(release, tmp_path, options, message):
    refused(release, tmp_path / "store", message, **options)


def test_sources_that_are_none(tmp_path):
    refused(tmp_path / "nowhere", tmp_path / "store", "there is no such file or folder")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", tmp_path / "store", "no release file in")
    (tmp_path / "x.txt").write_text("---\n")
    refused(tmp_path / "x.txt", tmp_path / "store", "unknown suffix '.txt'")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "blox-info.csv")
    refused(tmp_path, tmp_path / "store", "expected a file, got something else")


# -- whole or not at all -------------------------------------------------------------------------


def test_what_is_there_is_left_alone(release, tmp_path):
    store = tmp_path / "store"
    import_files(release, store)
    before = {p: p.read_bytes() for p in store.rglob("*") if p.is_file()}
    with pytest.raises(ValueError, match=r"is there: choose another place, or replace it"):
        import_files(release, store)
    edit(release / "blox-ext-2.blox", b"seed: 2", b"seed: 3")
    with pytest.raises(ValueError, match="the name says"):
        import_files(release, store, replace=True)
    assert {p: p.read_bytes() for p in store.rglob("*") if p.is_file()} == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["release", "store"]


def test_only_a_store_is_replaced(release, tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.tex").write_text("x")
    with pytest.raises(ValueError, match="is there and is no store"):
        import_files(release, tmp_path / "precious", replace=True)
    assert (tmp_path / "precious" / "thesis.tex").exists()


def test_an_open_store_survives_its_replacement(release, tmp_path):
    store = tmp_path / "store"
    import_files(release, store)
    old = from_folder(store)
    before = old.evaluate(X)
    write_release(tmp_path / "other", X[:5], epochs=6, parts=("base",), rng=7)
    import_files(tmp_path / "other", store, replace=True)
    np.testing.assert_array_equal(old.evaluate(X).val_acc, before.val_acc)
    assert from_folder(store).checksum() != old.checksum()


CHILD = """
import sys, time
import blox_env.importers.importing as importing
plain = importing.read_table
def slow(source, progress):
    print("reading", flush=True)
    table = plain(source, progress)
    if "ext" in source.path.name:
        time.sleep(60)
    return table
importing.read_table = slow
importing.import_files(sys.argv[1], sys.argv[2], replace=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL here")
@pytest.mark.parametrize("there", [False, True])
def test_a_killed_import_leaves_nothing_half_made(release, tmp_path, there):
    place = tmp_path / "place"
    store = place / "store"
    if there:
        import_files(release / "blox-info.csv", store)
        before = from_folder(store).checksum()
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(release), str(store)], stdout=subprocess.PIPE
    )
    for _ in range(7):  # bases, benches, environments and the first ext
        child.stdout.readline()
    time.sleep(0.3)
    child.send_signal(signal.SIGKILL)
    child.wait()
    left = [p.name for p in place.iterdir() if p.name != "store"]
    assert len(left) == 1
    assert left[0] == ".store.importing"
    if there:
        assert from_folder(store).checksum() == before
    else:
        assert not store.exists()
    import_files(release, store, replace=True)  # the next one sweeps up
    assert [p.name for p in place.iterdir()] == ["store"]
    from_folder(store).verify()


def test_an_interrupted_swap_is_undone(tmp_path):
    target = tmp_path / "store"
    gone = tmp_path / ".store.importing" / "old"
    gone.mkdir(parents=True)
    (gone.parent / "lock").touch()
    (gone / "manifest.json").write_text("{}")
    with pytest.raises(ValueError, match="is there"), new_folder(target):
        pass
    assert (target / "manifest.json").exists()


def test_errors_inside_leave_no_folder(tmp_path):
    with pytest.raises(KeyError), new_folder(tmp_path / "store"):
        raise KeyError
    assert list(tmp_path.iterdir()) == []


# -- the command ---------------------------------------------------------------------------------


def call(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "blox_env", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def test_the_command(release, tmp_path):
    store = tmp_path / "store"
    status, text = call("import", release, "--out", store, "--latency-unit", "us")
    assert status == 0
    assert "30 rows" in text
    assert f"device='{store}/devices/a'" in text
    assert json.loads((store / "manifest.json").read_text())["devices"]["a"]["factor"] == 0.001
    status, text = call("info", store)
    assert status == 0
    assert "blox-release" in text
    status, text = call("import", release, "--out", store)
    assert status == 1
    assert "error: " in text
    assert "Traceback" not in text


def test_progress_is_told(release, tmp_path):
    told = []
    import_files(release, tmp_path / "s", progress=lambda what, done: told.append((what, done)))
    done = [value for _, value in told]
    assert done == sorted(done)
    assert done[0] == 0
    assert done[-1] == 1
    assert Path(told[0][0]).suffix == ".blox"
