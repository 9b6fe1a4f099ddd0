"""Steps per second of the environments, beside Gymnasium's CartPole-v1 in the same run.

    python perf/vector_env.py

Prints steps per second and the ratios that matter. Every figure is the median of several rounds,
and the rounds of what is compared take turns, so that a slower machine slows both. A step includes
the resets that it brings: with ``NEXT_STEP`` a quarter of the steps of ``Blox-v0`` start an
episode, for single environments ``reset`` is called in the loop.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

import blox_env

ROUNDS = 9
SECONDS = 0.4  # of a round, about


def vector_steps(env: Any, seed: int = 0) -> Callable[[int], float]:
    """A function that takes so many steps of ``env`` and gives seconds a step and environment."""
    rng = np.random.default_rng(seed)
    count = env.single_action_space.n
    actions = rng.integers(0, count, size=(64, env.num_envs))
    env.reset(seed=seed)

    n = int(env.num_envs)

    def run(steps: int) -> float:
        start = time.perf_counter()
        for step in range(steps):
            env.step(actions[step % 64])
        return (time.perf_counter() - start) / (steps * n)

    return run


def single_steps(env: Any, seed: int = 0) -> Callable[[int], float]:
    """The same for a single environment that is reset when an episode ends."""
    actions = np.random.default_rng(seed).integers(0, env.action_space.n, size=4096)
    env.reset(seed=seed)

    def run(steps: int) -> float:
        start = time.perf_counter()
        for step in range(steps):
            _, _, terminated, truncated, _ = env.step(actions[step % 4096])
            if terminated or truncated:
                env.reset()
        return (time.perf_counter() - start) / steps

    return run


def gather(n: int) -> Callable[[int], float]:
    """Two plain tables looked up at ``n`` random places: what no environment can be faster than."""
    rng = np.random.default_rng(0)
    tables = rng.random((2, 91_125))
    places = rng.integers(0, 91_125, size=(64, n))

    def run(steps: int) -> float:
        start = time.perf_counter()
        for step in range(steps):
            tables[0][places[step % 64]]
            tables[1][places[step % 64]]
        return (time.perf_counter() - start) / (steps * n)

    return run


def blox(num_envs: int, mode: str = "vector_entry_point", **arguments: Any) -> Any:
    """``Blox-v0`` as a vector environment."""
    return gym.make_vec("blox_env/Blox-v0", num_envs=num_envs, vectorization_mode=mode, **arguments)


def main() -> None:
    """Time everything in turns and print."""
    print(f"blox-env {blox_env.__version__}, gymnasium {gym.__version__}, numpy {np.__version__}")
    cartpole = gym.make_vec("CartPole-v1", num_envs=4096, vectorization_mode="vector_entry_point")
    runs = {
        "gather, 2 tables, 4,096": gather(4096),
        "CartPole-v1, native, 4,096": vector_steps(cartpole),
        "Blox-v0, native, 4,096, indices": vector_steps(blox(4096, observation="indices")),
        "Blox-v0, native, 4,096, ops": vector_steps(blox(4096)),
        "Blox-v0, native, 4,096, operation": vector_steps(blox(4096, granularity="operation")),
        "Blox-v0, native, 1,024, ops": vector_steps(blox(1024)),
        "Blox-v0, SyncVectorEnv, 64, ops": vector_steps(blox(64, "sync")),
        "CartPole-v1, single": single_steps(gym.make("CartPole-v1")),
        "Blox-v0, single, ops": single_steps(gym.make("blox_env/Blox-v0")),
    }
    steps, times = {}, {name: [] for name in runs}  # type: dict[str, int], dict[str, list[float]]
    for name, run in runs.items():
        run(3)
        start = time.perf_counter()
        run(10)
        steps[name] = max(3, int(10 * SECONDS / (time.perf_counter() - start)))
    for _ in range(ROUNDS):
        for name, run in runs.items():
            times[name].append(run(steps[name]))
    print(f"\n{'':36}{'steps/s':>14}{'ns a step':>12}")
    for name in runs:
        ns = 1e9 * statistics.median(times[name])
        print(f"{name:36}{1e9 / ns:14,.0f}{ns:12.1f}")

    def ratio(fast: str, slow: str) -> float:
        return statistics.median(b / a for a, b in zip(times[fast], times[slow], strict=True))

    print("\nratios of steps per second (median over rounds):")
    for fast, slow, goal in (
        ("Blox-v0, native, 4,096, indices", "CartPole-v1, native, 4,096", 2.0),
        ("Blox-v0, native, 4,096, ops", "CartPole-v1, native, 4,096", 1.5),
        ("Blox-v0, native, 4,096, operation", "CartPole-v1, native, 4,096", 0.6),
        ("Blox-v0, native, 1,024, ops", "Blox-v0, SyncVectorEnv, 64, ops", 40.0),
        ("Blox-v0, single, ops", "CartPole-v1, single", 1.0),
    ):
        print(f"{ratio(fast, slow):8.2f}  {fast} / {slow}   (wanted: {goal})")


if __name__ == "__main__":
    main()
