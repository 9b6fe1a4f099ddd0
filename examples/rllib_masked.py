"""PPO with RLlib on the new API stack: our masked module, and the native vector environment.

One line more than without masks, ``rl_module``. Goals, where an environment draws them, are part of
the observation and need nothing. RLlib wants the default autoreset mode, NextStep.

    OMP_NUM_THREADS=1 python examples/rllib_masked.py --iterations 30

Needs the extra rllib; `make clients` runs it in an environment that has it.
"""

from __future__ import annotations

import argparse
import logging

import ray
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.rl_module.rl_module import RLModuleSpec

from blox_env.adapters.rllib import MaskedRLModule


def make_config(num_envs: int = 64) -> PPOConfig:
    """Three operations make a block and three blocks a network: 9 steps, 8 actions, masks."""
    return (
        PPOConfig()
        .environment(
            "blox_env:blox_env/Blox-v0",
            env_config={"observation": "dict", "granularity": "operation"},
        )
        .env_runners(
            num_env_runners=0,
            num_envs_per_env_runner=num_envs,
            gym_env_vectorize_mode="vector_entry_point",
        )
        .training(
            gamma=1.0, lr=2e-3, train_batch_size_per_learner=2304, minibatch_size=256, num_epochs=4
        )
        .rl_module(
            rl_module_spec=RLModuleSpec(
                module_class=MaskedRLModule, model_config={"fcnet_hiddens": [64, 64]}
            )
        )
    )


def main() -> None:
    """Train in this process and say how the reward grows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--iterations", type=int, default=3, help="of 2,304 steps each")
    arguments = parser.parse_args()
    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        object_store_memory=100 * 2**20,
        logging_level=logging.ERROR,
    )
    algorithm = make_config().build_algo()
    try:
        for _ in range(arguments.iterations):
            results = algorithm.train()["env_runners"]
            print(
                f"{results['num_env_steps_sampled_lifetime']:7,.0f} steps: "
                f"mean reward of an episode {results['episode_return_mean']:.4f}"
            )
    finally:
        algorithm.stop()
        ray.shutdown()


if __name__ == "__main__":
    main()
