"""Proximal policy optimisation with invalid actions masked, by sb3-contrib.

Huang & Ontañón, *A Closer Look at Invalid Action Masking in Policy Gradient Algorithms*, 2022;
Schulman et al., *Proximal Policy Optimization Algorithms*, 2017. Operations and connections are
chosen one after the other where the space has them (in Blox 9 steps of at most 8 actions instead
of 3 of 45), and what makes no block is masked. As in :mod:`blox_env.agents.ppo` γ = λ = 1, since
the only reward comes at the end.
Deviations from sb3-contrib's defaults are the arguments below, set by hand after a few searches of
1,000 evaluations on ``digits``, mostly with latency (seeds 0 and 1): with less entropy the policy
settles early and asks for the same few architectures until the queries are spent.
"""

from __future__ import annotations

from typing import Any

from blox_env.agent import Agent, Seed
from blox_env.agents._sb3 import train
from blox_env.envs.episode.decisions import Decisions, Granularity
from blox_env.ground.errors import check_positive_int
from blox_env.problem import Problem


class MaskablePPO(Agent):
    """Actor and critic on observations of operations, updated after ``envs × episodes`` episodes.

    Args:
        granularity: ``"operation"`` or ``"block"``, see :class:`~blox_env.envs.env.BloxEnv`.
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
        granularity: Granularity = "operation",
        envs: int = 8,
        episodes: int = 2,
        learning_rate: float = 2e-3,
        epochs: int = 10,
        minibatches: int = 2,
        entropy: float = 0.15,
        clip: float = 0.2,
        hidden: int = 64,
    ) -> None:
        self.granularity = granularity
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
        steps = self.episodes * len(Decisions(problem.space, self.granularity))
        train(
            problem,
            seed,
            lambda env, number: self._model(env, number, steps),
            envs=self.envs,
            observation="ops",
            granularity=self.granularity,
        )

    def _model(self, env: Any, seed: int, steps: int) -> Any:
        from sb3_contrib import MaskablePPO as Model

        return Model(
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
