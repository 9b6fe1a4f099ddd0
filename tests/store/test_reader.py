import json

import numpy as np
import pytest

from blox_env import load_device
from blox_env.benchmarks.imported import from_folder
from blox_env.store.reader import Store, open_store
from tests.store.stores import X, sign


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
