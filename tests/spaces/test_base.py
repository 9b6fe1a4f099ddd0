import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blox_env.spaces import (
    BloxSpace,
    BloxXLSpace,
    DartsSpace,
    MacroBenchSpace,
    NatsTopologySpace,
    SearchSpace,
)

OPTIONS = st.lists(st.integers(1, 6), min_size=1, max_size=5).map(tuple)


@given(options=OPTIONS, seed=st.integers(0, 2**32))
def test_index_and_back(options, seed):
    space = SearchSpace(options)
    x = space.sample(np.random.default_rng(seed), 20)
    number = space.index(x)
    assert number.min() >= 0
    assert number.max() < space.size
    np.testing.assert_array_equal(space.from_index(number), x)


@given(options=OPTIONS)
def test_all_lists_every_architecture_once(options):
    space = SearchSpace(options)
    every = space.all()
    assert len(every) == space.size == len(np.unique(every, axis=0))
    np.testing.assert_array_equal(space.index(every), np.arange(space.size))


@given(options=OPTIONS, seed=st.integers(0, 2**32))
def test_neighbors_are_all_at_distance_one(options, seed):
    space = SearchSpace(options)
    x = space.sample(np.random.default_rng(seed), 3)
    near = space.neighbors(x)
    assert near.shape == (3, sum(n - 1 for n in options), len(options))
    assert ((near != x[:, None]).sum(axis=2) == 1).all()
    for row in near:
        assert len(np.unique(row, axis=0)) == len(row)
        space.check(row)


def test_sampling_is_uniform():
    space = SearchSpace((2, 3))
    counts = np.bincount(space.index(space.sample(np.random.default_rng(0), 60_000)), minlength=6)
    assert ((counts - 10_000) ** 2 / 10_000).sum() < 20.5  # chi², 5 degrees: p > 0.001


def test_space_that_cannot_be_enumerated():
    space = SearchSpace((45,) * 12)
    assert space.size == 45**12
    x = space.sample(np.random.default_rng(0), 4)
    assert space.neighbors(x).shape == (4, 44 * 12, 12)
    assert space.features(x).sum() == 48
    with pytest.raises(ValueError, match="too many for an integer index"):
        space.index(x)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        ([[0, 45, 0]], ValueError, r"row 0, slot 1: expected an option in 0 … 44, got 45"),
        ([[0, 0, 0], [0, 0, -1]], ValueError, r"row 1, slot 2"),
        ([[0, 0]], ValueError, r"shape \(n, 3\), got shape \(1, 2\)"),
        ([[0.0, 1.0, 2.0]], TypeError, "integer array"),
        ([["a", "b", "c"]], TypeError, "integer array"),
    ],
)
def test_bad_architectures(x, error, message):
    with pytest.raises(error, match=message):
        BloxSpace().check(x)


@pytest.mark.parametrize("kind", ["onehot", "ops"])
def test_features_tell_architectures_apart(kind):
    space = BloxSpace()
    blocks = space.features(np.arange(45)[:, None].repeat(3, axis=1), kind)
    assert len(np.unique(blocks, axis=0)) == 45


def test_unknown_features_name_a_near_miss():
    with pytest.raises(ValueError, match="did you mean 'onehot'"):
        BloxSpace().features([[0, 0, 0]], "one-hot")


def test_spaces_compare_by_what_they_are():
    assert BloxSpace() == BloxSpace()
    assert BloxSpace() != SearchSpace((45, 45, 45))
    assert hash(BloxSpace()) == hash(BloxSpace())


@pytest.mark.parametrize(
    "space",
    [BloxSpace(), BloxXLSpace(), DartsSpace(), MacroBenchSpace(), NatsTopologySpace()],
    ids=lambda space: space.name,
)
def test_features_of_no_architecture_are_an_empty_array(space):
    none, one = (np.zeros((n, space.slots), dtype=np.int64) for n in (0, 1))
    for kind in space.feature_kinds():
        assert space.features(none, kind).shape == (0, *space.features(one, kind).shape[1:])
