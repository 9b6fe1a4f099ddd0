"""Rewards of finished architectures: one number, or a vector of objectives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from blox_env.envs.episode.outcomes import Outcome
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem import Problem
from blox_env.problem.history import Trials
from blox_env.problem.objectives import Objectives

Rewards = NDArray[np.float32]


class Reward(ABC):
    """Rewards of many episodes at once."""

    @abstractmethod
    def nothing(self, n: int) -> NDArray[Any]:
        """Rewards of ``n`` steps that earn nothing."""

    @abstractmethod
    def of(self, rows: IntArray, outcome: Outcome) -> NDArray[Any]:
        """Rewards of architectures ``(n, slots)``; higher is better.

        Args:
            rows: the architectures.
            outcome: theirs.
        """


class ScalarReward(Reward):
    """The formula's reward, float64 ``(n,)``."""

    def nothing(self, n: int) -> FloatArray:
        """Zeros ``(n,)``."""
        return np.zeros(n)

    def of(self, rows: IntArray, outcome: Outcome) -> FloatArray:
        """The reward of the outcome."""
        return outcome.reward


class VectorReward(Reward):
    """Objectives of a problem as float32 rewards, and the space they lie in.

    Args:
        problems: one, or one a device where the device is drawn.
        names: of the objectives.

    Attributes:
        objectives: what the rewards are.
        space: where the rewards of one environment lie.

    Raises:
        ValueError: as :class:`~blox_env.problem.objectives.Objectives`.
    """

    def __init__(self, problems: Sequence[Problem], names: str | Sequence[str]) -> None:
        self.problem = problems[0]
        self.devices = [problem.device for problem in problems]  # one, or those of a goal
        self.objectives = Objectives(names, self.problem.benchmark, self.problem.device)
        self.space = spaces.Box(*self._bounds(), dtype=np.float32)

    def nothing(self, n: int) -> Rewards:
        """Zeros ``(n, objectives)``."""
        return np.zeros((n, len(self.objectives)), dtype=np.float32)

    def of(self, rows: IntArray, outcome: Outcome | Trials) -> Rewards:
        """Rewards ``(n, objectives)`` of architectures ``(n, slots)``; higher is better."""
        values = self.objectives.values(
            rows, reward=outcome.reward, val_acc=outcome.val_acc, latency_ms=outcome.latency_ms
        )
        return values.astype(np.float32)

    def _bounds(self) -> tuple[Rewards, Rewards]:
        """Lowest and highest rewards; 0 is one, before an episode's end."""
        space = self.problem.space
        lowest = []
        for name in self.objectives.names:
            low = -np.inf
            if name == "val_acc":
                low = 0.0
            elif not space.listable or name == "reward":
                pass
            elif name == "latency_ms":
                low = -max(float(d.quantiles_ms((1.0,))[0]) for d in self.devices if d is not None)
            else:
                rows = self.problem.task.known.all()
                low = -float(np.nanmax(self.objectives.size_of(name, rows)))
            # rounded outwards, so that no value lies outside
            lowest.append(low and np.nextafter(np.float32(low), np.float32(-np.inf)))
        tops = {"val_acc": 1.0, "reward": np.inf}
        highest = [tops.get(name, 0.0) for name in self.objectives.names]
        return np.array(lowest, dtype=np.float32), np.array(highest, dtype=np.float32)
