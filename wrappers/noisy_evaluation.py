"""Accuracy and reward: every evaluation is off by a chance error, as single trainings are."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv, VectorWrapper

from blox_env.envs.episode.answers import Answers
from blox_env.ground.typing import FloatArray
from blox_env.wrappers._episodes import EpisodeDraws, EpisodeVectorWrapper, Mask, Step, Wrapper


class NoisyEvaluation(Wrapper, RecordConstructorArgs):
    """Gaussian noise on the accuracy of what is finished, and the reward that follows from it.

    The error is new in every episode, by its seed and number alone, so that asking again gives
    another answer; ``noise="sampled"`` of the environment gives each architecture one training that
    stays the same. The reward is worked out anew from the noisy accuracy, by the formula or as a
    vector, and ``info["val_acc"]`` shows it; accuracies stay within 0 … 1. What a ``problem=``
    records is without this noise.

    Args:
        env: ``blox_env/Blox-v0`` or ``blox_env/MOBlox-v0``, not wrapped in anything that changes
            the reward.
        deviation: standard deviation of the error, as a fraction; the cards of benchmarks tell the
            noise of their trainings.

    Raises:
        ValueError: for another environment, or a negative deviation.
    """

    def __init__(self, env: gym.Env[Any, Any], deviation: float) -> None:
        RecordConstructorArgs.__init__(self, deviation=deviation)
        gym.Wrapper.__init__(self, env)
        self.deviation = _checked(env, deviation)
        self._draws = EpisodeDraws(1, type(self).__name__)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode; ``seed`` begins a new sequence of errors, too."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._draws.begin(np.ones(1, dtype=bool), seed, self.env.unwrapped)
        return observation, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take one action."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        if "arch" in info:
            columns = {key: np.array([info[key]]) for key in _READ if key in info}
            columns["val_acc"] = self._noisy(columns["val_acc"])
            new = _rewards(self.env.unwrapped, columns)[0]
            info["val_acc"] = float(columns["val_acc"][0])
            reward = float(new) if np.ndim(new) == 0 else new
        return observation, reward, terminated, truncated, info

    def _noisy(self, val_acc: FloatArray) -> FloatArray:
        return np.clip(val_acc + self.deviation * _normal(self._draws), 0.0, 1.0)


class NoisyEvaluationVector(EpisodeVectorWrapper, RecordConstructorArgs):
    """:class:`NoisyEvaluation` of a native vector environment; its arguments are the same."""

    def __init__(self, env: VectorEnv[Any, Any, Any], deviation: float) -> None:
        RecordConstructorArgs.__init__(self, deviation=deviation)
        EpisodeVectorWrapper.__init__(self, env)
        self.deviation = _checked(env, deviation)
        self._draws = EpisodeDraws(env.num_envs, NoisyEvaluation.__name__)

    def _begin(self, which: Mask, infos: dict[str, Any], seed: Any, own: Any) -> None:
        self._draws.begin(which, seed, self.env.unwrapped)

    def _stepped(self, which: Mask, step: Step) -> None:
        known = {key: step.get(key) for key in _READ}
        val_acc, has = known["val_acc"][0], known["arch"][1]
        if not has.any():
            return
        noisy = np.clip(val_acc + self.deviation * _normal(self._draws), 0.0, 1.0)
        columns = {key: values[has] for key, (values, _) in known.items() if values is not None}
        columns["val_acc"] = noisy[has]
        rewards = step.rewards.copy()
        rewards[has] = _rewards(self.env.unwrapped, columns)
        step.rewards = rewards
        step.put("val_acc", noisy, has)


_READ = ("arch", "val_acc", "latency_ms", "latency_target_ms", "device")  # keys of infos


def _rewards(base: Any, columns: dict[str, Any]) -> Any:
    """Rewards ``(n,)`` or ``(n, objectives)`` of an environment for what infos say."""
    nothing = np.full(len(columns["val_acc"]), np.nan)
    return base.rewards_of(
        columns["arch"],
        columns["val_acc"],
        columns.get("latency_ms", nothing),
        latency_target_ms=columns.get("latency_target_ms"),
        device=columns.get("device"),
    )


def _normal(draws: EpisodeDraws) -> FloatArray:
    """Standard normal numbers ``(n,)`` of the episodes at hand (Box & Muller, 1958)."""
    first, second = draws.uniform(2).T
    return np.asarray(np.sqrt(-2.0 * np.log1p(-first)) * np.cos(2.0 * np.pi * second))


def _checked(env: Any, deviation: float) -> float:
    if not isinstance(deviation, int | float) or not 0 <= deviation < np.inf:
        raise ValueError(f"deviation must be a number of at least 0, got {deviation!r}")
    base = env.unwrapped
    if not isinstance(base, Answers) or base.edits_architectures:
        raise ValueError(
            "NoisyEvaluation works out the rewards of blox_env/Blox-v0 and MOBlox-v0 anew, and "
            f"those of their native vector environments, got {env!r}"
        )
    layer = env
    while isinstance(layer, gym.Wrapper | VectorWrapper):
        if isinstance(layer, gym.RewardWrapper) or getattr(layer, "changes_reward", False):
            raise ValueError(
                f"NoisyEvaluation goes inside of what changes the reward, got {layer!r}: wrap the "
                "environment in NoisyEvaluation first"
            )
        layer = layer.env
    return float(deviation)
