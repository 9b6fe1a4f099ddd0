"""The exact Pareto front of an environment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blox_env.envs.episode.rules import Rules
from blox_env.ground.typing import IntArray
from blox_env.problem import Problem
from blox_env.problem.pareto import front

Rewards = NDArray[np.float32]


class HasFront:
    """``pareto_front`` as MO-Gymnasium has it, and the architectures that reach it.

    Both list the space, by mean values of full trainings; with ``latency_budget_ms`` what is within
    it. They raise a ValueError where the space is too large (over 10^7) or the goal is the device:
    every device has a front of its own.
    """

    rules: Rules
    _edits = False  # whether episodes change whole architectures

    def pareto_front(self, gamma: float = 1.0) -> list[Rewards]:
        """Returns of the Pareto-optimal architectures, ``(objectives,)`` each.

        By falling first objective. The objectives are those of a vector reward; where the reward is
        a number they are ``val_acc`` and, with a device, minus ``latency_ms``.

        Args:
            gamma: discount of the reward, which comes with the last decision; without effect
                where architectures are edited, as these episodes have none.
        """
        return list(self._front()[1] * np.float32(gamma ** (self._decisions - 1)))

    def pareto_set(self) -> IntArray:
        """An architecture ``(slots,)`` for each point of :meth:`pareto_front`, ``(k, slots)``."""
        return self._front()[0]

    @property
    def _front_objectives(self) -> tuple[str, ...]:
        return ("val_acc",) if self.rules.problem.device is None else ("val_acc", "latency_ms")

    @property
    def _decisions(self) -> int:
        """Steps until the reward."""
        return 1 if self.rules.decisions.whole or self._edits else len(self.rules.decisions)

    def _front(self) -> tuple[IntArray, Rewards]:
        if self.rules.goals.goal == "device":
            raise ValueError("every device has a front of its own: make an environment for each")
        own = self.rules.problem
        problem = Problem(
            own.benchmark,
            own.device,
            own.formula,
            latency_target_ms=own.latency_target_ms if own.device is not None else None,
            objectives=self._front_objectives,
            keep=False,
        )
        rows, values = problem.pareto_front(latency_budget_ms=self.rules.masks.budget_ms)
        rewards = values.astype(np.float32)  # rounding makes some of them equal
        best = front(rewards, maximise=True)
        rows, rewards = rows[best], rewards[best]
        _, first = np.unique(rewards, axis=0, return_index=True)
        return rows[first[::-1]], rewards[first[::-1]]
