"""Stable-Baselines3's PPO on the native vector environment, and on single environments.

The same PPO (same hyper-parameters, same seed, same steps) trains on 1,024 environments of
``blox_env/Blox-v0`` through ``blox_env.adapters.sb3`` and through Stable-Baselines3's
``DummyVecEnv`` over ``gym.make``; both under one ``VecMonitor``. They take turns, round by round.

    python perf/sb3_training.py

Prints steps per second, the ratio, and the environment's share of the time: what is spent inside
``reset``, ``step_async`` and ``step_wait`` of the environment without the monitor. Rollouts of
``n_steps=6`` are two episodes each, 6,144 steps, updated in minibatches of 2,048. How often each is
gone through (``n_epochs``) decides how much of the time is the network's, so it is shown for 4, a
common choice for PPO on many environments, and for 10, Stable-Baselines3's default.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import stable_baselines3
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecEnvWrapper, VecMonitor
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

import blox_env
from blox_env.adapters.sb3 import make_sb3

ID = "blox_env/Blox-v0"
EPOCHS = (4, 10)
PARAMETERS: dict[str, Any] = {
    "n_steps": 6,
    "batch_size": 2048,
    "learning_rate": 2e-3,
    "ent_coef": 0.01,
    "gamma": 1.0,
    "gae_lambda": 1.0,
    "seed": 0,
    "device": "cpu",
}
WANTED = 1.5


class Timed(VecEnvWrapper):
    """Adds up the seconds spent in an environment."""

    seconds = 0.0

    def reset(self) -> VecEnvObs:
        """Start all episodes."""
        start = time.perf_counter()
        observations = self.venv.reset()
        self.seconds += time.perf_counter() - start
        return observations

    def step_async(self, actions: np.ndarray) -> None:
        """Take note of the actions."""
        start = time.perf_counter()
        self.venv.step_async(actions)
        self.seconds += time.perf_counter() - start

    def step_wait(self) -> VecEnvStepReturn:
        """Take the actions."""
        start = time.perf_counter()
        result = self.venv.step_wait()
        self.seconds += time.perf_counter() - start
        return result


class Round(NamedTuple):
    """One training."""

    steps_s: float  # steps a second
    share: float  # of the time that is the environment's


class Training:
    """A PPO that goes on training, round by round."""

    def __init__(self, env: VecEnv, epochs: int) -> None:
        self.timed = Timed(env)
        monitored = VecMonitor(self.timed)
        self.model = PPO("MlpPolicy", monitored, n_epochs=epochs, **PARAMETERS)
        self.rounds: list[Round] = []

    def run(self, steps: int) -> Round:
        """Train for so many more steps."""
        self.timed.seconds = 0.0
        before, start = self.model.num_timesteps, time.perf_counter()
        self.model.learn(steps, reset_num_timesteps=False)
        seconds = time.perf_counter() - start
        return Round((self.model.num_timesteps - before) / seconds, self.timed.seconds / seconds)


def main() -> None:
    """Train both in turns and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--envs", type=int, default=1024)
    parser.add_argument("--rollouts", type=int, default=4, help="of each in a round")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    n, steps = arguments.envs, arguments.rollouts * arguments.envs * PARAMETERS["n_steps"]
    print(
        f"blox-env {blox_env.__version__}, stable-baselines3 {stable_baselines3.__version__}, "
        f"torch {torch.__version__}, 1 thread; {n:,} environments of {ID}, "
        f"{arguments.rounds} rounds of {steps:,} steps in turns, medians"
    )
    print(", ".join(f"{key}={value}" for key, value in PARAMETERS.items()))
    for epochs in EPOCHS:
        ways = {
            "adapter": Training(make_sb3(ID, n, monitor=False), epochs),
            "DummyVecEnv": Training(DummyVecEnv([lambda: gym.make(ID)] * n), epochs),
        }
        for training in ways.values():
            training.run(n * PARAMETERS["n_steps"])  # first use is not what is asked
        for _ in range(arguments.rounds):
            for training in ways.values():
                training.rounds.append(training.run(steps))
        print(f"\nn_epochs={epochs:<12}{'steps/s':>12}{'environment':>14}{'mean reward':>14}")
        for name, training in ways.items():
            share = statistics.median(r.share for r in training.rounds)
            steps_s = statistics.median(r.steps_s for r in training.rounds)
            episodes = training.model.ep_info_buffer or ()
            reward = float(np.mean([episode["r"] for episode in episodes]))
            print(f"{name:<21}{steps_s:12,.0f}{share:14.1%}{reward:14.4f}")
        pairs = zip(ways["adapter"].rounds, ways["DummyVecEnv"].rounds, strict=True)
        ratios = [fast.steps_s / slow.steps_s for fast, slow in pairs]
        print(
            f"ratio {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f} … {max(ratios):.2f} over the rounds; wanted: {WANTED})"
        )


if __name__ == "__main__":
    main()
