"""What masks are worth: MaskablePPO beside PPO where the latency budget is tight, and less so.

    python perf/masking.py                                              # three budgets, 6 seeds
    python perf/masking.py --budgets-ms 2.8 --seeds $(seq 0 11)         # the tightest, 12 seeds

Both train on ``blox_env/Blox-v0`` by operations with a hard latency budget: same network,
hyper-parameters, seeds and number of steps; the only difference is that MaskablePPO (sb3-contrib)
reads the masks. A masked action ends an episode with reward 0. Prints, for every budget and seed,
the mean reward of 1,024 episodes that the trained policy then samples, without training; the mean
over seeds with a 95 % interval (Student's t), and that of the difference, seed by seed; and how
many masked actions each took during training.

Learning rate (7e-4, 2e-3) and entropy bonus (0.01, 0.05) were chosen on seeds 100 and 101 with the
budget of 3.0 ms, for PPO without masks: MaskablePPO found the best architecture with all but one.
"""

from __future__ import annotations

import argparse
from typing import Any, NamedTuple

import numpy as np
import sb3_contrib
import stable_baselines3
import torch
from sb3_contrib import MaskablePPO
from scipy import stats
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv

import blox_env
from blox_env import Problem
from blox_env.adapters.sb3 import make_sb3

ENVS, EPISODES = 128, 1024
PARAMETERS: dict[str, Any] = {
    "n_steps": 18,  # two episodes of nine operations
    "batch_size": 576,
    "n_epochs": 4,
    "learning_rate": 2e-3,
    "ent_coef": 0.05,
    "gamma": 1.0,
    "gae_lambda": 0.95,
    "device": "cpu",
}
ALGORITHMS: dict[str, Any] = {"MaskablePPO": MaskablePPO, "PPO": PPO}


class Masked(BaseCallback):
    """Counts the masked actions that were taken."""

    count = 0

    def _on_step(self) -> bool:
        self.count += sum("invalid" in info for info in self.locals["infos"])
        return True


class Run(NamedTuple):
    """One training."""

    reward: float  # mean of the policy's episodes after it
    invalid: float  # share of them that a masked action ended
    steps: int  # of the training
    masked: int  # masked actions taken in it


def environment(num_envs: int, budget_ms: float) -> VecEnv:
    """The task."""
    return make_sb3(
        "blox_env/Blox-v0", num_envs, granularity="operation", latency_budget_ms=budget_ms
    )


def sampled(model: Any, env: VecEnv, *, masks: bool) -> tuple[float, float]:
    """Mean reward of one episode in each environment, and the share that was invalid."""
    observations = env.reset()
    rewards, invalid = np.full(env.num_envs, np.nan), np.zeros(env.num_envs, dtype=bool)
    while np.isnan(rewards).any():
        known = {"action_masks": np.stack(env.env_method("action_masks"))} if masks else {}
        actions, _ = model.predict(observations, **known)
        observations, reward, dones, infos = env.step(actions)
        for number in np.flatnonzero(dones & np.isnan(rewards)):  # the first episode of each
            rewards[number] = reward[number]
            invalid[number] = "invalid" in infos[number]
    return float(rewards.mean()), float(invalid.mean())


def run(name: str, seed: int, steps: int, budget_ms: float) -> Run:
    """Train, then sample."""
    masked = Masked()
    env = environment(ENVS, budget_ms)
    model = ALGORITHMS[name]("MlpPolicy", env, seed=seed, **PARAMETERS)
    model.learn(steps, callback=masked)
    reward, invalid = sampled(model, environment(EPISODES, budget_ms), masks=name == "MaskablePPO")
    return Run(reward, invalid, model.num_timesteps, masked.count)


def interval(values: np.ndarray) -> str:
    """Mean and 95 % interval over seeds."""
    mean, half = values.mean(), stats.sem(values) * stats.t.ppf(0.975, len(values) - 1)
    return f"{mean:.4f} [{mean - half:.4f}, {mean + half:.4f}]"


def compare(seeds: list[int], steps: int, budget_ms: float) -> tuple[int, int]:
    """Train both with every seed and print; masked actions and steps of MaskablePPO."""
    problem = Problem("digits", "x86-ort-1t")
    trials = problem.peek(problem.space.all())
    within = trials.latency_ms <= budget_ms
    print(
        f"\nlatency_budget_ms={budget_ms}: {within.sum():,} of {len(within):,} architectures, "
        f"mean reward {trials.reward[within].mean():.4f}, best {trials.reward[within].max():.4f}"
    )
    runs: dict[str, list[Run]] = {name: [] for name in ALGORITHMS}
    print(f"{'seed':>4}  {'algorithm':<12}{'reward':>9}{'invalid':>9}{'masked actions':>16}")
    for seed in seeds:
        for name, done in runs.items():
            done.append(one := run(name, seed, steps, budget_ms))
            print(
                f"{seed:4}  {name:<12}{one.reward:9.4f}{one.invalid:9.1%}"
                f"{one.masked:9,} of {one.steps:,}",
                flush=True,
            )
    rewards = {name: np.array([r.reward for r in done]) for name, done in runs.items()}
    print(f"mean reward over {len(seeds)} seeds, 95 % interval:")
    for name, values in rewards.items():
        print(f"  {name:<12}{interval(values)}")
    difference = rewards["MaskablePPO"] - rewards["PPO"]
    above, below = int((difference > 0).sum()), int((difference < 0).sum())
    print(
        f"  {'difference':<12}{interval(difference)}, above 0 for {above} seeds, below for {below}"
    )
    masked = runs["MaskablePPO"]
    return sum(r.masked for r in masked), sum(r.steps for r in masked)


def main() -> None:
    """Compare with each budget."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(6)))
    parser.add_argument("--budgets-ms", type=float, nargs="+", default=[2.8, 3.0, 3.5])
    arguments = parser.parse_args()
    if len(arguments.seeds) < 2:
        parser.error("--seeds needs two at least, for an interval")
    torch.set_num_threads(1)
    print(
        f"blox-env {blox_env.__version__}, stable-baselines3 {stable_baselines3.__version__}, "
        f"sb3-contrib {sb3_contrib.__version__}; {arguments.steps:,} steps of {ENVS} environments\n"
        + ", ".join(f"{key}={value}" for key, value in PARAMETERS.items())
    )
    found = [compare(arguments.seeds, arguments.steps, b) for b in arguments.budgets_ms]
    masked, steps = (sum(column) for column in zip(*found, strict=True))
    print(f"\nmasked actions taken by MaskablePPO: {masked} in {steps:,} steps")


if __name__ == "__main__":
    main()
