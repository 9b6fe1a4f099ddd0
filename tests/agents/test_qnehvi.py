"""Random startup, then what promises most hypervolume."""

import numpy as np
import pytest

pytest.importorskip("botorch")

from blox_env import Problem, SearchSpace, search
from blox_env.agents.qnehvi import QNEHVI
from tests.toys import ToyBenchmark, ToyDevice

pytestmark = pytest.mark.extra


def toy(budget, **arguments):
    space = SearchSpace((6,) * 4)
    return Problem(ToyBenchmark(space), ToyDevice(space), budget=budget, **arguments)


def test_it_finds_more_hypervolume_than_random_search():
    several = {"objectives": ("val_acc", "latency_ms")}
    volume = {}
    for agent in (QNEHVI(), "random-search"):
        problem = toy(40, **several)
        search(problem, agent, seed=0)
        volume[type(agent).__name__] = problem.hypervolume(x=problem.history.x)
    assert volume["QNEHVI"] > volume["str"]


def test_with_one_objective_it_improves_on_its_startup():
    problem = toy(30)
    reward = search(problem, QNEHVI(), seed=1).reward
    assert reward[10:].max() > reward[:10].max()
    assert reward[10:].mean() > reward[:10].mean()


def test_a_batch_is_of_different_architectures_and_pending_ones_are_left_out():
    problem = toy(60, objectives=("val_acc", "latency_ms"))
    agent = QNEHVI(initial=5)
    agent.start(problem, np.random.default_rng(0))
    x = agent.ask(5)
    agent.tell(x, problem.evaluate(x))
    first, second = agent.ask(3), agent.ask(3)  # three are pending
    rows = [tuple(row) for row in np.concatenate([x, first, second]).tolist()]
    assert len(set(rows)) == 11
