"""Distances between options: shared columns where there are, and how much differs elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")

from blox_env.agents._distances import slot_distances
from blox_env.spaces import BloxSpace, DartsSpace


def test_slots_with_different_features_share_how_much_of_them_differs() -> None:
    found = slot_distances(DartsSpace(), "auto")
    assert [len(kinds) for kinds in found] == [2] * 8
    for differs, apart in found:
        np.testing.assert_array_equal(differs, 1 - np.eye(len(differs)))
        np.testing.assert_array_equal(apart, apart.T)
        assert apart.max() == 1
        assert (apart[differs == 1] > 0).all()  # different options are some way apart
    with pytest.raises(ValueError, match="features='options' needs equal slots"):
        slot_distances(DartsSpace(), "options")


def test_slots_with_equal_features_share_their_columns() -> None:
    assert [kinds.shape for kinds in slot_distances(BloxSpace(), "auto")] == [(11, 45, 45)] * 3
    assert [kinds.shape for kinds in slot_distances(BloxSpace(), "hamming")] == [(1, 45, 45)] * 3
