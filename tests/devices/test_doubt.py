import pytest

import blox_env
from blox_env.devices.doubt import doubt


@pytest.mark.parametrize(
    ("error", "spearman", "doubted"),
    [(0.09, 0.95, False), (0.156, 0.95, True), (0.05, 0.53, True), (0.05, float("nan"), True)],
)
def test_poor_predictions_are_doubted(error, spearman, doubted):
    held = {"mape": error, "spearman": spearman}
    sentence = doubt({"name": "pi4", "measured": 12, "predictor": {"held_out": held}})
    assert (sentence is not None) == doubted
    if sentence:
        assert f"off by {error:.1%} with Spearman {spearman:.2f}, from 12 measured" in sentence


def test_nothing_predicted_nothing_doubted():
    assert doubt({}) is None
    assert all(doubt(blox_env.load_device(name).card) is None for name in blox_env.list_devices())
