"""Measures how quick look-ups are, for the table of README.md.

    python docs/speed.py && python docs/readme.py

Seconds are those of the processor in this process, on one core, so that other work on the machine
counts little; every figure is a median. They are kept in ``speed.json`` beside this file.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

import blox_env
from blox_env.devices.machine import machine
from blox_env.ground import defaults
from blox_env.ground.files import write_json

KEPT = Path(__file__).with_name("speed.json")
BUDGET, AGENT = 500, "regularized-evolution"
BATCH, MANY, STEPS = 10_000, 4096, 3000


def default_problem(budget: int | None = None) -> blox_env.Problem:
    """The problem that the command and the environments have by default."""
    return blox_env.Problem(defaults.BENCHMARK, defaults.DEVICE, budget=budget)


def seconds(run: Callable[[], object], times: int = 5) -> float:
    """Median of the seconds that a call takes after a first one."""
    run()
    taken = []
    for _ in range(times):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return float(np.median(taken))


def measured() -> dict[str, Any]:
    """The figures."""
    rng = np.random.default_rng(0)
    problem = default_problem()
    device = blox_env.load_device(defaults.DEVICE)
    x = problem.space.sample(rng, BATCH)
    hours: list[float] = []

    def search() -> None:
        history = blox_env.search(default_problem(BUDGET), AGENT, seed=len(hours))
        hours.append(float(history.train_time_s.sum()) / 3600)

    def look_up() -> None:
        problem.benchmark.evaluate(x)
        device.latency_ms(x)

    single = gym.make("blox_env/Blox-v0")
    actions = rng.integers(45, size=STEPS)
    vector = gym.make_vec(
        "blox_env/Blox-v0",
        num_envs=MANY,
        vectorization_mode="vector_entry_point",
        autoreset_mode="SameStep",
    )
    batches = rng.integers(45, size=(30, MANY))

    def step_one() -> None:
        single.reset(seed=0)
        for action in actions.tolist():
            *_, terminated, truncated, _ = single.step(action)
            if terminated or truncated:
                single.reset()

    def step_many() -> None:
        vector.reset(seed=0)
        for batch in batches:
            vector.step(batch)

    return {
        "benchmark": problem.benchmark.name,
        "device": device.name,
        "agent": AGENT,
        "budget": BUDGET,
        "search_s": seconds(search),
        "train_hours": float(np.median(hours)),
        "look_ups_s": BATCH / seconds(look_up),
        "front_s": seconds(lambda: default_problem().pareto_front(), 3),
        "single_steps_s": STEPS / seconds(step_one),
        "vector_steps_s": batches.size / seconds(step_many),
        "num_envs": MANY,
        "machine": machine(),
    }


if __name__ == "__main__":
    write_json(KEPT, measured())
