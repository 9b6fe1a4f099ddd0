"""Limits of size and latency: a search within them, masks, and a formula of one's own."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

import blox_env

LIMITS = {"params": 2.5e6, "latency_ms": 4.0}

Array = NDArray[np.float64]


def worth(accuracy: Array, params: Array) -> Array:
    """A formula that asks for columns by the names of its arguments."""
    return accuracy - params / 1e8


def main() -> None:
    """A search, an episode by masks, and a reward of one's own."""
    problem = blox_env.Problem("digits", "x86-ort-1t", "accuracy", constraints=LIMITS, budget=100)
    print(problem.candidates)
    history = blox_env.search(problem, "local-search", seed=0)
    print(history.best)
    for goal in history.goals:
        print(f"  {goal}")
    regret = problem.regret(history.best.architecture)[0]
    front, values = problem.pareto_front()
    print(f"regret {regret:.4f}; {len(front)} points, from {values[-1, 1]:.2f} ms on")

    env = gym.make("blox_env/Blox-v0", benchmark="digits", device="x86-ort-1t", constraints=LIMITS)
    env.action_space.seed(0)
    _, info = env.reset()
    terminated = False
    while not terminated:
        _, _, terminated, _, info = env.step(env.action_space.sample(info["action_mask"]))
    print(f"an episode by masks: {info['latency_ms']:.2f} ms, cost {info['cost']}")

    own = blox_env.Problem("digits", "x86-ort-1t", worth)
    print(f"best by accuracy and size: {problem.space.describe(own.optimum()[0])}")


if __name__ == "__main__":
    main()
