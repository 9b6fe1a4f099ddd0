"""Sizes worked out slot by slot."""

from __future__ import annotations

import numpy as np

from blox_env.spaces.slotwise import Slotwise

TABLES = (np.array([1, 5]), np.array([2, 3, 4]))
ROWS = np.array([[0, 0], [1, 2], [1, 0]])


def test_sums_and_maxima() -> None:
    np.testing.assert_array_equal(Slotwise(10, TABLES).of(ROWS), [13, 19, 17])
    np.testing.assert_array_equal(Slotwise(3, TABLES, "max").of(ROWS), [3, 5, 5])
    assert Slotwise(10, TABLES).of(ROWS[:0]).shape == (0,)
