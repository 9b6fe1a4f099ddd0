"""Every agent keeps the same promises."""

import json
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from blox_env import DartsSpace, MacroBenchSpace, Problem, SearchSpace, list_agents, search
from blox_env.agent import make_agent
from blox_env.testing import check_agent
from tests.toys import ToyBenchmark, ToyDevice, huge_space

FILES = (Path(__file__).parents[2] / "agents").glob("[a-z]*.py")
NEED_EXTRAS = {"bananas", "brp-nas", "dqn", "gp-bo", "maskable-ppo", "nsga2", "ppo", "tpe"}
NEED_EXTRAS |= {"reinforce", "npenas", "dyna-ppo", "qnehvi"}
BLOCKWISE = {"hant", "donna", "blockwise-gcn", "iterative-blockwise"}
NEED_EXTRAS |= BLOCKWISE
SLOW = {"bananas-published", "brp-nas-published", "smac"}  # in small they are in their own files
NEED_EXTRAS |= SLOW
NAMES = sorted(file.stem.replace("_", "-") for file in FILES)
COMPILED = [name for name in NAMES if name.endswith("-jax")]  # of spaces that can be listed
NO_BOTORCH = pytest.mark.skipif(find_spec("botorch") is None, reason="needs botorch")
NO_SMAC = pytest.mark.skipif(find_spec("smac") is None, reason="needs smac")
AGENTS = [
    pytest.param(
        name,
        marks=[pytest.mark.extra] * (name in NEED_EXTRAS)
        + [NO_BOTORCH] * (name == "qnehvi")
        + [NO_SMAC] * (name == "smac")
        + [pytest.mark.faults] * (name in SLOW),
    )
    for name in NAMES
    if name not in COMPILED
]
NO_EVOSAX = pytest.mark.skipif(find_spec("evosax") is None, reason="needs evosax")
AGENTS += [
    pytest.param(
        name,
        marks=[pytest.mark.extra, pytest.mark.jax] + [NO_EVOSAX] * (name == "snes-jax"),
    )
    for name in COMPILED
]
SPACES = {
    "blox": None,
    "small": SearchSpace((3, 1, 2)),
    "darts": DartsSpace(),
    "huge": huge_space(),
    "macro": MacroBenchSpace(),
}
SCRIPT = """
import json, sys
from blox_env import Problem, search
from blox_env.testing import check_agent
from tests.toys import ToyBenchmark, ToyDevice
history = search(Problem(ToyBenchmark(), ToyDevice(), budget=40), sys.argv[1], seed=7)
print(json.dumps(history.x.tolist()))
"""

CLIMBERS = ("regularized-evolution", "local-search", "simulated-annealing")
TRAIN_IN_PART = ("successive-halving", "hyperband", "bohb", "mo-asha")


def toy_problem(space=None, **arguments):
    return Problem(ToyBenchmark(space), ToyDevice(space), **{"budget": 40, **arguments})


@pytest.mark.parametrize("agent", AGENTS)
@pytest.mark.parametrize("space", sorted(SPACES))
def test_spends_the_budget_and_no_more(agent, space):
    if agent in COMPILED and space in ("darts", "huge"):
        pytest.skip("compiled agents search tables")
    p = toy_problem(SPACES[space])
    if agent in BLOCKWISE and space != "blox":
        with pytest.raises(ValueError, match=r"requires blocks.*: the benchmark digits has"):
            search(p, agent, seed=0)
        return
    history = search(p, agent, seed=0)
    assert p.done
    full = int((history.epochs == p.benchmark.epochs).sum())
    assert p.spent == pytest.approx(history.column("cost").sum(), abs=1e-9)
    assert p.spent <= 40 + 1e-9
    if "curves" in make_agent(agent).requires:  # a row a length of training
        assert 0 < full <= p.spent + 1e-9
        if p.queries < p.max_queries:
            assert p.remaining < 1 / p.benchmark.epochs or full == p.space.size
    elif agent in BLOCKWISE:
        blocks = p.spent - full
        assert blocks == 3 * (1 + (agent == "iterative-blockwise"))  # of one teacher or two
        assert p.spent == 40
    else:
        assert p.spent == full == len(history)
        if p.queries < p.max_queries:
            assert full == min(40, p.space.size)


@pytest.mark.parametrize("agent", AGENTS)
def test_same_seed_same_trials_in_another_process(agent, request):
    here = search(toy_problem(), agent, seed=7).x.tolist()
    there = subprocess.run(
        [sys.executable, "-c", SCRIPT, agent],
        capture_output=True,
        text=True,
        check=True,
        cwd=request.config.rootpath,
        env={"PYTHONHASHSEED": "123", "PATH": "", "OMP_NUM_THREADS": "1"},
    )
    assert json.loads(there.stdout) == here
    assert search(toy_problem(), agent, seed=8).x.tolist() != here


@pytest.mark.parametrize("agent", AGENTS)
def test_keeps_the_contract_for_everybody(agent):
    check_agent(agent, toy_problem)


