import os
import pickle
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blox_env.ground.safe_pickle import Floats, load

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**120), 2**120),
    st.floats(allow_nan=False),
    st.text(max_size=300),
)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.text(max_size=5), inner),
        st.lists(st.floats(allow_nan=False), min_size=250, max_size=260),
    ),
    max_leaves=30,
)


@settings(max_examples=50)
@given(DATA, st.integers(2, 5))
def test_plain_data_is_what_pickle_reads(value, protocol):
    shared = [value, value]
    assert load(pickle.dumps(shared, protocol=protocol)) == shared


@pytest.mark.parametrize("n", [1, 2, 255, 256, 257, 512, 513, 30_000])
def test_runs_of_floats(n):
    values = np.random.default_rng(n).random(n).tolist()
    data = pickle.dumps(["a", values, 2.5])
    assert load(data) == ["a", values, 2.5]
    _, packed, last = load(b"xyz" + data, 3, runs=True)
    arrays = [v.array() if isinstance(v, Floats) else np.array([v]) for v in packed]
    np.testing.assert_array_equal(np.concatenate(arrays), values)
    assert last == 2.5


def test_runs_are_taken_apart_where_single_floats_are_meant():
    value = [(1.0, 2.0, 3.0), {4.0: 5.0, 6.0: 7.0}, (8.0, 9.0)]
    assert load(pickle.dumps(value), runs=True) == value


class Evil:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("protocol", range(6))
def test_no_code_runs(protocol, tmp_path):
    data = pickle.dumps([["0" * 32, Evil(tmp_path / "mark")]], protocol=protocol)
    with pytest.raises(ValueError, match=r"opcode .*GLOBAL at byte|protocol 2 to 5"):
        load(data)
    assert not (tmp_path / "mark").exists()
    pickle.loads(data)  # it is evil indeed
    assert (tmp_path / "mark").exists()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "cut off"),
        (b"\x80\x04", "damaged at byte 2"),
        (b"\x80\x06N.", "protocol 2 to 5"),
        (b"\x80\x04.", "ends before"),
        (b"\x80\x04(.", "ends before"),
        (b"\x80\x04N.N", "goes on after the pickle"),
        (b"\x80\x04NN.", "ends before"),
        (b"\x80\x04e.", "there is no mark"),
        (b"\x80\x04(K\x01e.", "damaged"),
        (b"\x80\x04K\x01(K\x01e.", "expected a list"),
        (b"\x80\x04h\x07.", "damaged"),
        (b"\x80\x04X\xff\xff\xff\x7fabc.", "cut off"),
        (b"\x80\x04\x8a\xff" + b"1" * 300 + b".", "number of 255 bytes"),
        (b"\x80\x04\x95\xff", "cut off"),
        (b"\x80\x04X\x01\x00\x00\x00\xff.", "damaged"),
        (b"\x80\x04}(K\x01u.", "has no value"),
        (b"\x80\x04}](]]u.", "damaged"),
        (b"\x80\x04}]]s.", "as a key, got list"),
        (b"\x80\x04\xfe.", "unknown opcode 0xfe"),
        (b"\x80\x04G\x00\x00.", "cut off"),
        (b"\x80\x04cos\nsystem\n.", "opcode GLOBAL at byte 2"),
        (b"\x80\x04C\x01a.", "SHORT_BINBYTES"),
        (b"\x80\x04(\x94.", "damaged"),
    ],
)
def test_damage_is_named(data, message):
    with pytest.raises(ValueError, match=message):
        load(data)


def test_a_few_bytes_cannot_take_much_memory():
    # Python's own unpickler reserves 32 GB for this index of its memo
    data = b"\x80\x04Nr" + struct.pack("<I", 2**31 - 1) + b"."
    tracemalloc.start()
    try:
        assert load(data) is None
        assert tracemalloc.get_traced_memory()[1] < 10**6
    finally:
        tracemalloc.stop()


def test_opcodes_are_counted(monkeypatch):
    monkeypatch.setattr("blox_env.ground.safe_pickle.MOST_OPCODES", 50)
    assert load(pickle.dumps([1.0] * 1000, protocol=2)) == [1.0] * 1000
    with pytest.raises(ValueError, match="more than 50 opcodes"):
        load(pickle.dumps(list(range(100))))
