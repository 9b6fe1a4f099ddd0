"""Reward and observation: weights of the objectives are drawn for every episode and shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from blox_env.ground.typing import FloatArray
from blox_env.wrappers._episodes import EpisodeDraws, EpisodeVectorWrapper, Mask, Step, Wrapper, put
from blox_env.wrappers._scalarisation import Scalarisation


class RandomWeights(Wrapper, RecordConstructorArgs):
    """One policy for all preferences: each episode has weights of its own, which the agent sees.

    Weights are drawn evenly over all that sum up to 1 (Dirichlet), by seed and number of the
    episode alone; ``reset(options={"weights": …})`` sets those of the next episode. The observation
    has them at its end: a ``Box`` (or the ``observations`` of a ``Dict`` with action masks) grows
    by them, another ``Dict`` has them under ``weights``. The reward is the weighted one, as in
    :class:`~blox_env.wrappers.scalar_reward.ScalarReward`, with ``info["vector_reward"]`` and
    ``info["reward_weights"]``; the latter is there at reset, too.

    Args:
        env: with vector rewards and a ``reward_space``.
        how: ``"linear"`` or ``"chebyshev"``, see
            :class:`~blox_env.wrappers._scalarisation.Scalarisation`.
        low: rewards of each objective that count as 0; rewards as they are if not given.
        high: rewards of each objective that count as 1.

    Raises:
        ValueError: for an environment without vector rewards, bounds of another shape, or
            observations that have no place for numbers.
    """

    reward_space = None
    changes_reward = True

    def __init__(
        self,
        env: gym.Env[Any, Any],
        how: str = "linear",
        low: Sequence[float] | None = None,
        high: Sequence[float] | None = None,
    ) -> None:
        RecordConstructorArgs.__init__(self, how=how, low=low, high=high)
        gym.Wrapper.__init__(self, env)
        self.scalarisation = Scalarisation(env, how, low, high)
        self.observation_space = _with_weights(env.observation_space, self.scalarisation.objectives)
        self._draws = EpisodeDraws(1, type(self).__name__)
        self._weights = np.zeros((1, self.scalarisation.objectives))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode.

        Args:
            seed: begins a new sequence of weights, too.
            options: ``"weights"`` ``(objectives,)``; the rest is the environment's.

        Raises:
            ValueError: for weights of another shape or sum.
        """
        asked = dict(options or {})
        given = _given(self.scalarisation, asked, 1)
        observation, info = self.env.reset(seed=seed, options=asked if options else None)
        self._draws.begin(np.ones(1, dtype=bool), seed, self.env.unwrapped)
        drawn = _drawn(self._draws, self.scalarisation.objectives)
        self._weights = drawn if given is None else given
        info["reward_weights"] = self._weights[0].copy()
        return self._shown(observation), info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take one action; the reward is the weighted one."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        info |= {"vector_reward": reward, "reward_weights": self._weights[0].copy()}
        vector: Any = reward
        scalar = float(self.scalarisation(vector[None], self._weights)[0])
        return self._shown(observation), scalar, terminated, truncated, info

    def _shown(self, observation: Any) -> Any:
        return _joined(observation, self._weights[0].astype(np.float32))


class RandomWeightsVector(EpisodeVectorWrapper, RecordConstructorArgs):
    """:class:`RandomWeights` of a vector environment; its arguments are the same.

    ``reset(options={"weights": …})`` takes weights for all, or ``(num_envs, objectives)``.
    """

    reward_space = None
    changes_reward = True

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        how: str = "linear",
        low: Sequence[float] | None = None,
        high: Sequence[float] | None = None,
    ) -> None:
        RecordConstructorArgs.__init__(self, how=how, low=low, high=high)
        EpisodeVectorWrapper.__init__(self, env)
        self.scalarisation = Scalarisation(env, how, low, high)
        count = self.scalarisation.objectives
        self.single_observation_space = _with_weights(env.single_observation_space, count)
        self.observation_space = batch_space(self.single_observation_space, env.num_envs)
        # of the same name as the single one, so that they draw the same
        self._draws = EpisodeDraws(env.num_envs, RandomWeights.__name__)
        self._weights = np.zeros((env.num_envs, count))

    def _take(self, options: dict[str, Any]) -> FloatArray | None:
        return _given(self.scalarisation, options, self.num_envs)

    def _begin(self, which: Mask, infos: dict[str, Any], seed: Any, own: Any) -> None:
        self._draws.begin(which, seed, self.env.unwrapped)
        weights = _drawn(self._draws, self.scalarisation.objectives) if own is None else own
        self._weights[which] = weights[which]
        put(infos, "reward_weights", self._weights, which)

    def _stepped(self, which: Mask, step: Step) -> None:
        step.put("vector_reward", step.rewards, which)
        step.put("reward_weights", self._weights, which)
        step.rewards = self.scalarisation(step.rewards, self._weights)

    def _observation(self, observations: Any) -> Any:
        return _joined(observations, self._weights.astype(np.float32))

    def _final_observations(self, infos: dict[str, Any], ended: Mask) -> None:
        if not ended.any():
            return
        numbers, final = np.flatnonzero(ended), infos["final_obs"]
        last, shown = final[numbers], self._weights[numbers].astype(np.float32)
        if isinstance(last[0], dict):
            joined: Any = [_joined(*both) for both in zip(last, shown, strict=True)]
        else:
            joined = _joined(np.stack(last), shown)
        for number, observation in zip(numbers.tolist(), joined, strict=True):
            final[number] = observation  # objects, one each


def _with_weights(space: spaces.Space[Any], count: int) -> spaces.Space[Any]:
    """An observation space with so many weights."""
    if isinstance(space, spaces.Box) and len(space.shape) == 1 and space.dtype == np.float32:
        low = np.concatenate([space.low, np.zeros(count, dtype=np.float32)])
        return spaces.Box(low, np.concatenate([space.high, np.ones(count, dtype=np.float32)]))
    if isinstance(space, spaces.Dict):
        parts = dict(space.spaces)
        if "observations" in parts:
            return spaces.Dict(
                {**parts, "observations": _with_weights(parts["observations"], count)}
            )
        return spaces.Dict({**parts, "weights": spaces.Box(0.0, 1.0, (count,), np.float32)})
    raise ValueError(
        f"env must have float32 vectors or a Dict as observations to show weights in, got {space}: "
        "choose observation='ops', 'onehot', 'graph' or 'dict'"
    )


def _joined(observation: Any, weights: NDArray[np.float32]) -> Any:
    """An observation, of one environment or of all, with its weights."""
    if not isinstance(observation, dict):
        return np.concatenate([observation, weights], axis=-1)
    if "observations" in observation:
        return {**observation, "observations": _joined(observation["observations"], weights)}
    return {**observation, "weights": weights.copy()}


def _given(scalarisation: Scalarisation, options: dict[str, Any], n: int) -> FloatArray | None:
    """Take the weights ``(n, objectives)`` out of options, if they are there."""
    if "weights" not in options:
        return None
    asked = options.pop("weights")
    weights = scalarisation.weights(asked, "options['weights']", n)
    if not np.allclose(weights.sum(axis=1), 1.0, atol=1e-5):
        raise ValueError(f"options['weights'] must sum up to 1, got {asked!r}")
    return weights


def _drawn(draws: EpisodeDraws, count: int) -> FloatArray:
    """Weights ``(n, count)`` of the episodes at hand, even over the simplex."""
    share = -np.log1p(-draws.uniform(count)) + 1e-300  # exponential, never all zero
    weights: FloatArray = share / share.sum(axis=1, keepdims=True)
    return weights
