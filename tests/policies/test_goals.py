"""Targets and devices as columns of observations, and as inputs."""

import numpy as np
import pytest

from blox_env.policies.goals import Place, Probes, made


def test_a_place_is_hat_functions_that_add_up_to_one():
    goal = Place(2.0, 4.0, 5)
    shown = goal.shown(np.array([2.0, 2.25, 3.0, 4.0]), None)
    np.testing.assert_allclose(shown[:, 0], [0, 0.125, 0.5, 1])
    inputs = goal.inputs(shown)
    np.testing.assert_allclose(inputs.sum(axis=1), 1)
    np.testing.assert_allclose(inputs[1], [0.5, 0.5, 0, 0, 0])
    assert inputs[3].argmax() == 4


def test_targets_beyond_the_range_are_at_its_end():
    goal = Place(2.0, 4.0, 5)
    np.testing.assert_array_equal(goal.shown(np.array([0.1, 9.0]), None)[:, 0], [0, 1])


def test_probes_depend_on_the_ratio_of_latency_and_target_alone():
    goal = Probes(np.zeros((3, 3), dtype=np.int64), 2.0)
    latency = np.array([[1.0, 2.0, 4.0]])
    one = goal.shown(np.array([2.0]), latency)
    np.testing.assert_allclose(one, [[1 / 3, 0.5, 2 / 3]], rtol=1e-6)
    np.testing.assert_allclose(goal.shown(np.array([20.0]), 10 * latency), one, rtol=1e-6)
    np.testing.assert_allclose(goal.inputs(one), 2 * np.log([[0.5, 1, 2]]), atol=1e-5)
    np.testing.assert_array_equal(goal.unit_ms(np.array([7.0])), [7.0])


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"kind": "latency_target", "low_ms": 1, "high_ms": 2, "knots": 3}, Place),
        ({"kind": "device", "probes": 2, "scale": 1.0}, Probes),
    ],
)
def test_the_goal_of_a_card(settings, kind):
    assert isinstance(made(settings, np.zeros((2, 3), dtype=np.int64)), kind)
