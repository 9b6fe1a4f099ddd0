"""Environments and searches where only a part of the space is known, or within constraints."""

import gymnasium as gym
import numpy as np
import pytest

from blox_env import (
    BloxEditEnv,
    BloxEnv,
    BloxSpace,
    BloxVectorEnv,
    Problem,
    SearchSpace,
    list_agents,
    search,
)
from blox_env.agent import AskTellAgent, make_agent
from blox_env.problem.clock import Clock
from blox_env.spaces import DartsSpace
from tests.toys import PartBenchmark, ToyBenchmark, ToyDevice, huge_space

LARGE = SearchSpace((9,) * 12, "large")  # 3e11: nothing lists it
SPACES = [BloxSpace(), LARGE]
TRAINED = ["ppo", "dqn", "maskable-ppo", "reinforce"]
TRAINED += ["bananas-published", "brp-nas-published", "smac"]
COMPILED = ["ppo-jax", "regularized-evolution-jax", "reinforce-jax"]
AGENTS = [name for name in list_agents() if name not in TRAINED and "-jax" not in name]
LIBRARIES = {"qnehvi": "botorch", "smac": "smac"}  # of agents whose extra is not part of ``all``


def part(space, n=40, seed=0):
    return space.sample(np.random.default_rng(seed), n)


def finish(env, rng):
    """Play to the end by random allowed actions; the last info."""
    _, info = env.reset()
    over = False
    while not over:
        mask = info["action_mask"]
        assert mask.any()
        _, _, terminated, truncated, info = env.step(int(rng.choice(np.flatnonzero(mask))))
        over = terminated or truncated
    return info


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("granularity", ["block", "operation"])
def test_masks_lead_to_what_is_known_and_to_all_of_it(space, granularity):
    rows = part(space, 12)
    env = BloxEnv(PartBenchmark(space, rows), ToyDevice(space), granularity=granularity)
    known, rng = set(map(tuple, rows.tolist())), np.random.default_rng(0)
    found = set()
    for _ in range(120):
        info = finish(env, rng)
        assert not info.get("invalid")
        found.add(tuple(info["arch"].tolist()))
    assert found <= known
    assert len(found) > 0.9 * len(known)
    assert str(len(known)) in str(env.problem.candidates)


@pytest.mark.parametrize("space", SPACES)
def test_masks_are_exact(space):
    """Every prefix of a known architecture is allowed, every other one masked."""
    rows = part(space, 12)
    env = BloxEnv(PartBenchmark(space, rows), None)
    for row in rows.tolist():
        _, info = env.reset()
        for slot, option in enumerate(row):
            alike = rows[(rows[:, :slot] == row[:slot]).all(axis=1)]
            expected = np.zeros(max(space.options), dtype=bool)
            expected[np.unique(alike[:, slot])] = True
            np.testing.assert_array_equal(info["action_mask"].astype(bool), expected)
            _, _, terminated, _, info = env.step(option)
        assert terminated
        assert np.isfinite(info["val_acc"])


@pytest.mark.parametrize("space", SPACES)
def test_vector_environments_do_the_same(space):
    rows = part(space)
    env = BloxVectorEnv(
        16, benchmark=PartBenchmark(space, rows), device=None, autoreset_mode="SameStep"
    )
    _, infos = env.reset(seed=0)
    rng, known, seen = np.random.default_rng(0), set(map(tuple, rows.tolist())), 0
    for _ in range(60):
        noise = rng.random(infos["action_mask"].shape) * infos["action_mask"]
        *_, infos = env.step(noise.argmax(axis=1))
        if "final_info" in infos:
            final = infos["final_info"]
            assert not final.get("_invalid", np.zeros(16, bool)).any()
            for row in final["arch"][final["_arch"]].tolist():
                assert tuple(row) in known
                seen += 1
    assert seen >= 16 * 5


@pytest.mark.parametrize("space", SPACES)
def test_edits_and_whole_actions_keep_to_what_is_known(space):
    rows = np.concatenate([part(space, 5), space.neighbors(part(space, 1))[0][:20]])
    env = BloxEditEnv(PartBenchmark(space, rows), None)
    known, rng = set(map(tuple, rows.tolist())), np.random.default_rng(0)
    _, info = env.reset(seed=0)
    for _ in range(30):
        assert tuple(info["arch"].tolist()) in known
        action = int(rng.choice(np.flatnonzero(info["action_mask"])))
        _, _, terminated, _, info = env.step(action)
        assert not terminated
    other = next(r for r in space.sample(rng, 99).tolist() if tuple(r) not in known)
    with pytest.raises(ValueError, match="is not among the candidates"):
        env.reset(options={"arch": other})
    whole = BloxEnv(PartBenchmark(space, rows), None, granularity="whole")
    whole.reset()
    assert np.isfinite(whole.step(rows[0])[4]["val_acc"])
    whole.reset()
    assert whole.step(np.array(other))[4]["invalid"]


