"""Proximal policy optimisation with environment and learner in one program that JAX compiles.

The algorithm, :mod:`blox_env.jax.ppo`, is that of :mod:`blox_env.agents.ppo`, with the same
defaults, and with masks. The program works on the table of the problem's answers; each architecture
that it asks for is then asked of the problem, in the same order, so that account and history are
those of any other agent. A process compiles once for all searches of the same form, for about ten
seconds; the searches then take a fraction of one.
"""

from __future__ import annotations

from typing import Any

from blox_env.agent import Agent, Seed
from blox_env.agents._jax import run
from blox_env.envs.episode.decisions import Granularity
from blox_env.envs.episode.observations import Observation
from blox_env.ground.errors import check_positive_int
from blox_env.ground.extras import extra
from blox_env.problem import Problem


class PPOJax(Agent):
    """Actor and critic, updated after every ``envs × episodes`` episodes.

    Args:
        granularity: ``"block"`` or ``"operation"``, see :class:`~blox_env.envs.env.BloxEnv`.
        observation: ``"onehot"`` or ``"ops"``.
        envs: environments stepped side by side.
        episodes: episodes of each environment between updates.
        learning_rate: of Adam.
        epochs: passes over the collected steps at each update.
        minibatches: parts of the collected steps in each pass.
        entropy: weight of the entropy bonus.
        clip: clipping range of the probability ratio.
        hidden: width of the two hidden layers.
    """

    requires = frozenset({"table"})

    def __init__(
        self,
        granularity: Granularity = "block",
        observation: Observation = "onehot",
        envs: int = 8,
        episodes: int = 2,
        learning_rate: float = 2e-3,
        epochs: int = 10,
        minibatches: int = 2,
        entropy: float = 0.06,
        clip: float = 0.2,
        hidden: int = 64,
    ) -> None:
        self.granularity, self.observation = granularity, observation
        self.envs = check_positive_int("envs", envs)
        self.episodes = check_positive_int("episodes", episodes)
        self.learning_rate = float(learning_rate)
        self.epochs = check_positive_int("epochs", epochs)
        self.minibatches = check_positive_int("minibatches", minibatches)
        self.entropy = float(entropy)
        self.clip = float(clip)
        self.hidden = check_positive_int("hidden", hidden)

    def search(self, problem: Problem, *, seed: Seed) -> None:
        """Train until the problem is done.

        Raises:
            ImportError: without the extra ``jax``.
            ValueError: for a space that cannot be listed.
        """
        with extra("jax", "the agent ppo-jax"):
            from blox_env.jax.ppo import PPO, Form, Hyper

        def make(env: Any) -> PPO:
            steps = self.episodes * len(env.rules.decisions)
            width, passes = self.hidden, self.epochs
            # the problem has the account
            return PPO(env, Form(self.envs, steps, passes, self.minibatches, width, budget=1))

        shown = {"granularity": self.granularity, "observation": self.observation}
        run(problem, seed, make, Hyper(self.learning_rate, self.entropy, self.clip), **shown)
