"""Deep narrow networks on paths: what they learn, and the agent's promises in small."""

import sys

import numpy as np
import pytest

pytest.importorskip("scipy")
torch = pytest.importorskip("torch")

from blox_env import BloxSpace, DartsSpace, NatsTopologySpace, Problem, SearchSpace, search
from blox_env.agents.bananas_published import BANANASPublished, errors_above_bound
from blox_env.testing import check_agent
from tests.toys import PartBenchmark, ToyBenchmark, ToyDevice, huge_space

SMALL = {"epochs": 3, "ensemble": 2, "layers": 2, "mutants": 30}


def toy_problem(space=None, **arguments):
    return Problem(ToyBenchmark(space), ToyDevice(space), **{"budget": 40, **arguments})


def test_it_keeps_the_promises_of_agents():
    check_agent(BANANASPublished(**SMALL), toy_problem)


def test_other_seed_other_trials():
    found = [search(toy_problem(), BANANASPublished(**SMALL), seed=seed).x for seed in (0, 1)]
    assert not np.array_equal(*found)


@pytest.mark.parametrize(
    ("space", "kind"),
    [
        (BloxSpace(), "path"),
        (DartsSpace(), "path"),
        (NatsTopologySpace(), "path"),
        (huge_space(), "onehot"),
    ],
)
def test_networks_see_paths_where_there_are_some(space, kind):
    agent, problem = BANANASPublished(**SMALL), toy_problem(space)
    search(problem, agent, seed=0)
    assert agent._kind == kind
    assert problem.spent == 40


def test_what_is_not_known_is_not_proposed():
    space = BloxSpace()
    rows = space.sample(np.random.default_rng(0), 60)
    history = search(
        Problem(PartBenchmark(space, rows), budget=30), BANANASPublished(**SMALL), seed=0
    )
    assert set(map(tuple, history.x.tolist())) <= set(map(tuple, rows.tolist()))


def test_errors_are_above_the_bound_and_in_units_of_its_distance():
    assert errors_above_bound(np.array([0.9, 0.8, 0.7, 0.2, 0.85])) == pytest.approx(
        [1, 2, 3, 8, 1.5]
    )
    assert (errors_above_bound(np.full(4, 0.3)) == 1).all()


def test_predictions_follow_the_truth():
    space = SearchSpace((5,) * 5)
    agent, problem = BANANASPublished(layers=3, epochs=60), toy_problem(space, budget=400)
    agent.start(problem, np.random.default_rng(0))
    x = agent._random(200)
    agent.tell(x, problem.evaluate(x))
    rest = agent._random(200)
    predicted = agent._trained()(space.features(rest, "onehot")).mean(axis=0)
    assert np.corrcoef(predicted, problem.peek(rest).reward)[0, 1] < -0.6  # errors


def test_networks_differ_and_the_state_of_torch_stays():
    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    agent, problem = BANANASPublished(**SMALL), toy_problem()
    search(problem, agent, seed=0)
    predicted = agent._trained()(problem.space.features(problem.space.all()[:9], "path"))
    assert predicted.std(axis=0).min() > 0
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_without_torch_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r"bananas-published needs 'torch'.*blox-env\[torch\]"):
        BANANASPublished().start(toy_problem(), np.random.default_rng(0))
