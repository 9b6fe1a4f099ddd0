import numpy as np
import pytest

from blox_env import BloxEditVectorEnv, BloxVectorEnv
from tests.toys import ToyBenchmark, ToyDevice

GOAL = {"goal": "latency_target", "goals": (2.0, 3.0)}


@pytest.mark.parametrize(
    ("kind", "arguments", "steps"),
    [
        (BloxVectorEnv, {"granularity": "whole"}, 1),
        (BloxVectorEnv, {"granularity": "block"}, 3),
        (BloxEditVectorEnv, {}, 2),
    ],
)
def test_infos_are_the_users_to_change(kind, arguments, steps):
    toys = {"benchmark": ToyBenchmark(), "device": ToyDevice(), "autoreset_mode": "NextStep"}
    left, changed = (kind(3, **toys, **GOAL, **arguments) for _ in range(2))
    for env in (left, changed):
        env.reset(seed=1)
    left.action_space.seed(0)
    for _ in range(steps):
        actions = left.action_space.sample()
        left.step(actions)
        infos = changed.step(actions)[4]
    assert "latency_target_ms" in infos
    for values in infos.values():
        values[...] = np.zeros_like(values)
    again = {"seed": 2, "options": {"reset_mask": np.array([True, False, False])}}
    np.testing.assert_array_equal(changed.reset(**again)[0], left.reset(**again)[0])
