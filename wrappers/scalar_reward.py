"""The reward: a vector becomes one number, by fixed weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv

from blox_env.wrappers._episodes import EpisodeVectorWrapper, Mask, Step, Wrapper
from blox_env.wrappers._scalarisation import Scalarisation


class ScalarReward(Wrapper, RecordConstructorArgs):
    """Rewards of ``blox_env/MOBlox-v0``, or of another environment of that kind, as one number.

    As MO-Gymnasium's ``LinearReward`` does, ``info["vector_reward"]`` keeps the rewards and
    ``info["reward_weights"]`` says the weights; ``reward_space`` is None.

    Args:
        env: with vector rewards and a ``reward_space``.
        weights: of the objectives, at least 0.
        how: ``"linear"`` or ``"chebyshev"``, see
            :class:`~blox_env.wrappers._scalarisation.Scalarisation`.
        low: rewards of each objective that count as 0; rewards as they are if not given.
        high: rewards of each objective that count as 1.

    Raises:
        ValueError: for an environment without vector rewards, weights or bounds of another shape.
    """

    reward_space = None
    changes_reward = True

    def __init__(
        self,
        env: gym.Env[Any, Any],
        weights: Sequence[float],
        how: str = "linear",
        low: Sequence[float] | None = None,
        high: Sequence[float] | None = None,
    ) -> None:
        RecordConstructorArgs.__init__(self, weights=weights, how=how, low=low, high=high)
        gym.Wrapper.__init__(self, env)
        self.scalarisation = Scalarisation(env, how, low, high)
        self.weights = self.scalarisation.weights(weights)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take one action; the reward is the weighted one."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        info |= {"vector_reward": reward, "reward_weights": self.weights.copy()}
        vector: Any = reward
        scalar = float(self.scalarisation(vector[None], self.weights)[0])
        return observation, scalar, terminated, truncated, info


class ScalarRewardVector(EpisodeVectorWrapper, RecordConstructorArgs):
    """:class:`ScalarReward` of a vector environment; its arguments are the same."""

    reward_space = None
    changes_reward = True

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        weights: Sequence[float],
        how: str = "linear",
        low: Sequence[float] | None = None,
        high: Sequence[float] | None = None,
    ) -> None:
        RecordConstructorArgs.__init__(self, weights=weights, how=how, low=low, high=high)
        EpisodeVectorWrapper.__init__(self, env)
        self.scalarisation = Scalarisation(env, how, low, high)
        self.weights = self.scalarisation.weights(weights)

    def _stepped(self, which: Mask, step: Step) -> None:
        step.put("vector_reward", step.rewards, which)
        step.put("reward_weights", np.tile(self.weights, (self.num_envs, 1)), which)
        step.rewards = self.scalarisation(step.rewards, self.weights)
