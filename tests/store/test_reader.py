import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blox_env import MacroBenchSpace, SearchSpace, load_device
from blox_env.benchmarks.imported import from_folder
from blox_env.spaces import BloxSpace
from blox_env.store.reader import Numbering, Store, open_store
from tests.store.stores import X, sign

SPACES = [BloxSpace(), MacroBenchSpace(), SearchSpace((4, 1, 3))]


@pytest.mark.parametrize("space", SPACES, ids=lambda s: s.name)
@pytest.mark.parametrize("n", [1, 2, 300])
def test_numbers_are_those_of_the_space(space, n):
    numbering, x = Numbering(space), space.sample(np.random.default_rng(n), n)
    expected = space.index(x)
    np.testing.assert_array_equal(numbering(x), expected)
    np.testing.assert_array_equal(numbering(x[:, ::-1][:, ::-1]), expected)  # not contiguous
    np.testing.assert_array_equal(numbering(x.astype(np.int16)), expected)
    table = np.arange(2 * space.size).reshape(-1, 2)
    np.testing.assert_array_equal(numbering.take(table, x), table[expected])


@given(st.lists(st.integers(-2, 46), min_size=3, max_size=3))
def test_bad_rows_are_errors_as_those_of_the_space(row):
    space = SPACES[0]
    numbering, x = Numbering(space), np.array([row])
    table = np.arange(space.size)
    if all(0 <= value < 45 for value in row):
        assert numbering(x) == space.index(x)
        assert numbering.take(table, x) == space.index(x)
        return
    for call in (numbering, lambda rows: numbering.take(table, rows)):
        with pytest.raises(ValueError, match="row 0, slot"):
            call(x)


def test_what_is_taken_is_a_new_array():
    numbering, table = Numbering(SPACES[0]), np.zeros((91125, 2))
    numbering.take(table, np.array([[1, 2, 3]]))[:] = 1
    assert not table.any()


def test_damaged_numbers_are_named(damaged):
    numbers = np.load(damaged / "number.npy")
    np.save(damaged / "number.npy", np.ascontiguousarray(numbers[::-1]))
    sign(damaged)
    with pytest.raises(ValueError, match=r"number\.npy is damaged: expected rising numbers"):
        Store(damaged)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(schema=3), "expected schema 2, got 3"),
        (lambda m: m.update(seeds=[1]), "its content is not what its sha256 is of"),
        (lambda m: m.update(schema=1, epochs=1), "its content is not what its sha256 is of"),
        (lambda m: m.pop("sha256"), "its content is not what its sha256 is of"),
        (lambda m: m["columns"]["seed-0/val_top1"].update(examples=9), "is not what its sha256"),
        (lambda m: m.update(space="other"), "unknown space 'other'"),
        (lambda m: m.pop("seeds"), "seeds must be list"),
        (lambda m: m.update(seeds=["a"]), "seeds whole numbers"),
        (lambda m: m.update(epochs=0), "epochs must be at least 1"),
        (lambda m: m["columns"].update({"../evil": m["numbers"]}), "'../evil' is damaged"),
        (lambda m: m["columns"].update({"/etc/passwd": m["numbers"]}), "is damaged"),
        (lambda m: m["columns"]["info/params"].update(encoding="pickle"), "is damaged"),
        (lambda m: m["devices"].update(evil={}), "the device 'evil' is damaged"),
    ],
)
def test_damaged_manifest(damaged, change, message):
    path = damaged / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match=message):
        Store(damaged)


def test_one_store_a_folder(damaged):
    benchmark, device = from_folder(damaged), load_device(str(damaged / "devices" / "phone"))
    assert open_store(damaged) is benchmark.store
    assert device.checksum() == benchmark.devices()["phone"].checksum()
    sign(damaged)  # another manifest
    assert open_store(damaged) is not benchmark.store


def test_a_store_without_a_digest_is_of_an_older_version(damaged):
    path = damaged / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["sha256"]
    path.write_text(json.dumps(manifest | {"schema": 1}))
    assert from_folder(damaged).evaluate(X).val_acc[0] > 0


def test_no_manifest(tmp_path):
    with pytest.raises(ValueError, match=r"is no store: manifest\.json is missing"):
        Store(tmp_path)
    (tmp_path / "manifest.json").write_text("[" * 100_000)
    with pytest.raises(ValueError, match=r"manifest\.json is damaged"):
        Store(tmp_path)
