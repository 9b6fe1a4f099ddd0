from blox_env import BloxSpace

SPACE = BloxSpace()


def test_depth_features_by_hand():
    # mbconv(conv(x)+x)+conv(x) | conv(conv(x)) | bconv(x)
    row = SPACE.from_arch_vec([[[0], [1, 1, 1, 1]], [[0], [0, 1, 0, 0]], [[0], [2, 0, 1, 0]]])
    expected = [4, 0, 3, 1, 1, 0, 8, 8, 1, 2, 0, 0, 0, 0, 1, 0, 0, 1]
    sums = [12, 8, 5, 3, 1, 1]
    assert SPACE.features(row, "depth")[0].tolist() == expected + sums
