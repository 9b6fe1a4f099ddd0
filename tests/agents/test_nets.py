"""The gradient of the small networks against differences."""

import numpy as np
import pytest

optimize = pytest.importorskip("scipy.optimize")

from blox_env.agents._nets import Nets


def test_training_finds_a_minimum_of_the_loss():
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(40, 3)), rng.normal(size=40)
    nets = Nets(3, 4, 2, 0.1, rng)

    def loss(output):
        error = output - target
        return float((error**2).sum() / 2), error

    def whole(theta):
        nets.theta = theta
        return loss(nets(x))[0] + 0.1 * float(theta @ theta) / 2

    before = whole(nets.theta)
    nets.fit(x, loss, 500)
    found = nets.theta.copy()
    after = whole(found)
    slope = optimize.approx_fprime(found, whole, 1e-6)
    assert after < before
    assert np.abs(slope).max() < 0.02 * before


def test_networks_side_by_side_are_those_alone():
    rng = np.random.default_rng(1)
    nets = Nets(2, 3, 4, 0.0, rng)
    x = rng.normal(size=(5, 2))
    hidden, bias, out, linear, shift = nets._parts(nets.theta)
    one = np.tanh(x @ hidden[2] + bias[2]) @ out[2] + x @ linear[2] + shift[2]
    np.testing.assert_allclose(nets(x)[2], one[:, 0])
