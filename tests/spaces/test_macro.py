import numpy as np
import pytest

from blox_env.spaces import MacroBenchSpace

SPACE = MacroBenchSpace()


def test_keys_and_rows():
    x = SPACE.all()
    assert x.shape == (6561, 8)
    keys = SPACE.to_keys(x)
    assert len(set(keys)) == 6561
    np.testing.assert_array_equal(SPACE.from_keys(keys), x)
    np.testing.assert_array_equal(SPACE.from_keys(["02012100"]), [[0, 2, 0, 1, 2, 1, 0, 0]])
    assert SPACE.from_keys([]).shape == (0, 8)


@pytest.mark.parametrize("key", ["0201210", "020121001", "02012103", "0201210²", 2012100])
def test_bad_key_is_named(key):
    with pytest.raises(ValueError, match="key 1: expected 8 digits"):
        SPACE.from_keys(["00000000", key])


def test_in_words():
    assert SPACE.describe([0, 1, 2, 0, 0, 0, 0, 0]).startswith("identity | MB3_K3 | MB6_K5")
    assert repr(SPACE) == "MacroBenchSpace()"
    assert MacroBenchSpace() == SPACE
    with pytest.raises(NotImplementedError, match="macrobench"):
        SPACE.build_network([0] * 8)
