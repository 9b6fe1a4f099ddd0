"""MO-Gymnasium's wrappers and MORL-Baselines on MOBlox-v0."""

import gymnasium as gym
import numpy as np
import pytest

import blox_env  # noqa: F401 (registers the environment)

pytestmark = pytest.mark.clients
mo_gymnasium = pytest.importorskip("mo_gymnasium")

from mo_gymnasium.wrappers import LinearReward, MORecordEpisodeStatistics
from mo_gymnasium.wrappers import vector as vector_wrappers

MO = "blox_env:blox_env/MOBlox-v0"


def episode(env, actions=(3, 14, 15)):
    env.reset(seed=0)
    for action in actions:
        step = env.step(action)
    assert step[2]
    return step


def test_linear_reward():
    weight = np.array([1.0, 0.1])
    vector = episode(mo_gymnasium.make(MO))[1]
    _, reward, _, _, info = episode(LinearReward(mo_gymnasium.make(MO), weight=weight))
    assert reward == pytest.approx(vector @ weight)
    np.testing.assert_array_equal(info["vector_reward"], vector)


def test_record_episode_statistics():
    _, vector, _, _, info = episode(MORecordEpisodeStatistics(mo_gymnasium.make(MO), gamma=0.9))
    np.testing.assert_allclose(info["episode"]["r"], vector)
    np.testing.assert_allclose(info["episode"]["dr"], vector * 0.9**2, rtol=1e-6)
    assert info["episode"]["l"] == 3


def test_record_episode_statistics_of_the_native_vector_environment():
    native = gym.make_vec(MO, num_envs=3, vectorization_mode="vector_entry_point")
    sync = vector_wrappers.MOSyncVectorEnv([lambda: mo_gymnasium.make(MO)] * 3)
    assert native.reward_space == sync.reward_space
    found = []
    for env in (native, sync):
        wrapped = vector_wrappers.MORecordEpisodeStatistics(env)
        wrapped.reset(seed=0)
        for action in (3, 14, 15):
            infos = wrapped.step(np.full(3, action))[-1]
        found.append(infos["episode"]["r"])
    np.testing.assert_allclose(*found)
    assert found[0].shape == (3, 2)


def test_envelope_trains_and_its_returns_lie_below_the_front():
    envelope = pytest.importorskip("morl_baselines.multi_policy.envelope.envelope")
    evaluation = pytest.importorskip("morl_baselines.common.evaluation")
    performance = pytest.importorskip("morl_baselines.common.performance_indicators")
    env = mo_gymnasium.make(MO)
    agent = envelope.Envelope(
        env,
        log=False,
        device="cpu",
        seed=0,
        gamma=0.99,
        net_arch=[32, 32],
        batch_size=32,
        learning_starts=50,
        initial_epsilon=1.0,
        final_epsilon=0.05,
        epsilon_decay_steps=300,
    )
    agent.train(total_timesteps=400, ref_point=np.array([0.0, -10.0]))
    front = np.array(env.unwrapped.pareto_front(0.99))
    weights = (np.array([1.0, 0.0]), np.array([0.5, 0.5]), np.array([0.0, 1.0]))
    returns = [
        evaluation.policy_evaluation_mo(agent, env, w.astype(np.float32), rep=1)[3] for w in weights
    ]
    for found in returns:
        assert found[0] > 0
        assert (front >= found - 1e-5).all(axis=1).any()  # something on the front is as good
    low = np.array([0.0, -10.0])
    best = performance.hypervolume(low, list(front))
    assert 0 < performance.hypervolume(low, returns) <= best
