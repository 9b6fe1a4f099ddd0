"""A walk whose temperature falls over the budget."""

import numpy as np
import pytest

from blox_env import Problem, SearchSpace
from blox_env.agents.simulated_annealing import SimulatedAnnealing
from tests.toys import ToyBenchmark


def test_the_temperature_falls_from_hot_to_cold_times_the_scale():
    space = SearchSpace((6,) * 4)
    agent = SimulatedAnnealing(initial=5, hot=0.5, cold=0.01)
    problem = Problem(ToyBenchmark(space), budget=25)
    agent.start(problem, np.random.default_rng(0))
    temperatures = []
    while len(agent._known) < 25:
        row = agent.ask(1)
        agent.tell(row, problem.evaluate(row))
        temperatures.append(agent.temperature())
    assert temperatures[:4] == [0.0] * 4  # the scale is not known yet
    falling = temperatures[4:]
    assert np.all(np.diff(falling) < 0)
    scale = np.std(list(agent._known.values())[:5])
    assert falling[0] == pytest.approx(0.5 * scale)
    assert falling[-1] == pytest.approx(0.01 * scale)


def test_worse_steps_are_taken_when_it_is_hot_and_not_when_it_is_cold():
    agent = SimulatedAnnealing(hot=1.0, cold=1.0)
    agent.start(Problem(ToyBenchmark(), None, budget=50), np.random.default_rng(1))
    agent._known = {(0, 0, 0): 0.5, (0, 0, 1): 0.4}

    def share(scale):
        agent._scale, taken = scale, 0
        for _ in range(2000):
            agent._here = (0, 0, 0)
            agent._accept((0, 0, 1))
            taken += agent._here == (0, 0, 1)
        return taken / 2000

    assert share(0.1) == pytest.approx(np.exp(-1), abs=0.04)
    assert share(1e-4) == 0
