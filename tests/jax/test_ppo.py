"""The compiled PPO learns what Stable-Baselines3's learns, from the same steps in the same way."""

import numpy as np
import pytest

from blox_env import Problem, SearchSpace, search
from tests.toys import ToyBenchmark, ToyDevice

jax = pytest.importorskip("jax")
import jax.numpy as jnp

from blox_env.jax import make
from blox_env.jax.environment import of_problem
from blox_env.jax.ppo import PPO, Form, Hyper

SPACE = SearchSpace((4, 3, 5))
SMALL = Form(envs=2, steps=3, epochs=2, minibatches=2, hidden=8, budget=20, max_queries=400)


def small(**arguments):
    problem = Problem(ToyBenchmark(SPACE), ToyDevice(SPACE))
    return of_problem(problem, observation="onehot", **arguments)


@pytest.mark.parametrize(
    ("id_", "arguments", "said"),
    [
        ("MOBlox-v0", {}, "needs one number as reward"),
        ("Blox-v0", {"granularity": "whole"}, "granularity='whole'"),
        ("Blox-v0", {"observation": "graph"}, "observation='graph'"),
    ],
)
def test_what_it_cannot_use_is_refused(id_, arguments, said):
    toys = {"benchmark": ToyBenchmark(), "device": ToyDevice()}
    env, _ = make(f"blox_env/{id_}", **toys, **arguments)
    with pytest.raises(ValueError, match=said):
        PPO(env)


def test_minibatches_have_to_divide_the_steps():
    with pytest.raises(ValueError, match="must divide envs · steps = 6, got 4"):
        PPO(small(), SMALL._replace(minibatches=4))


@pytest.mark.jax
def test_hyper_parameters_in_one_program_are_those_of_searches_alone():
    """Up to rounding: matrix products of several searches are added up in another order."""
    env = small()
    agent, params = PPO(env, SMALL), env.default_params
    learners = jax.vmap(agent.init, (0, None))(jax.random.split(jax.random.key(1), 3), params)
    rates = jnp.array([0.0, 0.003, 0.1])
    several = jax.vmap(agent.update, (0, None, Hyper(0, None, None, None, None, None)))
    together, asked = jax.jit(several)(learners, params, Hyper(rates))
    alone = jax.jit(agent.update)
    for number in range(3):
        one = jax.tree.map(lambda part, number=number: part[number], learners)
        after, own = alone(one, params, Hyper(rates[number]))
        assert np.array_equal(own[0], asked[0][number])
        for name, weights in after.weights.items():
            assert np.allclose(weights, together.weights[name][number], atol=1e-4)
            moved = not np.allclose(weights, one.weights[name])
            assert moved == (number > 0)


@pytest.mark.jax
def test_the_loss_is_that_of_stable_baselines3():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    env = small()
    agent, hyper, n = PPO(env, SMALL), Hyper(entropy=0.1), 12
    weights = agent._weights(jax.random.key(0), 12)
    weights = jax.tree.map(lambda w: w + 0.3 * rng.normal(size=w.shape), weights)
    seen = rng.normal(size=(n, 12)).astype(np.float32)
    mask = (rng.random((n, 5)) < 0.7).astype(np.int8)
    mask[:, 0] = 1
    action = (mask * rng.random((n, 5))).argmax(axis=1)
    before, advantage, target = rng.normal(-1, 0.3, n), rng.normal(size=n), rng.normal(size=n)
    batch = [jnp.asarray(part) for part in (seen, mask, action, before, advantage, target)]
    ours = float(agent._loss(weights, batch, hyper))

    policy, value = (torch.tensor(np.array(part)) for part in agent._outputs(weights, seen, mask))
    law = torch.distributions.Categorical(logits=policy)
    gain = torch.tensor((advantage - advantage.mean()) / (advantage.std(ddof=1) + 1e-8))
    ratio = torch.exp(law.log_prob(torch.tensor(action)) - torch.tensor(before))
    clipped = torch.clamp(ratio, 0.8, 1.2)
    loss = -torch.min(gain * ratio, gain * clipped).mean() - 0.1 * law.entropy().mean()
    loss = loss + 0.5 * torch.nn.functional.mse_loss(torch.tensor(target), value)
    assert ours == pytest.approx(float(loss), rel=1e-5)


@pytest.mark.jax
def test_advantages_are_what_follows_until_the_end_of_an_episode():
    env = small()
    agent = PPO(env, SMALL)
    learner = agent.init(jax.random.key(0), env.default_params)
    learner, steps = agent._gathered(learner, env.default_params)
    hyper = Hyper(gamma=0.9, gae_lambda=0.8)
    found = np.asarray(agent._advantages(learner, steps, hyper))
    value, done = np.asarray(steps.value), np.asarray(steps.done)
    assert done[-1].all()  # three decisions, three steps: nothing follows
    expected, after = np.zeros_like(value), np.zeros(2)
    for t in (2, 1, 0):
        following = value[t + 1] if t < 2 else 0.0
        error = np.asarray(steps.reward)[t] + 0.9 * following * ~done[t] - value[t]
        after = error + 0.9 * 0.8 * after * ~done[t]
        expected[t] = after
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.jax
def test_it_learns_to_meet_a_goal():
    env, params = make(
        "blox_env/Blox-v0", observation="onehot", goal="latency_target", reward="tunas(beta=-1)"
    )
    form = Form(envs=32, steps=3, epochs=4, minibatches=2, budget=1)
    agent, learner = PPO(env, form), None
    learner = jax.jit(agent.init)(jax.random.key(0), params)
    update = jax.jit(agent._gathered), jax.jit(agent.update)
    rewards = []
    for number in range(260):
        if number in (0, 259):
            _, steps = update[0](learner, params)
            rewards.append(float(steps.reward[-1].mean()))
        learner, _ = update[1](learner, params, Hyper(entropy=0.01))
    assert rewards[1] > rewards[0] + 0.05


@pytest.mark.jax
def test_it_finds_what_the_one_of_torch_finds():
    pytest.importorskip("stable_baselines3")
    stats = pytest.importorskip("scipy.stats")
    found = {
        agent: [search(Problem(budget=100), agent, seed=seed).reward.max() for seed in range(200)]
        for agent in ("ppo", "ppo-jax")
    }
    assert stats.ks_2samp(found["ppo"], found["ppo-jax"]).pvalue > 0.01