@pytest.mark.parametrize("agent", AGENTS)
def test_refuses_a_problem_with_a_history(agent):
    p = toy_problem()
    p.evaluate([[0, 0, 0]])
    with pytest.raises(RuntimeError, match="already has a history of 1 trials"):
        search(p, agent, seed=0)


@pytest.mark.parametrize("agent", AGENTS)
def test_works_without_latency(agent):
    p = Problem(ToyBenchmark(), None, budget=20)
    assert len(search(p, agent, seed=0)) > 0


def test_a_problem_without_a_budget_is_an_error():
    with pytest.raises(ValueError, match="needs a problem with a budget"):
        search(toy_problem(budget=None), "random-search")


def test_unknown_agent_and_option():
    with pytest.raises(ValueError, match="did you mean 'random-search'"):
        make_agent("randomsearch")
    with pytest.raises(ValueError, match="did you mean 'population'"):
        make_agent("regularized-evolution", {"populaton": 3})
    with pytest.raises(ValueError, match="sample must be at most population"):
        make_agent("regularized-evolution", {"population": 3, "sample": 4})


def test_requirements_are_checked():
    agent = make_agent("random-search")
    agent.requires = frozenset({"weights"})
    with pytest.raises(ValueError, match="RandomSearch requires weights"):
        search(toy_problem(), agent)


def test_evolution_beats_random_search_where_slots_add_up():
    class Sum(ToyBenchmark):
        def evaluate(self, x, **arguments):
            value = super().evaluate(x, **arguments)
            return replace(value, val_acc=self.space.check(x).sum(axis=1) / 100)

    space = SearchSpace((8,) * 6)
    for seed in range(3):
        best = {
            agent: search(Problem(Sum(space), budget=300), agent, seed=seed).reward.max()
            for agent in ("random-search", *CLIMBERS)
        }
        assert min(best[agent] for agent in CLIMBERS) > best["random-search"]


def test_every_agent_has_a_name():
    assert {param.values[0] for param in AGENTS} <= set(list_agents())


def test_objectives_are_checked():
    several = {"objectives": ("val_acc", "latency_ms")}
    assert len(search(toy_problem(**several), "random-search", seed=0)) > 30
    with pytest.raises(ValueError, match="RegularizedEvolution searches for one objective, got"):
        search(toy_problem(**several), "regularized-evolution", seed=0)
    fast = search(toy_problem(objectives="latency_ms"), "regularized-evolution", seed=0)
    assert fast.latency_ms[-10:].mean() < fast.latency_ms[:10].mean()


@pytest.mark.extra
def test_reward_agents_search_for_the_reward():
    with pytest.raises(ValueError, match="PPO searches for the reward, got val_acc"):
        search(toy_problem(objectives="val_acc"), "ppo", seed=0)


@pytest.mark.parametrize("agent", TRAIN_IN_PART)
def test_training_in_part_needs_curves_and_ends_in_full_trainings(agent):
    flat = ToyBenchmark()
    flat.provides = frozenset()
    with pytest.raises(ValueError, match="requires curves, which this problem does not provide"):
        search(Problem(flat, budget=40), agent, seed=0)
    history = search(toy_problem(), agent, seed=0)
    full = history.epochs == 10
    assert 0 < full.sum() < 40
    assert (~full).sum() > full.sum() / 2
    assert (
        history.reward[full].mean() > search(toy_problem(), "random-search", seed=0).reward.mean()
    )


@pytest.mark.parametrize("agent", ["nsga2", "tpe", pytest.param("qnehvi", marks=NO_BOTORCH)])
@pytest.mark.extra
def test_several_objectives_are_searched_for(agent):
    options = {"batch": 3}  # and the last batch is cut by the budget
    for names in ("val_acc", ("val_acc", "latency_ms"), ("val_acc", "latency_ms", "params")):
        history = search(toy_problem(objectives=names), agent, seed=0, options=options)
        assert len(history) == 40
    assert len({tuple(row) for row in history.x.tolist()}) == 40


@pytest.mark.parametrize(
    ("agent", "options"),
    [
        ("local-search", {"neighbors": "al"}),
        ("simulated-annealing", {"hot": 0.1, "cold": 0.2}),
        ("nsga2", {"population": 1}),
        ("nsga2", {"crossover": 1.5}),
        ("tpe", {"startup": 0}),
        ("qnehvi", {"samples": 0}),
        ("smac", {"retrain": 0}),
        ("smac", {"explore": 1.5}),
        ("successive-halving", {"eta": 1}),
        ("hyperband", {"min_epochs": 0}),
        ("hant", {"measure": "nsrr"}),
        ("donna", {"initial": 0}),
        ("blockwise-gcn", {"candidates": 0}),
        ("iterative-blockwise", {"each": 2}),
        ("bohb", {"good": 1.0}),
        ("bohb", {"bandwidth": 0.0}),
        ("bananas-published", {"learning_rate": 0.0}),
        ("brp-nas-published", {"dropout": 1.0}),
        ("brp-nas-published", {"alpha": -0.1}),
        ("brp-nas-published", {"iterations": 51}),
    ],
)
def test_impossible_options_are_errors(agent, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        make_agent(agent, options)
