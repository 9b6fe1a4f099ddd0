"""Pairs of graphs: what is learned of them, and the agent's promises in small."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("scipy")
torch = pytest.importorskip("torch")

from blox_env import BloxSpace, DartsSpace, Problem, SearchSpace, search
from blox_env.agents.brp_nas_published import BRPNASPublished, _Comparer, graphs
from blox_env.testing import check_agent
from tests.toys import PartBenchmark, ToyBenchmark, ToyDevice

SMALL = {"training": 20, "iterations": 2, "hidden": 8, "epochs": 4, "candidates": 200}
SPACE = SearchSpace((5,) * 4)


def toy_problem(space=None, **arguments):
    return Problem(ToyBenchmark(space), ToyDevice(space), **{"budget": 40, **arguments})


def test_it_keeps_the_promises_of_agents():
    check_agent(BRPNASPublished(**SMALL), toy_problem)


def test_other_seed_other_trials():
    found = [search(toy_problem(), BRPNASPublished(**SMALL), seed=seed).x for seed in (0, 1)]
    assert not np.array_equal(*found)


def test_it_goes_on_to_the_end_of_its_ranking_and_beyond():
    options = {**SMALL, "candidates": 3, "iterations": 1}
    for space in (BloxSpace(), DartsSpace(), SearchSpace((3, 3, 4))):
        problem = toy_problem(space)
        search(problem, BRPNASPublished(**options), seed=0)
        assert problem.spent == min(40, space.size)


def test_what_is_not_known_is_not_proposed():
    space = BloxSpace()
    rows = space.sample(np.random.default_rng(0), 60)
    history = search(
        Problem(PartBenchmark(space, rows), budget=30), BRPNASPublished(**SMALL), seed=0
    )
    assert set(map(tuple, history.x.tolist())) <= set(map(tuple, rows.tolist()))


def test_graphs_have_a_node_that_reads_all_others():
    space = BloxSpace()
    single = [next(i for i, block in enumerate(space.blocks) if block.single)] * 3
    edges, labels = graphs(space, space.check([single]))
    size = space.graph().nodes
    assert edges.shape == (1, size + 1, size + 1)
    assert edges[0, 0].sum() == 1 + size - 3  # a block of one operation has a node less
    assert edges[0, 1:, 0].sum() == 0
    assert (edges[0].diagonal() == 1).all()
    assert (labels.sum(dim=2) == 1).all()


def test_strength_is_the_mean_log_odds_over_all_others():
    network = _Comparer(len(SPACE.graph().labels) + 1, 8, 2, 0.2, np.random.default_rng(0))
    given = graphs(SPACE, SPACE.sample(np.random.default_rng(1), 30))
    with torch.no_grad():
        embedded = network._embed(given)
        (weight, shift), n = network._last, len(embedded)
        pairs = [
            torch.cat([embedded[[i]].expand(n, -1), embedded], dim=1) @ weight.reshape(-1, 2)
            + shift
            for i in range(n)
        ]
    odds = torch.stack([each[:, 0] - each[:, 1] for each in pairs]).numpy()  # of i over j
    mean = (odds - odds.T).mean(axis=1) / 2
    strength = network.strength(given) / 2
    np.testing.assert_allclose(mean, strength - strength.mean(), atol=1e-5)


def test_the_ranking_is_that_of_the_truth_mostly():
    agent, problem = BRPNASPublished(hidden=64, epochs=60), toy_problem(SPACE, budget=400)
    agent.start(problem, np.random.default_rng(0))
    x = agent._random(100)
    agent.tell(x, problem.evaluate(x))
    ranked = agent.ask(20)
    assert agent._trained == 5
    rest = agent._random(300)
    assert problem.peek(ranked).reward.mean() > problem.peek(rest).reward.mean() + 0.05
    score = agent._network.strength(graphs(SPACE, rest))
    assert np.corrcoef(score, problem.peek(rest).reward)[0, 1] > 0.5


def test_half_is_from_the_top_and_half_at_random_among_the_better_half(monkeypatch):
    agent, problem = BRPNASPublished(**SMALL), toy_problem(SPACE)
    agent.start(problem, np.random.default_rng(0))
    x = agent.ask(10)
    agent.tell(x, problem.evaluate(x))
    order = np.array([row for row in SPACE.all().tolist() if row not in x.tolist()])
    monkeypatch.setattr(agent, "_rank", lambda: order)
    asked = agent.ask(10)
    np.testing.assert_array_equal(asked[:5], order[:5])
    places = SPACE.index(order).searchsorted(SPACE.index(asked[5:]))
    assert ((places >= 5) & (places < len(order) // 2)).all()
    assert len(set(places.tolist())) == 5


def test_the_ranking_of_a_large_space_has_the_neighbours_of_its_top(monkeypatch):
    space = SearchSpace((9,) * 8)
    agent, problem = BRPNASPublished(**SMALL), toy_problem(space)
    agent.start(problem, np.random.default_rng(0))
    x = agent.ask(10)
    agent.tell(x, problem.evaluate(x))
    agent.candidates = 2000
    first = space.sample(np.random.default_rng(1), 50)
    monkeypatch.setattr(
        agent,
        "_allowed",
        SimpleNamespace(sample=lambda rng, n: first, contains=lambda x: np.ones(len(x), bool)),
    )
    ranked = agent._rank()
    score = agent._strength(ranked)
    assert (np.diff(score) <= 1e-6).all()
    rows = set(map(tuple, ranked.tolist()))
    assert len(rows) == len(ranked)
    assert set(map(tuple, first.tolist())) <= rows
    assert not rows & set(map(tuple, x.tolist()))
    drawn = agent._strength(first)
    top = first[np.argsort(-drawn)[:20]]
    near = set(map(tuple, space.neighbors(top).reshape(-1, 8).tolist()))
    assert near <= rows | set(map(tuple, x.tolist()))


def test_the_state_of_torch_stays():
    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    search(toy_problem(), BRPNASPublished(**SMALL), seed=0)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_without_torch_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r"brp-nas-published needs 'torch'.*blox-env\[torch\]"):
        BRPNASPublished().start(toy_problem(), np.random.default_rng(0))
