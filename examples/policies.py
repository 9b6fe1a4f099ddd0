"""Trained policies: a network for a latency target at once, on a known and on an unknown device.

    python examples/policies.py

``latency-goal`` knows the default device. ``device-conditioned`` is told a device by the latencies
of ten reference networks, here those of a made-up board; on a real one they are ten timings.
"""

from __future__ import annotations

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

import blox_env
from blox_env.policies import judge_policy, random_answers

TARGETS = np.array([1.0, 1.2, 1.5])


def known_device() -> None:
    """Ask for three targets, and compare with the exact answers."""
    policy = blox_env.load_policy("latency-goal")
    print(policy)
    found = policy.propose(TARGETS)
    device = blox_env.load_device(policy.environment["device"])
    for row, target, expected, latency in zip(
        found.x, TARGETS, found.latency_ms, device.latency_ms(found.x), strict=True
    ):
        print(f"{target:.1f} ms: {policy.space.describe(row)}, {latency:.3f} ms", end="")
        print(f" (expected {expected:.3f})")
    judged = judge_policy(policy, TARGETS)
    print(f"exact answers: {judged.exact.sum()} of {len(TARGETS)}")
    blind = random_answers(policy, TARGETS, np.random.default_rng(0), tries=100)
    print(f"regret {judged.regret.mean():.4f}, best of 100 random {blind.regret.mean():.4f}")


def in_the_environment() -> None:
    """The same policy as an agent, step by step."""
    policy = blox_env.load_policy("latency-goal")
    env = gym.make("blox_env/Blox-v0", **policy.environment)
    observation, info = env.reset(seed=0, options={"latency_target_ms": 1.2})
    over = False
    while not over:
        action = policy.act(observation, info["action_mask"])
        observation, reward, over, _, info = env.step(action)
    print(f"in the environment: {info['arch']}, {info['latency_ms']:.3f} ms, reward {reward:.4f}")


def made_up_ms(rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Latencies of a board that does not exist: what a network multiplies, and a constant."""
    return np.asarray(2.0 + blox_env.BloxSpace().macs(rows) / 1e8)


def unknown_device() -> None:
    """Ten timings of a board that nobody has seen, then any target."""
    policy = blox_env.load_policy("device-conditioned")
    print(policy)
    assert policy.reference is not None
    timings = made_up_ms(policy.reference)  # yours: policy.reference, measured
    found = policy.propose([3.5, 4.5], reference_ms=timings, margin=0.03)
    for row, target, latency in zip(found.x, found.target_ms, found.latency_ms, strict=True):
        truth = made_up_ms(row[None])[0]
        print(f"{target:.1f} ms: {policy.space.describe(row)}, {truth:.2f} ms", end="")
        print(f" (expected {latency:.2f})")


if __name__ == "__main__":
    known_device()
    in_the_environment()
    unknown_device()
