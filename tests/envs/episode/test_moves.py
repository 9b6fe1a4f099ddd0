import numpy as np

from blox_env.envs.episode.moves import Position, split

BLANK = np.array([0, 7])


def test_positions_are_put_and_cleared():
    position = Position(3, BLANK)
    position.put(np.array([0, 2]), np.array([1, 0]), np.array([9, 3]))
    assert position.cells.tolist() == [[0, 9], [0, 7], [3, 7]]
    position.nodes[:] = position.places[:] = 5
    position.clear(np.array([2]))
    assert position.cells.tolist() == [[0, 9], [0, 7], [0, 7]]
    assert position.nodes.tolist() == position.places.tolist() == [5, 5, 0]
    position.clear(slice(None))
    assert position.cells.tolist() == [[0, 7]] * 3
    position.cells[0] = 8  # of this one alone
    assert Position(3, BLANK).cells.tolist() == [[0, 7]] * 3


def test_who_moves_and_who_is_refused():
    allowed, idle = np.array([True, False, True, False]), np.array([False, False, True, True])
    moving, refused = split(allowed, idle)
    assert (moving.tolist(), refused.tolist()) == ([True, False, False, False], [1])
    moving, refused = split(allowed, None)
    assert (moving.tolist(), refused.tolist()) == (allowed.tolist(), [1, 3])
    assert split(np.ones(2, bool), None)[1] is None
