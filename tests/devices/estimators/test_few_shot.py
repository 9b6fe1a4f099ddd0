"""A device from few measurements: known devices help, and networks are chosen well."""

from __future__ import annotations

import numpy as np
import pytest

from blox_env.devices.base import Device, load_device
from blox_env.devices.embedded import MeasuredDevice
from blox_env.devices.estimators import few_shot, predictor
from blox_env.spaces.blox import BloxSpace
from blox_env.spaces.macro import MacroBenchSpace

pytest.importorskip("sklearn")
pytest.importorskip("scipy")

SPACE = BloxSpace()


def made_up(name: str, costs: list[float], power: float = 1.0) -> Device:
    """Latency from what conv, mbconv and bconv cost, the same in every stage."""
    everything = SPACE.features(SPACE.all(), "counts").reshape(-1, 3, 3).sum(axis=1)
    latency = (1 + everything @ np.array(costs)) ** power
    return MeasuredDevice(name, SPACE, latency, np.arange(10))


A, B = made_up("a", [1.0, 0.5, 2.0]), made_up("b", [0.4, 1.5, 1.0])


def test_a_device_like_the_known_ones_needs_few_measurements() -> None:
    truth = made_up("c", [0.8, 0.9, 1.6], power=1.2)
    candidate = few_shot.few_shot_candidates(SPACE, [A, B])["few-shot"]
    assert "a, b" in candidate.words
    rows = few_shot.choose_networks(SPACE, 20, [A, B], seed=0)
    others = SPACE.sample(np.random.default_rng(1), 500)

    def scores(used: predictor.Candidate) -> predictor.Scores:
        model = used.model()
        model.fit(used.features(SPACE, rows), truth.latency_ms(rows))
        predicted = model.predict(used.features(SPACE, others))
        return predictor.scores(truth.latency_ms(others), predicted)

    found, alone = scores(candidate), scores(predictor.CANDIDATES["ridge-parts"])
    copied = predictor.scores(truth.latency_ms(others), A.latency_ms(others))
    assert found.mape < alone.mape
    assert found.spearman > max(alone.spearman, copied.spearman, 0.99)


def test_chosen_networks_are_distinct_spread_and_repeatable() -> None:
    pool = SPACE.sample(np.random.default_rng(3), 300)
    rows = few_shot.choose_networks(SPACE, 30, [A, B], pool=pool)
    assert rows.shape == (30, 3)
    assert len(np.unique(rows, axis=0)) == 30
    assert set(map(tuple, rows.tolist())) <= set(map(tuple, pool.tolist()))
    assert np.array_equal(rows, few_shot.choose_networks(SPACE, 30, [A, B], pool=pool))
    assert np.array_equal(rows[:12], few_shot.choose_networks(SPACE, 12, [A, B], pool=pool))
    spread = np.ptp(np.log(A.latency_ms(rows)))
    assert spread > 0.9 * np.ptp(np.log(A.latency_ms(pool)))
    assert len(few_shot.choose_networks(SPACE, 5, [])) == 5


def test_without_known_devices_there_is_no_such_predictor() -> None:
    assert few_shot.few_shot_candidates(SPACE, []) == {}


def test_errors_name_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="n must be at most"):
        few_shot.choose_networks(SPACE, 4, [A], pool=[[0, 0, 0], [1, 1, 1]])
    with pytest.raises(ValueError, match=r"the space 'macrobench', got 'x86-ort-1t'"):
        few_shot.few_shot_candidates(MacroBenchSpace(), [load_device("x86-ort-1t")])
