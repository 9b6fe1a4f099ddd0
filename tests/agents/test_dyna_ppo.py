"""The policy, its gradient, and what it asks for."""

import numpy as np
import pytest

pytest.importorskip("scipy")

from blox_env import BloxSpace, Problem, SearchSpace, search
from blox_env.agents._choices import Choices
from blox_env.agents.dyna_ppo import DynaPPO, Policy
from tests.toys import ToyBenchmark


def policy(space=None, rate=0.1):
    made = Policy(Choices(space or BloxSpace()), rate)
    made.weights = np.random.default_rng(1).normal(size=made.weights.shape)
    made.weights[:-1] *= made._before
    return made


def test_it_writes_architectures_alone_with_the_probabilities_it_says():
    one = policy(SearchSpace((3, 1, 2)))
    made = one.write(20_000, np.random.default_rng(0))
    every = one.choices.choices(SearchSpace((3, 1, 2)).all())
    logs = one.log_probabilities(every)
    blocks = np.arange(len(every))[:, None], np.array([0, 3, 4]) + every
    probability = np.exp(logs[blocks].sum(axis=1))
    assert probability.sum() == pytest.approx(1)
    share = [(made == row).all(axis=1).mean() for row in every]
    np.testing.assert_allclose(share, probability, atol=0.015)
    masked = policy().log_probabilities(policy().write(100, np.random.default_rng(0)))
    assert np.isneginf(masked).any()


def test_a_step_follows_the_gradient_of_reward_and_entropy():
    one, rng = policy(), np.random.default_rng(0)
    made, advantage = one.write(6, rng), rng.normal(size=6)
    found = []
    one._step = found.append
    one.learn(made, advantage, 1, 0.2, 0.3)

    def objective(weights):
        one.weights = weights
        logs = one.log_probabilities(made)
        chosen = one._seen(made)[:, :-1] > 0
        safe = np.where(np.isfinite(logs), logs, 0.0)
        entropy = -(np.exp(logs) * safe).sum(axis=1)
        return float((advantage * np.where(chosen, logs, 0).sum(axis=1) + 0.3 * entropy).mean())

    weights = one.weights.copy()
    for i, j in [(0, 5), (2, 30), (len(weights) - 1, 0), (20, 41)]:
        values = []
        for sign in (1, -1):
            moved = weights.copy()
            moved[i, j] += sign * 1e-5
            values.append(objective(moved))
        assert found[0][i, j] == pytest.approx((values[0] - values[1]) / 2e-5, abs=1e-7)


def test_it_learns_what_is_rewarded():
    one, rng = Policy(Choices(BloxSpace()), 0.1), np.random.default_rng(0)
    for _ in range(60):
        made = one.write(64, rng)
        good = (made[:, 0] == made[:, 3]) & (made[:, 0] == made[:, 6])  # choices that go together
        one.learn(made, (good - good.mean()) / (good.std() + 1e-8), 4, 0.2, 0.01)
    made = one.write(500, rng)
    assert ((made[:, 0] == made[:, 3]) & (made[:, 0] == made[:, 6])).mean() > 0.9


def test_it_asks_for_nothing_twice():
    space = SearchSpace((3, 3, 3))
    history = search(Problem(ToyBenchmark(space), budget=27), "dyna-ppo", seed=0)
    assert len(history) == 27
    agent = DynaPPO(initial=2)
    agent.start(Problem(ToyBenchmark(space), budget=27), np.random.default_rng(0))
    x = agent.ask(2)
    agent.tell(x, agent._problem.evaluate(x))
    batches = [tuple(row) for _ in range(4) for row in agent.ask(5).tolist()]  # all pending
    assert len(set(batches)) == 20
