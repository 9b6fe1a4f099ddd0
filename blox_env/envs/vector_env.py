"""Thousands of episodes a step: ``gym.make_vec(…, vectorization_mode="vector_entry_point")``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from blox_env.benchmarks.base import Benchmark
from blox_env.devices.base import Device
from blox_env.envs.episode.batch import Infos, Which
from blox_env.envs.episode.batched import BatchedEnv, Result
from blox_env.envs.episode.decisions import Granularity, whole_actions
from blox_env.envs.episode.observations import Observation
from blox_env.envs.episode.outcomes import Outcome
from blox_env.envs.episode.rules import Rules
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem import Problem
from blox_env.problem.reward import RewardFunction


class BloxVectorEnv(BatchedEnv):
    """Many :class:`~blox_env.envs.env.BloxEnv` as one, with one batched evaluation a step.

    Observations, rewards, flags and infos equal those of ``SyncVectorEnv`` over the single
    environments in all modes; arguments are those of the single environment and of
    :class:`BatchedEnv`. ``render`` shows no accuracies.
    """

    def __init__(
        self,
        num_envs: int = 1,
        *,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
        benchmark: str | Benchmark = "digits",
        device: str | Device | None = "x86-ort-1t",
        reward: str | RewardFunction | None = None,
        latency_target_ms: float | None = None,
        observation: Observation = "ops",
        granularity: Granularity = "block",
        latency_budget_ms: float | None = None,
        goal: str | None = None,
        goals: Sequence[Any] | None = None,
        goal_probes: int = 0,
        problem: Problem | None = None,
        noise: str = "mean",
        noise_seed: int = 0,
        render_mode: str | None = None,
    ) -> None:
        rules = Rules(
            benchmark,
            device,
            reward,
            latency_target_ms=latency_target_ms,
            observation=observation,
            granularity=granularity,
            latency_budget_ms=latency_budget_ms,
            goal=goal,
            goals=goals,
            goal_probes=goal_probes,
            problem=problem,
            noise=noise,
            noise_seed=noise_seed,
        )
        if rules.decisions.whole:
            first = rules.masks.whole
        else:
            first = rules.masks.one(0, np.zeros(rules.problem.space.slots, dtype=np.int64), 0)
        how = (num_envs, autoreset_mode, max_episode_steps, render_mode)
        super().__init__(rules, rules.decisions.action_space(), len(first), *how)
        n = self.num_envs
        self._next = np.zeros(n, dtype=np.int64)  # the next decision
        self._prefix = np.zeros(n, dtype=np.int64)
        self._together: int | None = None  # the next decision where it is everybody's
        self._first = first  # the mask of the first decision
        self._masks[:] = first
        self._offsets = np.arange(n) * len(first)  # of each environment's mask among all

    def _begin(self, which: Which, begin: Any, infos: Infos) -> None:
        width = len(self.rules.observer.blank) - self.rules.goals.columns
        self._flat[which, :width] = self.rules.observer.blank[:width]
        self._next[which] = 0
        self._prefix[which] = 0
        self._masks[which] = self._first
        self._together = 0 if isinstance(which, slice) or not self._next.any() else None

    def _act(self, which: Which, actions: NDArray[Any], result: Result) -> None:
        if self.rules.decisions.whole:
            self._act_whole(which, actions, result)
        elif isinstance(which, slice) and self._together is not None:
            self._decide(self._together, which, actions, result)
        else:
            self._together = None
            running = np.arange(self.num_envs)[which]
            numbers = self._next[running]
            for number in np.unique(numbers).tolist():
                group = np.flatnonzero(numbers == number)
                self._decide(number, running[group], actions[group], result)

    def _decide(self, number: int, which: Which, actions: NDArray[Any], result: Result) -> None:
        """Decision ``number`` of the environments ``which``."""
        step, observer = self.rules.decisions.steps[number], self.rules.observer
        allowed = self._masks.ravel().take(self._offsets[which] + actions) > 0
        if not allowed.all():
            numbers = np.arange(self.num_envs)[which]
            self._refuse(numbers[~allowed], result)
            which, actions = numbers[allowed], actions[allowed]
            if len(actions) == 0:
                return
        prefix = self._prefix[which] * step.choices + actions
        columns = observer.columns[number]
        if isinstance(which, slice) or isinstance(columns, slice):
            self._flat[which, columns] = observer.tables[number][prefix]
        else:
            self._flat[which[:, None], columns] = observer.tables[number][prefix]
        if step.option is not None:
            self._rows[which, step.slot] = step.option[prefix]
            prefix = np.zeros_like(prefix)
        self._prefix[which] = prefix
        self._next[which] = number + 1
        if number + 1 == len(self.rules.decisions):
            self._finish(which, result)
            return
        if isinstance(which, slice):
            self._together = number + 1
        masks = self.rules.masks.of(number + 1, self._rows[which], prefix)
        self._masks[which] = masks
        if self.rules.masks.bounded and not (dead := masks.any(axis=1)).all():
            self._refuse(np.arange(self.num_envs)[which][~dead], result)

    def _act_whole(self, which: Which, actions: NDArray[Any], result: Result) -> None:
        rows = whole_actions(actions, self.problem.space)
        fits = self.rules.masks.feasible(rows)
        numbers = np.arange(self.num_envs)[which]
        if not fits.all():
            self._refuse(numbers[~fits], result)
            which, rows = numbers[fits], rows[fits]
        self._rows[which] = rows
        if len(rows):
            shown = self._flat[which]
            self.rules.observer.show(shown, rows)
            self._flat[which] = shown
            self._next[which] = 1
            self._finish(which, result)

    def _refuse(self, which: IntArray, result: Result) -> None:
        """A masked action ends the episode."""
        self._end(which, result)
        result.terminated[which] = True
        result.infos.add("invalid", which, np.ones(len(which), dtype=bool))

    def _finish(self, which: Which, result: Result) -> None:
        """Everything is chosen: evaluate, all at once."""
        masks = self.rules.masks
        if masks.bounded and not (fits := masks.feasible(self._rows[which])).all():
            numbers = np.arange(self.num_envs)[which]
            self._refuse(numbers[~fits], result)
            which = numbers[fits]
        rows, goals = self._rows[which], self._goals[which]
        if len(rows) == 0:
            return
        self._end(which, result)
        outcome = self.rules.outcome(rows, goals)
        columns = self.rules.info(rows, goals, outcome)
        rewards = self._rewards(rows, outcome)
        if outcome.evaluated is None:
            result.rewards[which] = rewards
            result.terminated[which] = True
        else:
            known, numbers = outcome.evaluated, np.arange(self.num_envs)[which]
            result.rewards[numbers[known]] = rewards[known]
            result.terminated[numbers[known]] = True
            result.truncated[numbers[~known]] = True
            spent = np.ones(int((~known).sum()), dtype=bool)
            result.infos.add("budget_spent", numbers[~known], spent)
            which = numbers[known]
            columns = {key: values[known] for key, values in columns.items()}
        for key, values in columns.items():
            result.infos.add(key, which, values)

    def _rewards(self, rows: IntArray, outcome: Outcome) -> FloatArray:
        """Rewards of finished architectures."""
        return outcome.reward

    def _end(self, which: Which, result: Result) -> None:
        self._masks[which] = self._first
        self._together = None

    def _filled(self) -> IntArray:
        slots = self.problem.space.slots
        if self.rules.decisions.whole:
            return self._next * slots
        ends = np.array([*(step.slot for step in self.rules.decisions.steps), slots])
        return ends[self._next]

    def _partial(self, number: int) -> str:
        decisions, decision = self.rules.decisions, int(self._next[number])
        if decisions.whole or decision == len(decisions):
            return ""
        return decisions.words(decision, int(self._prefix[number]))
