from __future__ import annotations

import numpy as np
import pytest

from blox_env.devices.build import tabulate
from blox_env.devices.values import combine, deciles, retest_scores, shrink
from tests.devices.test_build import visits_of


@pytest.mark.extra
def test_drift_is_removed_where_that_helps() -> None:
    rng = np.random.default_rng(0)
    n, rounds = 200, 6
    truth = rng.uniform(2, 4, size=n)
    order = np.array([rng.permutation(n) for _ in range(rounds)])
    times = truth * np.exp(0.01 * rng.normal(size=(rounds, n)))
    slow = np.exp(0.1 * rng.normal(size=(rounds, n // 40)))
    for r in range(rounds):
        times[r, order[r]] *= np.repeat(slow[r], 40)
    plan = {"architectures": list(range(n)), "protocol": {"rounds": rounds}}
    _, table, positions = tabulate(plan, visits_of(times, order))
    retests = retest_scores(table, positions)
    assert retests["median, drift over 15"].mape < retests["median"].mape / 2
    logs = np.log(table[:, :, 0])
    kept, removed = (combine(logs, positions, w) - np.log(truth) for w in (0, 15))
    assert removed.std() < kept.std() / 2


def test_shrinking_brings_noisy_values_nearer_to_the_truth() -> None:
    rng = np.random.default_rng(1)
    truth = rng.uniform(2, 4, size=500)
    predicted = truth * np.exp(0.02 * rng.normal(size=500))
    measured = truth * np.exp(0.03 * rng.normal(size=500))
    value, kept = shrink(measured, predicted, 0.03**2)
    assert kept == pytest.approx(0.02**2 / (0.02**2 + 0.03**2), abs=0.06)
    errors = [np.abs(v / truth - 1).mean() for v in (value, measured, predicted)]
    assert errors[0] < 0.95 * min(errors[1:])


def test_values_without_noise_stay_and_noise_alone_goes() -> None:
    measured, predicted = np.array([2.0, 3.0]), np.array([2.2, 2.9])
    value, kept = shrink(measured, predicted, 0.0)
    assert kept == 1
    np.testing.assert_allclose(value, measured)
    value, kept = shrink(measured, predicted, 1.0)
    assert kept == 0
    np.testing.assert_allclose(value, predicted)
    assert shrink(measured, measured, 0.1)[1] == 1  # nothing to move


def test_errors_by_tenths_are_those_of_the_fastest_first() -> None:
    truth = np.arange(1.0, 101.0)[::-1]
    found = deciles(truth, np.where(truth <= 10, 1.1 * truth, truth))
    assert len(found) == 10
    assert found[0] == pytest.approx({"ms": 5.5, "mape": 0.1, "bias": 0.1})
    assert all(each["mape"] == 0 for each in found[1:])
    assert len(deciles(np.array([1.0, 2.0]), np.array([1.0, 2.0]))) == 2
