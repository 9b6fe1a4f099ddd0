"""The contract checks find what breaks the contract."""

import numpy as np
import pytest

from blox_env import Problem, SearchSpace
from blox_env.agents.random_search import RandomSearch
from blox_env.testing import check_agent, check_benchmark, check_device
from tests.toys import ToyBenchmark, ToyDevice

SPACE = SearchSpace((4, 3, 5))


def test_toys_keep_the_contract():
    check_benchmark(ToyBenchmark(SPACE))
    check_device(ToyDevice(SPACE))


class Percent(ToyBenchmark):
    def evaluate(self, x, **arguments):
        found = super().evaluate(x, **arguments)
        object.__setattr__(found, "val_acc", 100 * found.val_acc)
        return found


class Forgets(ToyDevice):
    def latency_ms(self, x):
        return super().latency_ms(x) * np.random.default_rng().uniform(0.9, 1.1)


class Negative(ToyDevice):
    def latency_ms(self, x):
        return -super().latency_ms(x)


class Unseeded(RandomSearch):
    def start(self, problem, rng):
        super().start(problem, np.random.default_rng())


@pytest.mark.parametrize(
    "check",
    [
        lambda: check_benchmark(Percent(SPACE)),
        lambda: check_device(Forgets(SPACE)),
        lambda: check_device(Negative(SPACE)),
        lambda: check_agent(Unseeded(), lambda: Problem(ToyBenchmark(), None, budget=10)),
    ],
    ids=["percent", "forgets", "negative", "unseeded"],
)
def test_what_breaks_it_is_found(check):
    with pytest.raises(AssertionError):
        check()
