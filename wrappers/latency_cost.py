"""The info: what exceeds a latency budget is a cost, for constrained reinforcement learning."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv

from blox_env.envs.episode.answers import Answers
from blox_env.problem.reward import excess
from blox_env.wrappers._episodes import EpisodeVectorWrapper, Mask, Step, Wrapper, put


class LatencyCost(Wrapper, RecordConstructorArgs):
    """A latency budget that may be exceeded and costs: ``info["cost"]``, beside any reward.

    ``max(0, latency_ms / latency_budget_ms - 1)`` of what a step evaluated, 0 of a step that
    evaluated nothing, so that it is there at every step as Safety-Gymnasium's converter wants it.
    The reward stays as it is; ``reward="accuracy"`` is what constrained RL expects. Where a budget
    must never be exceeded, the environment's own ``latency_budget_ms`` masks what would.

    Args:
        env: with ``info["latency_ms"]`` where an architecture is finished.
        latency_budget_ms: what is free.

    Raises:
        ValueError: for a budget that is not above 0, or an environment that has no latency or a
            cost already.
    """

    def __init__(self, env: gym.Env[Any, Any], latency_budget_ms: float) -> None:
        RecordConstructorArgs.__init__(self, latency_budget_ms=latency_budget_ms)
        gym.Wrapper.__init__(self, env)
        self.latency_budget_ms = _checked(env, latency_budget_ms)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode; there is a cost where it starts from an architecture."""
        observation, info = self.env.reset(seed=seed, options=options)
        if "latency_ms" in info:
            info["cost"] = self._cost(info)
        return observation, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take one action."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        info["cost"] = self._cost(info)
        return observation, reward, terminated, truncated, info

    def _cost(self, info: dict[str, Any]) -> float:
        latency = np.asarray(info.get("latency_ms", 0.0), dtype=float)
        return float(np.nan_to_num(excess(latency, self.latency_budget_ms)))  # 0 for no latency


class LatencyCostVector(EpisodeVectorWrapper, RecordConstructorArgs):
    """:class:`LatencyCost` of a vector environment; its arguments are the same."""

    def __init__(self, env: VectorEnv[Any, Any, Any], latency_budget_ms: float) -> None:
        RecordConstructorArgs.__init__(self, latency_budget_ms=latency_budget_ms)
        EpisodeVectorWrapper.__init__(self, env)
        self.latency_budget_ms = _checked(env, latency_budget_ms)

    def _begin(self, which: Mask, infos: dict[str, Any], seed: Any, own: Any) -> None:
        if "latency_ms" in infos:
            costs = np.nan_to_num(excess(infos["latency_ms"], self.latency_budget_ms))
            put(infos, "cost", costs, which & infos["_latency_ms"])

    def _stepped(self, which: Mask, step: Step) -> None:
        latency, has = step.get("latency_ms")
        costs = np.zeros(self.num_envs)
        if latency is not None:
            costs[has] = np.nan_to_num(excess(latency[has], self.latency_budget_ms))
        step.put("cost", costs, which)


def _checked(env: Any, budget: float) -> float:
    if not isinstance(budget, int | float) or not 0 < budget < np.inf:
        raise ValueError(f"latency_budget_ms must be above 0, got {budget!r}")
    base = env.unwrapped
    if isinstance(base, Answers) and base.problem.device is None:
        raise ValueError("LatencyCost needs an environment with a device, got device=None")
    if isinstance(base, Answers) and base.has_cost:
        raise ValueError("env has a cost already, that of reward='constraint': choose one of them")
    return float(budget)
