import numpy as np
import pytest
from scipy.stats import spearmanr

from blox_env import BloxSpace
from blox_env.networks.predictors import SecondOrder, SignatureSum
from tests.toys import toy_blocks

pytestmark = pytest.mark.extra
SIGNATURES = toy_blocks()[0].signatures
X = BloxSpace().sample(np.random.default_rng(0), 300)


def test_the_sum_is_scaled_to_accuracies():
    model = SignatureSum(SIGNATURES)
    y = 0.6 - 0.05 * SIGNATURES.of(X).sum(axis=1)
    model.fit(X[:5], y[:5])
    np.testing.assert_allclose(model.predict(X), y)
    model.fit(X[:50], 1 - y[:50])  # of the wrong sign: all alike
    assert np.ptp(model.predict(X)) == 0
    accuracies = SignatureSum(SIGNATURES, "swap_acc")
    y = SIGNATURES.of(X, "swap_acc").sum(axis=1) / 4
    accuracies.fit(X[:9], y[:9])
    np.testing.assert_allclose(accuracies.predict(X), y)


def test_second_order_terms_are_learned():
    s = SIGNATURES.of(X)
    y = 0.5 - 0.02 * s[:, 0] + 0.01 * s[:, 1] * s[:, 2] - 0.01 * s[:, 2] ** 2
    model, linear = SecondOrder(SIGNATURES), SignatureSum(SIGNATURES)
    for each in (model, linear):
        each.fit(X[:100], y[:100])
    error = [np.abs(each.predict(X[100:]) - y[100:]).mean() for each in (model, linear)]
    assert error[0] < 0.01 * y.std() + 1e-4 < error[1]


def test_the_graph_network_needs_no_signatures_where_operations_tell_all():
    from blox_env.networks.blockwise.graph import GraphPredictor

    counts = BloxSpace().features(X, "counts").reshape(len(X), 3, 3).sum(axis=1)
    y = counts @ np.array([0.01, 0.03, -0.01])
    with_, without = GraphPredictor(SIGNATURES, steps=150), GraphPredictor(steps=150)
    found = []
    for model in (with_, without):
        model.fit(X[:150], y[:150])
        found.append(model.predict(X[150:]))
        assert spearmanr(found[-1], y[150:]).statistic > 0.8
    assert not np.array_equal(*found)
    again = GraphPredictor(steps=150)
    again.fit(X[:150], y[:150])
    np.testing.assert_array_equal(again.predict(X[150:]), found[1])
