"""The environments: finer actions, hard limits, goals, edits, two objectives, many at once."""

from __future__ import annotations

import gymnasium as gym
import numpy as np

from blox_env import MOBloxEnv


def main() -> None:
    """One episode of each, with random allowed actions."""
    rng = np.random.default_rng(0)

    # Operation by operation, within 3 ms: the mask allows what can still become fast enough.
    env = gym.make("blox_env/Blox-v0", granularity="operation", latency_budget_ms=3.0)
    _, info = env.reset(seed=0)
    over = False
    while not over:
        action = rng.choice(np.flatnonzero(info["action_mask"]))
        _, reward, over, _, info = env.step(action)
    print(f"within 3 ms: {info['latency_ms']:.2f} ms, accuracy {info['val_acc']:.3f}")

    # The target of the reward is drawn anew in every episode, and the observation shows it.
    env = gym.make("blox_env/Blox-v0", goal="latency_target", goals=(2.0, 6.0))
    observation, _ = env.reset(options={"latency_target_ms": 3.0})
    for action in (30, 31, 32):
        observation, reward, _, _, info = env.step(action)
    print(f"target {info['latency_target_ms']} ms, seen as {observation[-1]}: reward {reward:.3f}")

    # Improve a network of your own, one operation a step.
    env = gym.make("blox_env/BloxEdit-v0", granularity="operation")
    _, info = env.reset(options={"arch": [30, 31, 32]})
    action = rng.choice(np.flatnonzero(info["action_mask"]))
    _, gained, _, _, info = env.step(action)
    print(f"one edit: {info['arch']}, gained {gained:+.4f}")

    # Two objectives, with the exact front of the whole table.
    front = MOBloxEnv(objectives=("val_acc", "latency_ms")).pareto_front(gamma=1.0)
    print(f"front: {len(front)} points")

    # A thousand networks at once.
    many = gym.make_vec(
        "blox_env/Blox-v0",
        num_envs=1000,
        vectorization_mode="vector_entry_point",
        autoreset_mode="SameStep",
        observation="indices",
    )
    many.reset(seed=0)
    for _ in range(3):
        _, rewards, _, _, infos = many.step(rng.integers(45, size=1000))
    best = int(np.argmax(rewards))
    print(f"best of 1,000: {infos['final_info']['arch'][best]}, reward {rewards[best]:.3f}")


if __name__ == "__main__":
    main()
