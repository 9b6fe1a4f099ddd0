import hashlib

import numpy as np
import pytest

from blox_env.store.arrays import read_array


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.arange(6, dtype="<i4").reshape(2, 3))
    return path


def digest(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_an_array_is_read_only_and_stays_whatever_happens_to_the_file(file):
    array = read_array(file, digest(file), "<i4", (None, 3))
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0] = 1
    file.write_bytes(b"")
    np.testing.assert_array_equal(array, [[0, 1, 2], [3, 4, 5]])


@pytest.mark.parametrize(
    ("dtype", "shape"), [("<i8", (2, 3)), ("<i4", (3, 2)), ("<i4", (6,)), ("<f4", (2, 3))]
)
def test_another_dtype_or_shape_is_named(file, dtype, shape):
    with pytest.raises(ValueError, match=r"a\.npy: expected .* got int32 of shape \(2, 3\)"):
        read_array(file, digest(file), dtype, shape)


def test_missing_and_damaged_files(file):
    with pytest.raises(FileNotFoundError):
        read_array(file.with_name("b.npy"), "")
    whole = digest(file)
    np.testing.assert_array_equal(read_array(file, whole), [[0, 1, 2], [3, 4, 5]])
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(
        ValueError, match=rf"a\.npy is damaged: expected the SHA-256 {whole} .* got"
    ):
        read_array(file, whole)
    with pytest.raises(ValueError, match="a file numpy cannot read"):
        read_array(file, digest(file))
