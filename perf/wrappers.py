"""What a wrapper of a vector environment costs: time of a step with it, over that without.

    python perf/wrappers.py

Both are timed in turns, and the median of the ratios is shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import blox_env
from blox_env import wrappers

ENVS, EPISODES, ROUNDS = 4096, 5, 11
WRAPPERS: dict[str, Callable[[Any], Any]] = {
    "ScalarReward": lambda env: wrappers.ScalarRewardVector(env, [1.0, 0.1]),
    "RandomWeights": wrappers.RandomWeightsVector,
    "LatencyCost": lambda env: wrappers.LatencyCostVector(env, 3.5),
    "EvaluationLimit": lambda env: wrappers.EvaluationLimitVector(env, 10**6),
    "NoisyEvaluation": lambda env: wrappers.NoisyEvaluationVector(env, 0.01),
    "NondominatedArchive": wrappers.NondominatedArchiveVector,
}


def main() -> None:
    """Print one ratio a wrapper."""
    for mode in ("NextStep", "SameStep"):
        plain = make(mode)
        for name, wrap in WRAPPERS.items():
            wrapped = wrap(make(mode))
            ratios = [seconds(wrapped) / seconds(plain) for _ in range(ROUNDS)]
            print(f"{mode}, {ENVS} environments, {name}: {np.median(ratios):.2f} times the time")


def make(mode: str) -> Any:
    """The environment without any wrapper."""
    return blox_env.MOBloxVectorEnv(ENVS, autoreset_mode=mode)


def seconds(env: Any) -> float:
    """Of some random episodes."""
    rng = np.random.default_rng(0)
    env.reset(seed=0)
    actions = rng.integers(45, size=(4 * EPISODES, ENVS))
    start = time.perf_counter()
    for each in actions:
        env.step(each)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
