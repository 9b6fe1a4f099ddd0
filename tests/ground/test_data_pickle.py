import bz2
import pickle
from collections import OrderedDict

import numpy as np
import pytest

from blox_env.ground.data_pickle import load_bz2, load_data


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_results_are_what_pickle_gives(protocol):
    single = np.float64(3.5)
    content = {
        "number": [np.float32(1.5), np.int64(-7), single, single, True],
        ("cifar10", 777): OrderedDict([(0, 1.0), (1, 2.0)]),
        "arrays": [
            *(np.arange(6.0).reshape(2, 3), np.array([1.5], np.float32)),
            np.array([1.5, np.float64(2)], object),
        ],
    }
    if protocol > 2:
        content["bytes"] = b"\x00\xff"
    content["again"] = content["arrays"][0]
    found = load_data(pickle.dumps(content, protocol=protocol))
    assert found["number"] == content["number"]
    assert found["cifar10", 777] == {0: 1.0, 1: 2.0}
    for ours, theirs in zip(found["arrays"], content["arrays"], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(found["again"], content["again"])


def test_sets_are_lists():
    assert load_data(pickle.dumps({"of": {1, 2}, "none": set()}, protocol=4)) == {
        "of": [1, 2],
        "none": [],
    }


class Evil:
    def __reduce__(self):
        return print, ("ran",)


@pytest.mark.parametrize(
    "content",
    [
        Evil(),
        [Evil()],
        np.array(["a"]),
        np.array([None]),
        np.array([object()]),
        {1: np.dtype("f8")}.values,
    ],
)
def test_nothing_else_is_read(content, capsys):
    with pytest.raises(ValueError, match="the pickle"):
        load_data(pickle.dumps(content, protocol=4))
    assert capsys.readouterr().out == ""


def test_packed_files(tmp_path):
    path = tmp_path / "a.pickle.pbz2"
    packed = bz2.compress(pickle.dumps([1, 2.5], protocol=4))
    path.write_bytes(packed)
    assert load_bz2(path) == [1, 2.5]
    for damaged in (packed[:-9], b"BZh nonsense", b""):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"a\.pickle\.pbz2: "):
            load_bz2(path)


def test_what_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("blox_env.ground.data_pickle.LONGEST", 1000)
    path = tmp_path / "a.pickle.pbz2"
    path.write_bytes(bz2.compress(pickle.dumps(list(range(5000)), protocol=4)))
    with pytest.raises(ValueError, match="more than 1000 bytes when unpacked"):
        load_bz2(path)
