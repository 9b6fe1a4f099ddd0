from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blox_env import BloxEnv
from blox_env.problem.reward import REWARDS, excess, load_reward, parameters

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


TARGETS = st.floats(0.5, 20.0)


@given(acc=ACC, latency=LATENCY, target=TARGETS)
def test_below_the_target(acc, latency, target):
    """What each paper says of what is faster than it has to be."""
    latency = min(latency, 0.99 * target)
    for name in ("mnasnet-hard", "constraint", "accuracy"):
        assert value(name, acc, latency, target) == acc
    assert value("mnasnet", acc, latency, target) > acc
    assert value("tunas", acc, latency, target) < acc
    assert value("linear", acc, latency, target) > acc - 0.07


@given(acc=ACC, latency=LATENCY, target=TARGETS)
def test_above_the_target(acc, latency, target):
    latency = max(latency, 1.01 * target)
    for name in ("mnasnet", "mnasnet-hard", "tunas", "constraint"):
        assert value(name, acc, latency, target) < acc
    hard = value("mnasnet-hard", acc, latency, target)
    assert hard < value("mnasnet", acc, latency, target)
    assert hard * latency == pytest.approx(acc * target)
    assert value("constraint", acc, latency, target) < 0


@given(latency=LATENCY, target=TARGETS)
def test_any_feasible_one_beats_any_infeasible_one(latency, target):
    worst = value("constraint", 0.0, min(latency, target), target)
    assert worst > value("constraint", 1.0, max(latency, target * 1.001), target)


@given(latency=LATENCY, other=LATENCY, acc=ACC, target=TARGETS)
def test_the_target_of_the_soft_formula_changes_no_ranking(latency, other, acc, target):
    """It is a factor of every reward, as the docstring says."""
    ratio = [
        value("mnasnet", acc, latency, t) / value("mnasnet", 0.5, other, t) for t in (1.0, target)
    ]
    assert ratio[0] == pytest.approx(ratio[1])


@given(target=TARGETS, factor=st.floats(0.0, 0.9), acc=ACC)
def test_tunas_is_symmetric_around_the_target(target, factor, acc):
    sides = [value("tunas", acc, target * (1 + s * factor), target) for s in (-1, 1)]
    assert sides[0] == pytest.approx(sides[1])


def test_the_sum_misses_a_dent_that_chebyshev_reaches():
    """Of three points, none dominated, the middle one lies in a dent of the front."""
    acc, latency = np.array([0.6, 0.7, 0.9]), np.array([1.0, 1.7, 2.0])
    weights = np.linspace(0.01, 2, 400)
    best = {
        name: {int(np.argmax(REWARDS[name](acc, latency, 1.0, weight=w))) for w in weights}
        for name in ("linear", "chebyshev")
    }
    assert best == {"linear": {0, 2}, "chebyshev": {0, 1, 2}}


def test_excess():
    np.testing.assert_allclose(excess(np.array([1.0, 2.0, 3.0]), 2.0), [0, 0, 0.5])
    np.testing.assert_allclose(excess(np.array([3.0, 3.0]), np.array([2.0, 4.0])), [0.5, 0])


def test_parameters_in_brackets():
    name, function = load_reward("mnasnet( exponent = -0.15 )")
    assert name == "mnasnet(exponent=-0.15)"
    assert function(np.array([0.8]), np.array([6.0]), 3.0) == pytest.approx(0.8 * 2**-0.15)
    assert load_reward(name) == (name, function)
    assert load_reward("tunas()") == ("tunas", REWARDS["tunas"])
    own = partial(REWARDS["tunas"], beta=-0.2)
    assert load_reward(own) == ("tunas(beta=-0.2)", own)
    assert parameters("chebyshev") == {"weight": 0.5}
    env = BloxEnv(reward="tunas(beta=-0.1)")
    assert env.problem.reward_name == "tunas(beta=-0.1)"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mnas", "unknown reward 'mnas'"),
        ("mnas(exponent=1)", "unknown reward 'mnas'"),
        ("mnasnet(beta=1)", "takes exponent, got 'beta=1'"),
        ("accuracy(beta=1)", "takes no parameter, got 'beta=1'"),
        ("mnasnet(exponent=much)", "must be a number, got 'much'"),
        ("mnasnet(exponent)", "must be a number, got ''"),
        ("mnasnet(exponent=nan)", "must be a number, got 'nan'"),
    ],
)
def test_bad_names_and_parameters(name, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011 (the message follows)
        load_reward(name)
    assert message in str(error.value)
