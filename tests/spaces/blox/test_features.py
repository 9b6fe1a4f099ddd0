import numpy as np

from blox_env import BloxSpace

SPACE = BloxSpace()


def test_depth_features_by_hand():
    # mbconv(conv(x)+x)+conv(x) | conv(conv(x)) | bconv(x)
    row = SPACE.from_arch_vec([[[0], [1, 1, 1, 1]], [[0], [0, 1, 0, 0]], [[0], [2, 0, 1, 0]]])
    expected = [4, 0, 3, 1, 1, 0, 8, 8, 1, 2, 0, 0, 0, 0, 1, 0, 0, 1]
    sums = [12, 8, 5, 3, 1, 1]
    assert SPACE.features(row, "depth")[0].tolist() == expected + sums


def test_paths_by_hand():
    # mbconv(conv(x)+x)+conv(x) | conv(conv(x)) | bconv(x)
    row = SPACE.from_arch_vec([[[0], [1, 1, 1, 1]], [[0], [0, 1, 0, 0]], [[0], [2, 0, 1, 0]]])
    found = SPACE.features(row, "path").reshape(3, 12)
    assert found[:, :3].tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 1]]
    assert [np.argwhere(each.reshape(3, 3)).tolist() for each in found[:, 3:]] == [
        [[0, 1]], [[0, 0]], []
    ]  # fmt: skip


def test_blocks_that_share_their_paths_apply_one_operation_twice():
    (table, *_) = SPACE.feature_tables("path")
    _, place, count = np.unique(table, axis=0, return_inverse=True, return_counts=True)
    shared = np.flatnonzero(count[place] > 1)
    assert len(count) == 36
    assert all(len(set(SPACE.blocks[i].operations)) == 1 for i in shared)
