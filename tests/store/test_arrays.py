import hashlib

import numpy as np
import pytest

from blox_env.store.arrays import open_array, read_array


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.arange(6, dtype="<i4").reshape(2, 3))
    return path


def test_an_array_is_mapped_read_only(file):
    array = open_array(file, "<i4", (None, 3), whole="no store")
    np.testing.assert_array_equal(array, [[0, 1, 2], [3, 4, 5]])
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0] = 1


@pytest.mark.parametrize(
    ("dtype", "shape"), [("<i8", (2, 3)), ("<i4", (3, 2)), ("<i4", (6,)), ("<f4", (2, 3))]
)
def test_another_dtype_or_shape_is_named(file, dtype, shape):
    with pytest.raises(ValueError, match=r"a\.npy: expected .* got int32 of shape \(2, 3\)"):
        open_array(file, dtype, shape, whole="no store")


def test_missing_and_damaged_files(file):
    with pytest.raises(ValueError, match=r"no whole store: b\.npy is missing"):
        open_array(file.with_name("b.npy"), "<i4", (2, 3), whole="no whole store")
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(ValueError, match=r"a\.npy is damaged"):
        open_array(file, "<i4", (2, 3), whole="no store")


def test_checksums(file):
    whole = hashlib.sha256(file.read_bytes()).hexdigest()
    np.testing.assert_array_equal(read_array(file, whole), [[0, 1, 2], [3, 4, 5]])
    with pytest.raises(ValueError, match="expected the SHA-256 0000"):
        read_array(file, "0" * 64)
    file.write_bytes(b"no array")
    text = hashlib.sha256(b"no array").hexdigest()
    with pytest.raises(ValueError, match="a file numpy cannot read"):
        read_array(file, text)
