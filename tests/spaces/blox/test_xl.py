import numpy as np
import pytest

from blox_env.spaces import BloxSpace, BloxXLSpace

SPACE = BloxXLSpace()
ROWS = SPACE.sample(np.random.default_rng(0), 20)


def test_no_table_can_hold_it():
    assert SPACE.size == 45**12
    assert not SPACE.enumerable
    with pytest.raises(ValueError, match="too many for an integer index"):
        SPACE.index(ROWS)
    assert SPACE.neighbors(ROWS[:2]).shape == (2, 12 * 44, 12)


@pytest.mark.parametrize("kind", SPACE.feature_kinds())
def test_features_are_those_of_blox_block_by_block(kind):
    features = SPACE.features(ROWS, kind)
    assert len(features) == 20
    if kind == "graph":
        layout = SPACE.graph()
        assert features.shape[1] == layout.nodes**2 + layout.nodes
        labels = features[:, layout.nodes**2 :]
        reductions = labels == layout.labels.index("reduction")
        joins = labels == layout.labels.index("join")
        assert (reductions.sum(axis=1) == 3).all()
        assert (joins.sum(axis=1) == 9).all()
        return
    blox = BloxSpace()
    width = len(blox.feature_tables(kind)[0][0])
    for stage in range(3):  # the first block of each stage
        own = features[:, 4 * stage * width : (4 * stage + 1) * width]
        row = np.repeat(ROWS[:, 4 * stage, None], 3, axis=1)
        np.testing.assert_array_equal(own, blox.features(row, kind)[:, :width])


def test_one_block_a_stage_is_blox():
    from blox_env.spaces.blox.stages import BlockSpace

    same, blox = BlockSpace(1, "blox"), BloxSpace()
    rows = blox.sample(np.random.default_rng(1), 200)
    for name in blox.sizes:
        np.testing.assert_array_equal(same.size_of(name, rows), blox.size_of(name, rows))
    for kind in blox.feature_kinds():
        np.testing.assert_array_equal(same.features(rows, kind), blox.features(rows, kind))


def test_in_words():
    words = SPACE.describe([0] * 12)
    assert words.count(">") == 9
    assert words.count("|") == 2
    assert repr(SPACE) == "BloxXLSpace()"
