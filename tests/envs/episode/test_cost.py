"""The cost of a constraint; that vector environments agree is tested with all their infos."""

import pytest

from blox_env import BloxEnv, MOBloxEnv, Problem
from tests.envs.test_env import play
from tests.toys import ToyBenchmark, ToyDevice

COSTLY = {"reward": "constraint", "latency_target_ms": 3.0}


@pytest.mark.parametrize("make", [BloxEnv, MOBloxEnv])
def test_a_constraint_has_a_cost_at_every_step(make):
    env = make(benchmark=ToyBenchmark(), device=ToyDevice(), **COSTLY)
    costs = [step[4]["cost"] for step in play(env, [5, 17, 44])[1:]]
    latency = env.problem.device.latency_ms([[5, 17, 44]])[0]
    assert latency > 3.0
    assert costs == [0.0, 0.0, latency / 3.0 - 1]
    assert [type(cost) for cost in costs] == [float] * 3
    fast = play(env, [0, 0, 1])[-1]
    assert fast[4]["cost"] == 0.0
    if make is BloxEnv:
        assert fast[1] == fast[4]["val_acc"]
    assert "cost" not in env.reset()[1]  # nothing was done


def test_what_evaluates_nothing_costs_nothing():
    masked = BloxEnv(ToyBenchmark(), ToyDevice(), granularity="operation", **COSTLY)
    info = play(masked, [0, 1, 0])[-1][4]
    assert (info["invalid"], info["cost"]) == (True, 0.0)
    problem = Problem(ToyBenchmark(), ToyDevice(), "constraint", latency_target_ms=2.5, budget=1)
    env = BloxEnv(problem=problem)
    assert play(env, [44, 44, 44])[-1][4]["cost"] > 0
    info = play(env, [44, 44, 43])[-1][4]
    assert (info["budget_spent"], info["cost"]) == (True, 0.0)


def test_the_cost_follows_the_goal():
    env = BloxEnv(
        ToyBenchmark(), ToyDevice(), reward="constraint", goal="latency_target", goals=(2.0, 4.0)
    )
    for target in (2.0, 4.0):
        env.reset(options={"latency_target_ms": target})
        for action in (20, 20, 20):
            *_, info = env.step(action)
        assert info["cost"] == pytest.approx(max(0, info["latency_ms"] / target - 1))
    slow = ToyDevice()
    slow.name, slow.factor = "slow", 2.0
    env = BloxEnv(ToyBenchmark(), goal="device", goals=[ToyDevice(), slow], reward="constraint")
    costs = []
    for name in ("toy-device", "slow"):
        env.reset(options={"device": name})
        for action in (44, 44, 44):
            *_, info = env.step(action)
        costs.append(info["cost"])
    assert costs[0] == pytest.approx(costs[1])  # each against the median of its device
    assert costs[0] > 0


def test_other_rewards_have_no_cost():
    assert all(
        "cost" not in step[-1]
        for step in play(BloxEnv(ToyBenchmark(), ToyDevice(), reward="tunas"), [1, 2, 3])
    )
