"""The compiled PPO against Stable-Baselines3's on one core: speed, and what they find.

    python perf/jax_ppo.py                # steps a second, one search and 64 at once, in turns
    python perf/jax_ppo.py --seeds 200    # and final regrets of both with the same hyper-parameters

Both have the hyper-parameters of the agent ``ppo``, and once more four passes over 64 environments
in larger minibatches. Seconds are those of the processor, so that other work on the machine counts
little; the ratios are of rounds that take turns. Regrets are compared by the Kolmogorov-Smirnov and
the Mann-Whitney test, and by an interval of the difference of their means (bootstrap, 95 %).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
import torch
from scipy import stats

import blox_env
import blox_env.agents.ppo as torch_agent
from blox_env.adapters.sb3 import make_sb3
from blox_env.jax import Population, make
from blox_env.jax.ppo import PPO, Form, Hyper

SETTINGS: dict[str, dict[str, Any]] = {
    "agent ppo": {},
    "64 environments, 4 epochs": {"envs": 64, "epochs": 4, "minibatches": 4},
}
ROUND_S = 1.5  # of the processor


class Compiled:
    """A population of compiled searches."""

    def __init__(self, agent: torch_agent.PPO, searches: int) -> None:
        env, params = make("blox_env/Blox-v0", observation="onehot")
        steps = agent.episodes * env.space.slots
        form = Form(agent.envs, steps, agent.epochs, agent.minibatches, agent.hidden)
        hyper = Hyper(agent.learning_rate, agent.entropy, agent.clip)
        keys = jax.random.split(jax.random.key(0), searches)
        self.population = Population(PPO(env, form), params, keys, hyper, updates=8)
        start = time.process_time()
        self.population.compile()
        self.compiled_s = time.process_time() - start
        memory = self.population.program.memory_analysis()
        self.megabytes = (memory.argument_size_in_bytes + memory.temp_size_in_bytes) / 1e6
        self.population.run(0.0)

    def rate(self) -> float:
        """Steps a second of one round."""
        start, steps = time.process_time(), 0
        while time.process_time() - start < ROUND_S:
            steps += self.population.run(0.0).steps
        return steps / (time.process_time() - start)


class Plain:
    """Stable-Baselines3 on the adapter."""

    def __init__(self, agent: torch_agent.PPO) -> None:
        env = make_sb3("blox_env/Blox-v0", agent.envs, observation="onehot", monitor=False)
        self.rollout = agent.episodes * 3 * agent.envs
        self.model = agent._model(env, 0, agent.episodes * 3)
        self.model.learn(4 * self.rollout)

    def rate(self) -> float:
        """Steps a second of one round."""
        start, before = time.process_time(), self.model.num_timesteps
        while time.process_time() - start < ROUND_S:
            self.model.learn(2 * self.rollout, reset_num_timesteps=False)
        return float((self.model.num_timesteps - before) / (time.process_time() - start))


def speed(rounds: int) -> dict[str, Any]:
    """Print steps a second and their ratios; and give them."""
    result: dict[str, Any] = {}
    for name, options in SETTINGS.items():
        agent = torch_agent.PPO(**options)
        plain, one, many = Plain(agent), Compiled(agent, 1), Compiled(agent, 64)
        rates = np.array([[each.rate() for each in (plain, one, many)] for _ in range(rounds)])
        found = [statistics.median(column) for column in rates.T]
        print(f"\n{name}: {vars(agent)}")
        print(f"stable-baselines3 {found[0]:10,.0f} steps/s")
        result[name] = {"parameters": vars(agent), "stable-baselines3": {"steps_s": found[0]}}
        for each, column, label in ((one, 1, "one search"), (many, 2, "64 searches")):
            ratios = rates[:, column] / rates[:, 0]
            print(
                f"{label:17} {found[column]:10,.0f} steps/s, ratio {statistics.median(ratios):.1f} "
                f"({min(ratios):.1f} … {max(ratios):.1f}); compiled in {each.compiled_s:.1f} s, "
                f"{each.megabytes:.0f} MB"
            )
            result[name][label] = {
                "steps_s": found[column],
                "ratios": ratios.tolist(),
                "compiled_s": each.compiled_s,
                "megabytes": each.megabytes,
            }
    return result


def final_regret(agent: str, seeds: int, budget: int) -> Any:
    """Regrets of the best found by searches of the default problem, ``(seeds,)``."""
    found = []
    for seed in range(seeds):
        problem = blox_env.Problem(budget=budget)
        history = blox_env.search(problem, agent, seed=seed)
        found.append(problem.optimum()[1] - history.reward.max())
    return np.array(found)


def compare_regrets(plain: Any, compiled: Any) -> dict[str, Any]:
    """Print whether two samples of regrets differ; and give them."""
    for name, values in (("ppo", plain), ("ppo-jax", compiled)):
        low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
        print(f"{name:8} mean {values.mean():.5f}, quartiles {low:.5f} {middle:.5f} {high:.5f}")
    rng = np.random.default_rng(0)
    drawn = [rng.choice(each, (10_000, len(each))).mean(axis=1) for each in (plain, compiled)]
    low, high = np.quantile(drawn[1] - drawn[0], (0.025, 0.975))
    print(
        f"difference of the means {compiled.mean() - plain.mean():+.5f} ({low:+.5f} … {high:+.5f})"
    )
    tests = {
        "Kolmogorov-Smirnov": float(stats.ks_2samp(plain, compiled).pvalue),
        "Mann-Whitney": float(stats.mannwhitneyu(plain, compiled).pvalue),
    }
    for name, p_value in tests.items():
        print(f"{name}: p = {p_value:.3f}")
    means = {"ppo": float(plain.mean()), "ppo-jax": float(compiled.mean())}
    return {"seeds": len(plain), "means": means, "difference": [low, high], "p": tests}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=0, help="searches of each for the regrets")
    parser.add_argument("--budget", type=int, default=300)
    parser.add_argument("--out", type=Path, help="a file for the figures (docs/jax_ppo.json)")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # before JAX counts the cores
    torch.set_num_threads(1)
    print(f"blox-env {blox_env.__version__}, jax {jax.__version__}, torch {torch.__version__}")
    result: dict[str, Any] = {"jax": jax.__version__, "torch": torch.__version__}
    if arguments.rounds:
        result["speed"] = speed(arguments.rounds)
    if arguments.seeds:
        print(f"\nregret after {arguments.budget} evaluations, {arguments.seeds} seeds")
        agents = ("ppo", "ppo-jax")
        samples = [final_regret(a, arguments.seeds, arguments.budget) for a in agents]
        result["regret"] = {"budget": arguments.budget, **compare_regrets(*samples)}
    if arguments.out:
        arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
