import numpy as np
import pytest

from blox_env.spaces import BloxSpace, BloxXLSpace, DartsSpace, SearchSpace
from blox_env.spaces.slotwise import Slotwise


def test_a_sum_and_a_largest():
    tables = (np.array([1, 5]), np.array([2, 0]))
    rows = np.array([[0, 0], [1, 1]])
    assert Slotwise(3, tables).of(rows).tolist() == [6, 8]
    assert Slotwise(3, tables, "max").of(rows).tolist() == [3, 5]


@pytest.mark.parametrize("space", [BloxSpace(), BloxXLSpace(), DartsSpace()])
def test_each_size_of_a_space_is_one(space):
    rows = space.sample(np.random.default_rng(0), 50)
    for name in space.sizes:
        for network in ({}, {"width": 16, "image_size": 16}):
            parts = space.slotwise(name, **network)
            np.testing.assert_array_equal(parts.of(rows), space.size_of(name, rows, **network))
            one = np.array(
                [parts.base, *(t[o] for t, o in zip(parts.tables, rows[0], strict=True))]
            )
            assert parts.of(rows)[0] == (one.sum() if parts.combined == "sum" else one.max())
    assert space.slotwise("weight") is None


def test_other_spaces_say_that_they_have_none():
    assert SearchSpace((2, 3)).slotwise("params") is None
