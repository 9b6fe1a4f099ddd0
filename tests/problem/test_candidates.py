"""Architectures that a search may propose: drawn, walked and moved to without listing the space."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blox_env import SearchSpace
from blox_env.problem.candidates import Candidates, common
from tests.toys import huge_space

SPACE = SearchSpace((3, 4, 2))


def lists(space, least=1):
    row = st.tuples(*(st.integers(0, count - 1) for count in space.options))
    return st.lists(row, min_size=least, max_size=12)


def apart(one, other):
    return sum(a != b for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("space", [SPACE, huge_space()])
def test_they_equal_a_plain_list(space):
    @given(lists(space), lists(space), st.integers(0, 9))
    def check(rows, asked, seed):
        found, plain = Candidates(space, rows), set(rows)
        assert found.count == len(plain)
        assert set(map(tuple, found.all().tolist())) == plain
        x = np.array(asked)
        assert found.contains(x).tolist() == [tuple(row) in plain for row in x.tolist()]
        places = found.place(found.all())
        assert places.tolist() == list(range(found.count))
        drawn = found.sample(np.random.default_rng(seed), 5)
        assert set(map(tuple, drawn.tolist())) <= plain
        around = set(map(tuple, found.neighbors(x[0]).tolist()))
        assert around == {row for row in plain if apart(row, asked[0]) == 1}
        moved = found.nearest(x, np.random.default_rng(seed))
        for before, after in zip(asked, map(tuple, moved.tolist()), strict=True):
            assert apart(after, before) == min(apart(row, before) for row in plain)

    check()


def test_fresh_ones_are_preferred_and_what_is_one_stays():
    found = Candidates(SPACE, [[0, 0, 0], [2, 3, 1]])
    rng = np.random.default_rng(0)
    moved = found.nearest(np.array([[0, 0, 1], [0, 0, 0]]), rng, np.array([False, True]))
    assert moved.tolist() == [[2, 3, 1], [0, 0, 0]]
    assert found.nearest(np.array([[0, 0, 1]]), rng, np.zeros(2, bool)).tolist() == [[0, 0, 0]]


def test_a_whole_space_draws_as_the_space_does_and_moves_nothing():
    whole, rng = Candidates(SPACE), np.random.default_rng(3)
    np.testing.assert_array_equal(
        whole.sample(np.random.default_rng(3), 9), SPACE.sample(np.random.default_rng(3), 9)
    )
    before = rng.bit_generator.state
    x = SPACE.all()
    assert whole.nearest(x, rng) is x
    assert rng.bit_generator.state == before
    assert whole.contains(x).all()
    np.testing.assert_array_equal(whole.all(), x)
    assert Candidates(huge_space()).count == huge_space().size


def test_they_say_how_many_they_are_and_are_shared_by_copies():
    found = Candidates(SPACE, [[0, 0, 0]] * 2 + [[1, 1, 1], [2, 0, 1]])
    assert str(found) == "3 of 24 architectures are known (12.5 %)"
    assert copy.deepcopy(found) is found
    with pytest.raises(ValueError, match=r"no architecture of .* is known"):
        Candidates(SPACE, np.zeros((0, 3), dtype=int))


def test_what_several_know():
    first, second = [[0, 0, 0], [1, 1, 1]], [[1, 1, 1], [2, 2, 1]]
    assert common(SPACE, None, None) is None
    assert common(SPACE, first, None).tolist() == first
    assert common(SPACE, first, second).tolist() == [[1, 1, 1]]
    with pytest.raises(ValueError, match="benchmark and device have none in common"):
        common(SPACE, first, [[2, 2, 1]])
