"""The controller's distribution, and the moving average of rewards."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from blox_env.agents.reinforce import Reinforce, _controller


def test_log_probabilities_are_those_of_the_samples():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        controller = _controller((3, 2), 8)
        rows, log_probability, entropy = controller(4000)
    keys = rows @ np.array([2, 1])
    for key in range(6):
        chosen = keys == key
        expected = float(log_probability[np.flatnonzero(chosen)[0]].detach().exp())
        assert chosen.mean() == pytest.approx(expected, abs=0.03)
    assert float(entropy.detach().mean()) <= np.log(6) + 1e-5


def test_the_baseline_follows_slowly():
    agent = Reinforce(baseline=0.9)
    mean, deviation = agent._follow(None, 0.0, np.array([1.0, 3.0]))
    assert (mean, deviation) == (2.0, 1.0)
    mean, deviation = agent._follow(mean, deviation, np.array([4.0]))
    assert mean == pytest.approx(2.2)
    assert deviation == pytest.approx(0.9 * 1.0 + 0.1 * 1.8)
