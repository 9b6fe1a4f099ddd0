"""Answers of environments beside steps: the exact front, and the parts of rewards."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.envs.episode.outcomes import Outcome
from blox_env.envs.episode.rewards import Rewards, VectorReward
from blox_env.envs.episode.rules import Rules
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem import Problem
from blox_env.problem.pareto import front


class Answers:
    """Answers that single and vector environments give alike.

    ``pareto_front`` is as MO-Gymnasium has it, ``pareto_set`` the architectures that reach it. Both
    list the space, by mean values of full trainings; with ``latency_budget_ms`` what is within it.
    They raise a ValueError where the space is too large (over 10^7) or the goal is the device:
    every device has a front of its own.
    """

    rules: Rules

    @property
    def problem(self) -> Problem:
        """The problem that is searched; the first of :attr:`problems`."""
        return self.rules.problem

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The problem, or one a device with ``goal="device"``."""
        return tuple(self.rules.problems)

    @property
    def goal(self) -> str | None:
        """The quantity drawn at reset: ``"latency_target"``, ``"device"`` or None."""
        return self.rules.goals.goal

    @property
    def has_cost(self) -> bool:
        """True if infos have a ``cost``: with constraints, or ``reward="constraint"``."""
        return self.rules.costly

    @property
    def edits_architectures(self) -> bool:
        """True if episodes change whole architectures; their rewards are then gains."""
        return not self.rules.moves.ends

    @property
    def reward_objectives(self) -> tuple[str, ...] | None:
        """Names of a vector reward's objectives; None where the reward is a number."""
        reward = self.rules.reward
        return reward.objectives.names if isinstance(reward, VectorReward) else None

    def rewards_of(
        self,
        x: IntArray,
        val_acc: FloatArray,
        latency_ms: FloatArray,
        *,
        latency_target_ms: FloatArray | None = None,
        device: NDArray[Any] | None = None,
    ) -> NDArray[Any]:
        """Rewards that finished architectures would earn with these accuracies and latencies.

        Args:
            x: the architectures ``(n, slots)``.
            val_acc: accuracies as fractions ``(n,)``.
            latency_ms: latencies ``(n,)``, NaN without a device.
            latency_target_ms: targets ``(n,)`` where they are drawn.
            device: names of the devices ``(n,)`` where they are drawn.

        Returns:
            ``(n,)``, or ``(n, objectives)`` of a vector reward.
        """
        rewards = np.full(len(val_acc), np.nan)
        for problem in self.problems:
            own: Any = slice(None)
            if len(self.problems) > 1 and problem.device is not None and device is not None:
                own = device == problem.device.name
            targets = None if latency_target_ms is None else latency_target_ms[own]
            rewards[own] = problem.rewards(val_acc[own], latency_ms[own], targets, x=x[own])
        nothing = np.full(len(val_acc), np.nan)
        sources = np.full(len(val_acc), None, dtype=object)
        return self.rules.reward.of(x, Outcome(rewards, val_acc, latency_ms, nothing, sources))

    def pareto_front(self, gamma: float = 1.0) -> list[Rewards]:
        """Returns of the Pareto-optimal architectures, ``(objectives,)`` each.

        By falling first objective. The objectives are those of a vector reward; where the reward is
        a number they are ``val_acc`` and, with a device, minus ``latency_ms``.

        Args:
            gamma: discount of the reward, which comes with the last decision; without effect
                where architectures are edited, as these episodes have none.
        """
        decisions = self.rules.decisions
        steps = 1 if decisions.whole or self.edits_architectures else len(decisions)
        return list(self._front()[1] * np.float32(gamma ** (steps - 1)))

    def pareto_set(self) -> IntArray:
        """An architecture ``(slots,)`` for each point of :meth:`pareto_front`, ``(k, slots)``."""
        return self._front()[0]

    def _front(self) -> tuple[IntArray, Rewards]:
        if self.goal == "device":
            raise ValueError("every device has a front of its own: make an environment for each")
        both = ("val_acc",) if self.problem.device is None else ("val_acc", "latency_ms")
        rows, values = self.problem.pareto_front(
            objectives=self.reward_objectives or both,
            latency_budget_ms=self.rules.config.latency_budget_ms,
        )
        own = self.problem.truth.objectives(self.reward_objectives or both)
        rewards = own.to_maximise(values).astype(np.float32)  # rounding makes some of them equal
        best = front(rewards, maximise=True)
        rows, rewards = rows[best], rewards[best]
        _, first = np.unique(rewards, axis=0, return_index=True)
        return rows[first[::-1]], rewards[first[::-1]]