@pytest.mark.extra
@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("agent", AGENTS)
def test_agents_search_what_is_known(agent, space):
    if agent in LIBRARIES:
        pytest.importorskip(LIBRARIES[agent])
    rows = part(space, 60)
    problem = Problem(PartBenchmark(space, rows), ToyDevice(space), budget=30)
    if make_agent(agent).requires - problem.provides:
        pytest.skip("blocks are of the Blox space")
    history = search(problem, agent, seed=0)
    assert problem.candidates.contains(history.x).all()
    assert problem.spent > 29
    best = problem.optimum()[1]
    assert best == problem.peek(rows).reward.max() >= history.reward.max()


@pytest.mark.extra
@pytest.mark.parametrize(
    "agent", [*TRAINED, *(pytest.param(name, marks=pytest.mark.jax) for name in COMPILED)]
)
def test_trained_agents_search_what_is_known(agent):
    if agent in LIBRARIES:
        pytest.importorskip(LIBRARIES[agent])
    rows = part(BloxSpace(), 300)
    problem = Problem(PartBenchmark(BloxSpace(), rows), None, budget=12)
    history = search(problem, agent, seed=0)
    assert problem.candidates.contains(history.x).all()
    assert len(history) == 12


@pytest.mark.extra
@pytest.mark.parametrize("agent", TRAINED)
def test_trained_agents_keep_to_constraints_of_a_space_too_large_to_list(agent):
    """Without guidance they would build what is masked, which costs nothing, for ever."""
    if agent in LIBRARIES:
        pytest.importorskip(LIBRARIES[agent])
    limits = {"params": 6e5, "macs": 1.0e8}  # one in a thousand keeps to them
    problem = Problem(ToyBenchmark(DartsSpace()), None, budget=12, constraints=limits)
    history = search(problem, agent, seed=0)
    assert history.feasible.all()
    assert len(history) == 12


class Stubborn(AskTellAgent):
    """Proposes what is not known, as agents do that make their own rows."""

    def start(self, problem, rng):
        self.told = []

    def ask(self, n):
        return np.zeros((n, 3), dtype=np.int64)

    def tell(self, x, trials):
        self.told += x.tolist()


@pytest.mark.parametrize("workers", [1, 3])
def test_others_proposals_are_moved_to_what_was_not_evaluated(workers):
    rows = part(BloxSpace(), 20)
    problem = Problem(PartBenchmark(BloxSpace(), rows), None, budget=50, clock=Clock(workers))
    agent = Stubborn()
    history = search(problem, agent, seed=0)
    assert sorted(history.x.tolist()) == sorted(rows.tolist())  # all, and then it is done
    assert problem.done


def test_what_is_not_known_is_an_error_that_says_how_much_is():
    rows = part(BloxSpace(), 20)
    problem = Problem(PartBenchmark(BloxSpace(), rows), None)
    with pytest.raises(ValueError, match=r"has no accuracy of architecture .*20 of 91,125"):
        problem.evaluate([[0, 0, 0]])


def test_constraints_mask_and_cost():
    limits = {"params": 2.2e6, "latency_ms": 4.5}
    arguments = {"benchmark": "digits", "device": "x86-ort-1t", "constraints": limits}
    env = gym.make("blox_env/Blox-v0", **arguments).unwrapped
    within, rng = env.problem.constraints.within, np.random.default_rng(0)
    for _ in range(30):
        info = finish(env, rng)
        assert within(info["arch"][None]).all()
        assert info["cost"] == 0
    free = BloxEnv(**arguments, enforce_constraints=False)
    _, info = free.reset()
    assert info["action_mask"].all()
    every = BloxSpace().all()
    for action in every[np.argmax(BloxSpace().params(every))].tolist():
        _, reward, _, _, info = free.step(action)
        assert "cost" in info
    excess = free.problem.constraints.excess(info["arch"][None])
    assert info["cost"] == excess[0] > 0
    assert reward == free.problem.task.floor - info["cost"]
    assert free.has_cost
    problem = Problem("digits", "x86-ort-1t", constraints=limits, budget=3)
    assert within(finish(BloxEnv(problem=problem), rng)["arch"][None]).all()


def test_constraints_of_a_space_too_large_to_list_and_without_bounds_are_costs():
    space = huge_space()
    given = {"device": ToyDevice(space), "constraints": {"latency_ms": 3.0}}
    with pytest.raises(ValueError, match="enforce_constraints=False"):
        BloxEnv(ToyBenchmark(space), **given)
    assert BloxEnv(ToyBenchmark(space), **given, enforce_constraints=False).has_cost
