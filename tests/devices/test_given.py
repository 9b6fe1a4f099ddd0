import numpy as np
import pytest

pytest.importorskip("sklearn")

import blox_env
from blox_env.devices.estimators import predictor
from blox_env.devices.given import build_given
from blox_env.spaces import BloxSpace, MacroBenchSpace
from blox_env.testing import check_device

SPACE = BloxSpace()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for name in ("ridge-parts", "boosted-ridge", "gaussian-process"):
        monkeypatch.delitem(predictor.CANDIDATES, name)


def test_measured_networks_keep_their_values_and_the_others_are_predicted(tmp_path):
    known = blox_env.load_device("x86-torch-1t")
    numbers = np.random.default_rng(0).permutation(SPACE.size)[:40]
    truth = 3 * known.latency_ms(SPACE.from_index(numbers))
    # each three times, the middle one being right
    rows, values = np.repeat(numbers, 3), (truth[:, None] * [0.99, 1.0, 1.02]).ravel()
    made = build_given("pi4", SPACE, rows, values, tmp_path, priors=[known])
    np.testing.assert_array_equal(made.latency_ms(SPACE.from_index(numbers)), truth)
    assert made.measured(SPACE.all()).sum() == 40
    others = np.setdiff1d(np.arange(SPACE.size), numbers)
    expected = 3 * known.latency_ms(SPACE.from_index(others))
    assert np.abs(made.latency_ms(SPACE.from_index(others)) / expected - 1).mean() < 0.01
    assert made.card["predictor"]["name"] == "few-shot"
    assert made.card["predictor"]["held_out"]["mape"] < 0.01
    assert made.card["noise"]["networks"] == 40
    assert 0 < made.card["noise"]["retest"]["mape"] < 0.03
    assert "Warning" not in (tmp_path / "CARD.md").read_text()
    again = blox_env.load_device(str(tmp_path))
    assert again.checksum() == made.checksum()
    check_device(again)


def test_a_poor_device_says_so(tmp_path):
    numbers = np.random.default_rng(1).permutation(SPACE.size)[:20]
    made = build_given(
        "odd", SPACE, numbers, np.random.default_rng(2).lognormal(1, 1, 20), tmp_path
    )
    assert made.card["predictor"]["held_out"]["spearman"] < 0.9
    assert (
        "**Warning:** the latencies that odd predicts are poor"
        in (tmp_path / "CARD.md").read_text()
    )
    assert (made.latency_ms(SPACE.all()) > 0).all()


def test_a_whole_space_needs_no_predictor(tmp_path):
    space = MacroBenchSpace()
    latency = 1.0 + space.all().sum(axis=1)
    build_given("board", space, np.arange(space.size), latency, tmp_path)
    made = blox_env.load_device(str(tmp_path))
    assert made.space == space
    np.testing.assert_array_equal(made.latency_ms(space.all()), latency)
    assert "predictor" not in made.card


def test_too_few_networks(tmp_path):
    with pytest.raises(ValueError, match="at least 5 architectures, got 2"):
        build_given("x", SPACE, np.array([1, 1, 2]), np.ones(3), tmp_path / "new")
    assert not (tmp_path / "new").exists()
