import contextlib
import os
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from blox_env.ground.array_pickle import Array, load_arrays

SHAPES = arrays.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=9)
ARRAYS = st.sampled_from(["u1", "<i4", "<i8"]).flatmap(lambda kind: arrays.arrays(kind, SHAPES))


@settings(max_examples=50)
@given(ARRAYS, st.integers(2, 4), st.booleans())
def test_arrays_are_what_pickle_reads(values, protocol, by_column):
    values = np.asfortranarray(values) if by_column else values
    found = load_arrays(pickle.dumps({"a": values, "again": values, "b": [1]}, protocol=protocol))
    assert found["b"] == [1]
    assert found["again"] is found["a"]
    assert isinstance(found["a"], Array)
    assert found["a"].values.dtype == values.dtype
    np.testing.assert_array_equal(found["a"].values, values)


@settings(max_examples=100)
@given(st.binary(min_size=1, max_size=3), st.integers(0, 400))
def test_damaged_bytes_are_a_value_error_or_data(noise, place):
    data = bytearray(pickle.dumps({b"d": np.arange(40, dtype="u1")}, protocol=2))
    data[place % len(data) : place % len(data) + len(noise)] = noise
    with contextlib.suppress(ValueError):  # anything else would be a failure
        load_arrays(bytes(data))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.array([object()]), "numpy|builtins|object|dtype"),
        (np.zeros(3, dtype=[("a", "u1")]), "dtype with unknown arguments"),
        (np.zeros(3, dtype=">i4"), "another type"),
        (np.zeros(3), "dtype with unknown arguments"),
        (np.float64(1), "names numpy"),
        ({1, 2}, "builtin__.set|opcode EMPTY_SET"),
        (os.getcwd, "names posix|names nt"),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_other_things_are_refused(value, message, protocol):
    with pytest.raises(ValueError, match=message):
        load_arrays(pickle.dumps({"a": value}, protocol=protocol))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x80\x02cnumpy\ndtype", "a name does not end"),
        (b"\x80\x02cnumpy\nndarray\n)R.", "ndarray with unknown arguments"),
        (b"\x80\x02K\x01)R.", "a call"),
        (b"\x80\x02K\x01Nb.", "an object"),
        (b"\x80\x02T\xff\xff\xff\x7fabc.", "cut off"),
        (b"\x80\x02cos\nsystem\nU\x02ls\x85R.", "names os.system"),
        (b"\x80\x02}U\x01aK\x01s.", None),
    ],
)
def test_bytes_by_hand(data, message):
    if message is None:
        assert load_arrays(data) == {"a": 1}
        return
    with pytest.raises(ValueError, match=message):
        load_arrays(data)


def test_an_array_of_another_size_than_its_bytes_is_refused():
    whole = pickle.dumps(np.zeros((7, 9), "u1"), protocol=2)
    assert whole.count(b"K\x07K\x09") == 1
    with pytest.raises(ValueError, match=r"shape \(8, 9\) has 63 bytes"):
        load_arrays(whole.replace(b"K\x07K\x09", b"K\x08K\x09"))
