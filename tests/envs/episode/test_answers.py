import numpy as np
import pytest

from blox_env import (
    BloxEditEnv,
    BloxEditVectorEnv,
    BloxEnv,
    BloxVectorEnv,
    MOBloxEnv,
    MOBloxVectorEnv,
    Problem,
    SearchSpace,
)
from tests.toys import ToyBenchmark, ToyDevice, huge_space

SPACE = SearchSpace((4, 3, 2))


class Opposed(ToyDevice):
    """What is accurate is slow."""

    def latency_ms(self, x):
        return 10.0 - super().latency_ms(x)


def toys(space=SPACE):
    return {"benchmark": ToyBenchmark(space), "device": Opposed(space)}


@pytest.mark.parametrize(
    "kind", [BloxEnv, BloxVectorEnv, BloxEditEnv, BloxEditVectorEnv, MOBloxEnv, MOBloxVectorEnv]
)
def test_front_and_set_are_those_of_the_problem(kind):
    env = kind(**toys())
    rows, values = Problem(**toys(), objectives=("val_acc", "latency_ms")).pareto_front()
    returns = (values * (1, -1)).astype(np.float32)
    np.testing.assert_array_equal(env.pareto_front(), returns)
    np.testing.assert_array_equal(env.pareto_set(), rows)
    discount = 1 if kind in (BloxEditEnv, BloxEditVectorEnv) else 0.5**2
    np.testing.assert_array_equal(env.pareto_front(0.5), returns * discount)


def test_an_environment_has_the_front_within_its_budget():
    budget = 7.93
    env = BloxEnv(**toys(), latency_budget_ms=budget)
    problem = Problem(**toys(), objectives=("val_acc", "latency_ms"))
    rows, _ = problem.pareto_front(latency_budget_ms=budget)
    np.testing.assert_array_equal(env.pareto_set(), rows)
    assert len(rows) < len(problem.pareto_front()[0])
    assert (problem.peek(env.pareto_set()).latency_ms <= budget).all()


def test_the_front_of_one_objective_is_one_point():
    env = BloxEnv(ToyBenchmark(SPACE), device=None)
    best = env.problem.peek(SPACE.all()).val_acc.max()
    assert [point.tolist() for point in env.pareto_front()] == [[np.float32(best)]]


def test_rewards_that_rounding_makes_equal_are_one_point():
    class Close(ToyDevice):
        def latency_ms(self, x):
            return 2.0 + 1e-9 * self.space.check(x).sum(axis=1)

    class Rising(ToyBenchmark):
        def evaluate(self, x, **arguments):
            value = super().evaluate(x, **arguments)
            value.val_acc[:] = 0.5 + 1e-9 * self.space.check(x).sum(axis=1)
            return value

    env = MOBloxEnv(benchmark=Rising(SPACE), device=Close(SPACE))
    assert len(env.pareto_front()) == len(env.pareto_set()) == 1


def test_where_there_is_no_one_front():
    second = ToyDevice()
    second.name = "second"
    env = BloxEnv(ToyBenchmark(), goal="device", goals=[ToyDevice(), second])
    with pytest.raises(ValueError, match="a front of its own"):
        env.pareto_front()
    with pytest.raises(ValueError, match="too large"):
        BloxVectorEnv(2, **toys(huge_space())).pareto_set()
