"""The wrappers: several objectives as one, a cost beside the reward, budgets, noise, an archive.

Needs the extras sb3 and moo. Accuracies are validation accuracies on the digits task.
"""

from __future__ import annotations

import gymnasium as gym
import numpy as np
from stable_baselines3 import PPO

from blox_env import wrappers
from blox_env.adapters.sb3 import make_sb3


def main() -> None:
    """A few episodes with each, then PPO on all of them together."""
    rng = np.random.default_rng(0)

    # Plain accuracy, and what exceeds 3.5 ms as a cost: what constrained RL reads.
    made = gym.make("blox_env:blox_env/Blox-v0", reward="accuracy")
    env: gym.Env = wrappers.LatencyCost(made, latency_budget_ms=3.5)
    env.reset(seed=0)
    for block in (30, 31, 32):
        _, reward, *_, info = env.step(block)
    print(f"{info['latency_ms']:.2f} ms: reward {reward:.3f}, cost {info['cost']:.3f}")

    # Accuracy and latency as one number, on a scale from the worst to the best of the exact front.
    made = gym.make("blox_env/MOBlox-v0")
    front = np.array(made.get_wrapper_attr("pareto_front")(1.0))
    scale = {"low": front.min(axis=0).tolist(), "high": front.max(axis=0).tolist()}
    env = wrappers.ScalarReward(made, [0.5, 0.5], "chebyshev", **scale)
    env.reset(seed=0)
    for block in (6, 6, 6):
        _, reward, *_, info = env.step(block)
    print(f"vector {info['vector_reward']}, with weights {info['reward_weights']}: {reward:.3f}")

    # A thousand noisy networks at once, of which 300 are paid for, and the front among them.
    many = gym.make_vec(
        "blox_env/MOBlox-v0", num_envs=1000, vectorization_mode="vector_entry_point"
    )
    noisy = wrappers.NoisyEvaluationVector(many, deviation=0.01)
    limited = wrappers.EvaluationLimitVector(noisy, budget=300)
    kept = wrappers.NondominatedArchiveVector(limited)
    kept.reset(seed=0)
    for _ in range(3):
        _, _, terminated, truncated, _ = kept.step(rng.integers(45, size=1000))
    spent = limited.evaluations.spent
    print(f"{terminated.sum()} done, {spent} of them distinct, {truncated.sum()} not paid for")
    print(f"the front among them, noise included: {len(kept.archive)} networks")

    # One policy for all preferences, with Stable-Baselines3.
    trained = make_sb3(
        "blox_env/MOBlox-v0",
        num_envs=64,
        wrap=lambda env: wrappers.RandomWeightsVector(env, "chebyshev", **scale),
    )
    model = PPO("MlpPolicy", trained, n_steps=6, batch_size=128, n_epochs=2, seed=0, device="cpu")
    model.learn(3000)
    print(f"PPO saw {model.num_timesteps} steps, weights in {trained.observation_space.shape}")


if __name__ == "__main__":
    main()
