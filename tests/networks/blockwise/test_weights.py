import numpy as np
import pytest

from blox_env.networks.blockwise.weights import (
    read_facts_of,
    read_weights,
    weights_hash,
    write_weights,
)

WEIGHTS = {"0.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "1.bias": np.ones(2)}


def test_equal_weights_are_equal_files(tmp_path):
    for name in ("a", "b"):
        write_weights(tmp_path / name, WEIGHTS, {"seed": 3, "row": [1, 2]})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    weights, facts = read_weights(tmp_path / "a")
    assert facts == read_facts_of(tmp_path / "a") == {"seed": 3, "row": [1, 2]}
    assert list(weights) == list(WEIGHTS)
    np.testing.assert_array_equal(weights["0.weight"], WEIGHTS["0.weight"])


def test_the_hash_is_of_names_and_values():
    renamed = {"2.weight": WEIGHTS["0.weight"], "1.bias": WEIGHTS["1.bias"]}
    changed = {**WEIGHTS, "1.bias": np.ones(2) * 2}
    assert len({weights_hash(w) for w in (WEIGHTS, renamed, changed)}) == 3


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04 cut off"])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "w.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"w\.npz is no file of weights"):
        read_weights(tmp_path / "w.npz")
