import numpy as np
import pytest
from gymnasium import spaces

from blox_env.envs.episode.batch import Infos, check_actions, check_mask, check_seeds


def test_infos_say_who_has_a_key():
    infos = Infos(3)
    infos.add("a", np.array([2]), np.array([5.0]))
    infos.add("a", np.array([0]), np.array([4.0]))
    infos.add("b", slice(None), np.array(["x", "y", "z"], dtype=object))
    infos.add("c", np.array([], dtype=int), np.array([]))
    assert infos.columns["a"].tolist() == [4, 0, 5]
    assert infos.columns["_a"].tolist() == [True, False, True]
    assert infos.columns["_b"].all()
    assert "c" not in infos.columns
    some = infos.of(np.array([False, True, True]))
    assert some.columns["a"].tolist() == [0, 0, 5]
    assert some.columns["b"].tolist() == [None, "y", "z"]


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint8])
def test_actions_of_any_whole_kind(kind):
    taken = check_actions(np.array([0, 4, 2], kind), spaces.Discrete(5), 3)
    assert (taken.dtype, taken.tolist()) == (np.int64, [0, 4, 2])


@pytest.mark.parametrize(
    ("actions", "space", "message"),
    [
        ([0, 5, 1], spaces.Discrete(5), "environment 1 must be in 0 … 4, got 5"),
        ([0, 1, -1], spaces.Discrete(5), "environment 2 must be in 0 … 4, got -1"),
        ([[0, 0], [0, 3], [0, 0]], spaces.MultiDiscrete([2, 3]), "environment 1 .* 0 … 2, got 3"),
        ([0.0, 1.0, 2.0], spaces.Discrete(5), "integer array of shape"),
    ],
)
def test_actions_outside(actions, space, message):
    with pytest.raises(ValueError, match=message):
        check_actions(actions, space, 3)


def test_masks_and_seeds():
    assert check_mask(None, 2) is None
    assert check_seeds(None, 2) is None
    assert check_seeds(3, 2) == 3
    assert check_seeds([1, None], 2) == [1, None]
    with pytest.raises(ValueError, match="one for each of 2, got 1"):
        check_seeds([1], 2)
