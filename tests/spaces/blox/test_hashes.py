import hashlib
import json

import numpy as np
import pytest

from blox_env.ground.errors import RowError
from blox_env.spaces import BloxSpace
from blox_env.spaces.blox.hashes import DATA, hash_bytes, numbers_of

SPACE = BloxSpace()


def test_hashes_of_a_sample_are_found():
    x = SPACE.sample(np.random.default_rng(0), 60)
    found = numbers_of(hash_bytes(SPACE.model_hash(x)))
    np.testing.assert_array_equal(found, SPACE.index(x))


def test_upstream_hashes_are_found(reference):
    rows = json.loads((reference / "blox-model-hashes.json").read_text())
    flat = np.array([row[0] for row in rows])
    found = numbers_of(hash_bytes([row[1] for row in rows]))
    np.testing.assert_array_equal(found, SPACE.index(SPACE.from_flat(flat)))


def test_unknown_and_damaged_hashes_are_not_found():
    whole = SPACE.model_hash([[1, 2, 3]])[0]
    for place in (0, 15, 16, 31):  # either half
        digit = "0" if whole[place] != "0" else "1"
        damaged = whole[:place] + digit + whole[place + 1 :]
        assert numbers_of(hash_bytes([damaged])).tolist() == [-1]
    assert numbers_of(hash_bytes(["f" * 32, whole, "0" * 32])).tolist() == [-1, 2118, -1]
    assert len(numbers_of(hash_bytes([]))) == 0


@pytest.mark.parametrize("text", ["", "abc", "g" * 32, "a" * 33, " " * 32, None, 7, "a b" * 11])
def test_what_is_no_hash_is_named(text):
    with pytest.raises(RowError, match="expected a model_hash of 32 hex digits") as error:
        hash_bytes(["a" * 32, text])
    assert error.value.row == 1


def test_the_file_is_the_one_of_the_card():
    digest = hashlib.sha256(DATA.read_bytes()).hexdigest()
    assert digest in (DATA.parent / "CARD.md").read_text()
    assert np.load(DATA).shape == (SPACE.size,)
