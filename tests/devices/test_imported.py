import copy
import json

import numpy as np
import pytest

from blox_env import Problem, load_device
from blox_env.benchmarks.imported import from_folder
from blox_env.importers.importing import import_files
from blox_env.importers.made_up import expected, make_files, write_release
from blox_env.spaces import BloxSpace
from blox_env.testing import check_device

SPACE = BloxSpace()
X = SPACE.from_index(np.random.default_rng(2).permutation(SPACE.size)[:21])
MISSING = SPACE.from_index(np.random.default_rng(2).permutation(SPACE.size)[21:24])
(FILE,) = make_files(X, 3, (), ("phone",), ("bench",), np.random.default_rng(0))
MS = expected(FILE, "latency")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("devices")
    write_release(folder / "files", X, epochs=3, seeds=(), parts=("bench",))
    import_files(folder / "files", folder / "store")
    return folder / "store"


def test_measured_latencies(store):
    device = load_device(str(store / "devices" / "phone"))
    assert device.name == "phone"
    np.testing.assert_array_equal(device.latency_ms(X), MS)
    assert device.measured(X).all()
    assert not device.measured(MISSING).any()
    assert not device.complete
    assert device.median_ms() == np.median(MS)
    np.testing.assert_array_equal(device.quantiles_ms((0, 1)), [MS.min(), MS.max()])


def test_what_was_not_measured_is_an_error(store):
    device = load_device(str(store / "devices" / "phone"))
    mixed = np.concatenate([X[:2], MISSING])
    with pytest.raises(ValueError, match=r"no latency of architecture .*measured 21 of 91125") as e:
        device.latency_ms(mixed)
    assert str(MISSING[0].tolist()) in str(e.value)


def test_the_card_says_what_is_assumed(store):
    device = load_device(str(store / "devices" / "phone"))
    assert device.card["unit_assumed"] is True
    assert "unit ms, as assumed" in device.description


@pytest.mark.parametrize(("unit", "factor"), [("ms", 1.0), ("s", 1000.0), ("us", 0.001)])
def test_units(tmp_path, unit, factor):
    write_release(tmp_path / "files", X, epochs=3, seeds=(), parts=("bench",))
    import_files(tmp_path / "files", tmp_path / "store", latency_unit=unit)
    device = from_folder(tmp_path / "store").device("phone")
    np.testing.assert_array_equal(device.latency_ms(X), MS * factor)
    assert device.card["unit_assumed"] is False
    problem = Problem("digits", device, budget=5)
    assert problem.latency_target_ms == pytest.approx(np.median(MS) * factor)


def test_copies_open_the_store_again(store):
    device = load_device(str(store / "devices" / "phone"))
    other = copy.deepcopy(device)
    np.testing.assert_array_equal(other.latency_ms(X), MS)
    assert other.checksum() == device.checksum()


def test_the_contract_of_a_complete_device(tmp_path):
    """Made up: a store with a latency of every architecture, written column by column."""
    from blox_env.store.writer import StoreWriter

    every = np.arange(SPACE.size)
    writer = StoreWriter(tmp_path)
    writer.add("devices/phone/latency", 1.0 + every / 10_000, "float", every)
    facts = {"name": "made-up", "kind": "test", "space": "blox", "epochs": 1, "description": "x"}
    device = {"factor": 1.0, "unit": "ms", "unit_assumed": False, "measured": SPACE.size}
    lists = {"seeds": [], "sources": [], "missing": []}
    writer.finish({**facts, **lists, "devices": {"phone": device}})
    check_device(load_device(str(tmp_path / "devices" / "phone")))


def test_damage_is_named(store, tmp_path):
    import shutil

    from blox_env.devices.imported import from_folder as open_device

    shutil.copytree(store, tmp_path / "copy")
    path = tmp_path / "copy" / "devices" / "phone" / "latency.npy"
    values = np.load(path)
    values[3] = -1
    np.save(path, values)
    with pytest.raises(ValueError, match=r"latency\.npy is damaged: expected latencies above 0"):
        open_device(path.parent).latency_ms(X[:1])
    with pytest.raises(ValueError, match="unknown device 'fone'"):
        open_device(path.parent.parent / "fone")
    manifest = json.loads((tmp_path / "copy" / "manifest.json").read_text())
    assert manifest["devices"]["phone"]["measured"] == 21
