import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blox_env import MacroBenchSpace, SearchSpace
from blox_env.spaces import BloxSpace
from blox_env.spaces.numbering import Numbering

SPACES = [BloxSpace(), MacroBenchSpace(), SearchSpace((4, 1, 3))]


@pytest.mark.parametrize("space", SPACES, ids=lambda s: s.name)
@pytest.mark.parametrize("n", [1, 2, 300])
def test_numbers_are_those_of_the_space(space, n):
    numbering, x = Numbering(space), space.sample(np.random.default_rng(n), n)
    expected = space.index(x)
    np.testing.assert_array_equal(numbering(x), expected)
    np.testing.assert_array_equal(numbering(x[:, ::-1][:, ::-1]), expected)  # not contiguous
    np.testing.assert_array_equal(numbering(x.astype(np.int16)), expected)
    table = np.arange(2 * space.size).reshape(-1, 2)
    np.testing.assert_array_equal(numbering.take(table, x), table[expected])


@given(st.lists(st.integers(-2, 46), min_size=3, max_size=3))
def test_bad_rows_are_errors_as_those_of_the_space(row):
    space = SPACES[0]
    numbering, x = Numbering(space), np.array([row])
    table = np.arange(space.size)
    if all(0 <= value < 45 for value in row):
        assert numbering(x) == space.index(x)
        assert numbering.take(table, x) == space.index(x)
        return
    for call in (numbering, lambda rows: numbering.take(table, rows)):
        with pytest.raises(ValueError, match="row 0, slot"):
            call(x)


def test_what_is_taken_is_a_new_array():
    numbering, table = Numbering(SPACES[0]), np.zeros((91125, 2))
    numbering.take(table, np.array([[1, 2, 3]]))[:] = 1
    assert not table.any()
