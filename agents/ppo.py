"""Proximal policy optimisation on the environment, by Stable-Baselines3.

Schulman et al., *Proximal Policy Optimization Algorithms*, 2017. The policy picks a block a step;
with the reward at the end of three steps nothing is gained by discounting, so γ = λ = 1.
Deviations from Stable-Baselines3's defaults are the arguments below. They were set by hand after a
few trials with two seeds, most of all the entropy bonus: with less of it the policy settles before
the budget is spent. ``perf/tune_ppo.py`` searches them systematically.
"""

from __future__ import annotations

from typing import Any

from blox_env.agent import Agent, Seed
from blox_env.agents._sb3 import train
from blox_env.ground.errors import check_positive_int
from blox_env.problem import Problem


class PPO(Agent):
    """Actor and critic on one-hot observations, updated after every ``envs × episodes`` episodes.

    Args:
        envs: environments stepped side by side.
        episodes: episodes of each environment between updates.
        learning_rate: of Adam.
        epochs: passes over the collected steps at each update.
        minibatches: parts of the collected steps in each pass.
        entropy: weight of the entropy bonus.
        clip: clipping range of the probability ratio.
        hidden: width of the two hidden layers.
    """

    def __init__(
        self,
        envs: int = 8,
        episodes: int = 2,
        learning_rate: float = 2e-3,
        epochs: int = 10,
        minibatches: int = 2,
        entropy: float = 0.06,
        clip: float = 0.2,
        hidden: int = 64,
    ) -> None:
        self.envs = check_positive_int("envs", envs)
        self.episodes = check_positive_int("episodes", episodes)
        self.learning_rate = float(learning_rate)
        self.epochs = check_positive_int("epochs", epochs)
        self.minibatches = check_positive_int("minibatches", minibatches)
        self.entropy = float(entropy)
        self.clip = float(clip)
        self.hidden = check_positive_int("hidden", hidden)

    def search(self, problem: Problem, *, seed: Seed) -> None:
        """Train until the problem is done."""
        steps = self.episodes * problem.space.slots
        train(problem, seed, lambda env, number: self._model(env, number, steps), envs=self.envs)

    def _model(self, env: Any, seed: int, steps: int) -> Any:
        from stable_baselines3 import PPO as SB3PPO

        return SB3PPO(
            "MlpPolicy",
            env,
            learning_rate=self.learning_rate,
            n_steps=steps,
            batch_size=max(2, steps * self.envs // self.minibatches),
            n_epochs=self.epochs,
            gamma=1.0,
            gae_lambda=1.0,
            clip_range=self.clip,
            ent_coef=self.entropy,
            policy_kwargs={"net_arch": [self.hidden, self.hidden]},
            seed=seed,
            device="cpu",
        )
