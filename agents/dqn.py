"""Deep Q-learning on the environment, by Stable-Baselines3.

Mnih et al., *Human-level Control through Deep Reinforcement Learning*, Nature 2015. The value of a
block is learnt from a replay memory; exploration falls linearly over the first part of the budget.
Deviations from Stable-Baselines3's defaults, which are meant for millions of steps, are the
arguments below; none of them was tuned.
"""

from __future__ import annotations

from typing import Any

from blox_env.agent import Agent, Seed
from blox_env.agents._sb3 import train
from blox_env.ground.errors import check_positive_int
from blox_env.problem import Problem


class DQN(Agent):
    """Q-network on one-hot observations.

    Args:
        envs: environments stepped side by side.
        learning_rate: of Adam.
        explore: share of the budget over which exploration falls to ``final``.
        final: share of random actions in the end.
        batch: replayed steps of an update.
        updates: updates after each step of all environments.
        target: steps between updates of the target network.
        hidden: width of the two hidden layers.
    """

    def __init__(
        self,
        envs: int = 8,
        learning_rate: float = 1e-3,
        explore: float = 0.6,
        final: float = 0.1,
        batch: int = 64,
        updates: int = 4,
        target: int = 200,
        hidden: int = 64,
    ) -> None:
        self.envs = check_positive_int("envs", envs)
        self.learning_rate = float(learning_rate)
        self.explore = float(explore)
        self.final = float(final)
        self.batch = check_positive_int("batch", batch)
        self.updates = check_positive_int("updates", updates)
        self.target = check_positive_int("target", target)
        self.hidden = check_positive_int("hidden", hidden)

    def search(self, problem: Problem, *, seed: Seed) -> None:
        """Train until the problem is done."""
        steps = max(1, int(problem.remaining)) * problem.space.slots
        train(problem, seed, self._model, envs=self.envs, steps=steps)

    def _model(self, env: Any, seed: int) -> Any:
        from stable_baselines3 import DQN as SB3DQN

        return SB3DQN(
            "MlpPolicy",
            env,
            learning_rate=self.learning_rate,
            buffer_size=100_000,
            learning_starts=4 * self.batch,
            batch_size=self.batch,
            gamma=1.0,
            train_freq=1,
            gradient_steps=self.updates,
            target_update_interval=self.target,
            exploration_fraction=self.explore,
            exploration_final_eps=self.final,
            policy_kwargs={"net_arch": [self.hidden, self.hidden]},
            seed=seed,
            device="cpu",
        )
