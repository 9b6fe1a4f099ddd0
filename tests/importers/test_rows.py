import numpy as np
import pytest

from blox_env.ground.errors import RowError
from blox_env.importers.rows import check_text, flat_vectors
from blox_env.spaces import BloxSpace

SPACE = BloxSpace()


def test_nested_vectors_lie_flat():
    x = SPACE.sample(np.random.default_rng(0), 20)
    nested = [SPACE.to_arch_vec(row) for row in x]
    np.testing.assert_array_equal(flat_vectors(nested), SPACE.to_flat(x))


@pytest.mark.parametrize(
    "bad", [None, [], [[[0], [0, 0, 1, 0.5]]] * 3, [[[0], [0, 0, 1, True]]] * 3]
)
def test_the_first_bad_vector_is_named(bad):
    good = SPACE.to_arch_vec([1, 2, 3])
    with pytest.raises(RowError, match="arch_vec: expected") as error:
        flat_vectors([good, good, bad, bad])
    assert error.value.row == 2


@pytest.mark.parametrize("bad", [3, "a\nb", "x" * 1001])
def test_text_is_printable(bad):
    check_text("gpu", ["fine"])
    with pytest.raises(RowError, match="gpu: expected printable text") as error:
        check_text("gpu", ["fine", bad])
    assert error.value.row == 1
