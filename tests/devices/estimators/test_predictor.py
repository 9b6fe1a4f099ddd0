"""Predicting latency: ranks are recovered, held-out errors are held out."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import ArrayLike

from blox_env.devices.estimators import predictor
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.base import SearchSpace
from blox_env.spaces.blox import BloxSpace

pytestmark = pytest.mark.extra
SPACE = BloxSpace()


def synthetic(rows: IntArray, noise: float = 0.0) -> FloatArray:
    """Costs of operations per stage, a cost of each connection, a little interaction."""
    cost = np.array([0.2, 0.4, 0.5, 0.15, 0.3, 0.4, 0.1, 0.25, 0.3])
    ops = SPACE.features(rows, "ops")
    latency = (
        1.5
        + SPACE.features(rows, "counts") @ cost
        + 0.03 * ops[:, [7, 8, 9, 17, 18, 19]].sum(axis=1)
    )
    latency += 0.05 * (rows[:, 0] == rows[:, 1])
    rng = np.random.default_rng(1)
    return np.asarray(latency * np.exp(noise * rng.normal(size=len(rows))))


@pytest.mark.parametrize("name", ["ridge-counts", "ridge-parts", "boosted-ridge"])
def test_ranks_are_recovered(name: str) -> None:
    rows = SPACE.sample(np.random.default_rng(0), 150)
    latency = synthetic(rows, noise=0.005)
    held_out = predictor.cross_validate(SPACE, rows, latency, name, folds=5)
    found = predictor.scores(latency, held_out)
    assert found.spearman > 0.95
    assert found.mape < 0.03


def test_gaussian_process_on_a_small_space() -> None:
    space = SearchSpace((4, 4, 4))
    rows = space.all()[::2]
    latency = 2.0 + rows @ np.array([0.3, 0.2, 0.1])
    held_out = predictor.cross_validate(space, rows, latency, "gaussian-process", folds=3)
    assert predictor.scores(latency, held_out).spearman > 0.95


def test_the_whole_space_is_predicted() -> None:
    rows = SPACE.sample(np.random.default_rng(0), 200)
    predicted = predictor.predict_space(SPACE, rows, synthetic(rows), "ridge-parts")
    assert predicted.shape == (91125,)
    assert predictor.scores(synthetic(SPACE.all()), predicted).spearman > 0.98


def test_choosing_compares_all() -> None:
    few = {k: v for k, v in predictor.CANDIDATES.items() if k.startswith("ridge")}
    rows = SPACE.sample(np.random.default_rng(0), 120)
    name, table = predictor.choose(SPACE, rows, synthetic(rows), candidates=few, folds=4)
    assert set(table) == set(few)
    assert table[name].mape == min(s.mape for s in table.values())


def test_held_out_networks_are_not_seen() -> None:
    rows = SPACE.sample(np.random.default_rng(0), 60)
    latency = np.random.default_rng(1).uniform(2, 4, size=60)  # nothing to learn
    held_out = predictor.cross_validate(SPACE, rows, latency, "ridge-parts")
    assert abs(predictor.scores(latency, held_out).spearman) < 0.5


def test_scores_of_known_arrays() -> None:
    same = predictor.scores([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert (same.mape, same.spearman, same.kendall, same.r2) == pytest.approx((0, 1, 1, 1))
    off = predictor.scores([1.0, 2.0], [1.1, 2.2])
    assert off.mape == pytest.approx(0.1)


def test_errors_say_what_is_wrong() -> None:
    rows = SPACE.sample(np.random.default_rng(0), 10)
    with pytest.raises(ValueError, match="did you mean 'ridge-parts'"):
        predictor.predict_space(SPACE, rows, np.ones(10), "ridge-part")
    with pytest.raises(ValueError, match=r"shape \(10,\), got \(9,\)"):
        predictor.predict_space(SPACE, rows, np.ones(9), "ridge-parts")
    with pytest.raises(ValueError, match="finite and above 0"):
        predictor.predict_space(SPACE, rows, np.zeros(10), "ridge-parts")
    with pytest.raises(ValueError, match="folds must be at most"):
        predictor.cross_validate(SPACE, rows, np.ones(10), "ridge-parts", folds=11)


def test_of_equally_good_predictors_the_one_that_tells_networks_apart_is_taken() -> None:
    space, rng = BloxSpace(), np.random.default_rng(3)
    rows = space.sample(rng, 120)

    def coarse(space: SearchSpace, x: ArrayLike) -> FloatArray:
        return predictor.counts(space, x)[:, :6]

    def fine(space: SearchSpace, x: ArrayLike) -> FloatArray:
        return np.concatenate([coarse(space, x), 1e-6 * space.features(x)], axis=1)

    def useless(space: SearchSpace, x: ArrayLike) -> FloatArray:
        return space.features(x)[:, :1]

    truth = 2 + coarse(space, rows) @ np.linspace(0.1, 0.4, 6)
    latency = truth * np.exp(0.01 * rng.normal(size=120))
    candidates = {
        name: predictor.Candidate(features, predictor._Ridge, name)
        for name, features in (("coarse", coarse), ("fine", fine), ("useless", useless))
    }
    name, found = predictor.choose(space, rows, latency, candidates=candidates)
    assert name == "fine"
    assert found["coarse"].mape == pytest.approx(found["fine"].mape, rel=1e-3)
    assert found["useless"].mape > 2 * found["coarse"].mape
