import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blox_env.reward import REWARDS, load_reward

ACC = st.floats(0.05, 1.0)
LATENCY = st.floats(0.1, 100.0)


def value(name, acc, latency, target=3.0):
    return float(REWARDS[name](np.array([acc]), np.array([latency]), target)[0])


@pytest.mark.parametrize("name", sorted(REWARDS))
@given(acc=ACC, latency=LATENCY)
def test_more_accuracy_is_never_worse(name, acc, latency):
    assert value(name, min(1.0, acc + 0.01), latency) >= value(name, acc, latency)


@pytest.mark.parametrize("name", sorted(set(REWARDS) - {"tunas"}))
@given(acc=ACC, latency=LATENCY)
def test_less_latency_is_never_worse(name, acc, latency):
    assert value(name, acc, latency * 0.9) >= value(name, acc, latency) - 1e-12


@pytest.mark.parametrize("name", ["accuracy", "mnasnet", "mnasnet-hard", "tunas", "constraint"])
def test_on_target_the_reward_is_the_accuracy(name):
    assert value(name, 0.7, 3.0) == pytest.approx(0.7)


def test_worked_values():
    assert value("mnasnet", 0.8, 6.0) == pytest.approx(0.8 * 2**-0.07)
    assert value("mnasnet-hard", 0.8, 6.0) == pytest.approx(0.4)
    assert value("mnasnet-hard", 0.8, 1.0) == 0.8
    assert value("tunas", 0.8, 1.5) == pytest.approx(0.8 - 0.035)
    assert value("linear", 0.8, 6.0) == pytest.approx(0.66)
    assert value("chebyshev", 0.8, 6.0) == -1.0
    assert value("constraint", 0.99, 3.3) == pytest.approx(-0.1)


def test_own_function():
    def mine(acc, latency, target):
        return acc - latency

    name, function = load_reward(mine)
    assert function is mine
    assert name.endswith("mine")
    assert ":" in name
