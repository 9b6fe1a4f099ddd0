"""The rules of an environment, put together from its arguments and checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from blox_env.benchmarks.base import Benchmark
from blox_env.devices.base import Device
from blox_env.envs.episode.decisions import Decisions, Granularity
from blox_env.envs.episode.goals import Goals, check_devices
from blox_env.envs.episode.masks import Masks
from blox_env.envs.episode.observations import Observation, Observer
from blox_env.envs.episode.outcomes import Outcome, Outcomes
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem import Problem
from blox_env.problem.reward import RewardFunction, excess

METADATA: dict[str, Any] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 4}
_DEFAULTS = ("digits", "x86-ort-1t", None, None, "mean", 0)


class Rules:
    """What can be chosen, what is seen, what is aimed at and what comes of it.

    The arguments are those of :class:`blox_env.envs.env.BloxEnv`.

    Attributes:
        problem: what is searched; the first of them where the goal is the device.
        decisions: what an action is.
        masks: which actions are allowed.
        observer: what is seen.
        goals: what an episode aims at.
        outcomes: what architectures are worth.
        costly: whether infos have a ``cost``, that of the constraint.
    """

    def __init__(
        self,
        benchmark: str | Benchmark = "digits",
        device: str | Device | None = "x86-ort-1t",
        reward: str | RewardFunction | None = None,
        *,
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
    ) -> None:
        if problem is not None:
            given = (benchmark, device, reward, latency_target_ms, noise, noise_seed)
            if given != _DEFAULTS or goal is not None:
                raise ValueError(
                    "problem brings benchmark, device, reward, latency_target_ms and noise with it"
                    " and leaves no goal to draw: pass either problem or those"
                )
            if not isinstance(problem, Problem):
                raise TypeError(f"problem must be a blox_env.Problem, got {problem!r}")
            problems = [problem]
        else:
            if goal == "latency_target" and latency_target_ms is not None:
                raise ValueError("goal='latency_target' draws the target: no latency_target_ms")
            problems = [
                Problem(
                    benchmark,
                    each,
                    reward,
                    latency_target_ms=latency_target_ms,
                    noise=noise,
                    seed=noise_seed,
                    keep=False,
                )
                for each in (check_devices(goals, goal_probes) if goal == "device" else [device])
            ]
        self.problem = problems[0]
        if goal == "device" and latency_budget_ms is not None:
            raise ValueError("latency_budget_ms needs one device, got goal='device'")
        self.goals = Goals(
            goal,
            goals,
            [p.device for p in problems if p.device is not None],
            probes=goal_probes,
            targets_ms=[p.latency_target_ms for p in problems],
        )
        self.decisions = Decisions(self.problem.space, granularity)
        self.masks = Masks(self.decisions, self.problem.device, latency_budget_ms)
        self.observer = Observer(self.decisions, observation, self.goals.columns)
        self.outcomes = Outcomes(problems)
        names = [None if p.device is None else p.device.name for p in problems]
        self.devices = np.array(names, dtype=object)
        self.costly = self.problem.reward_name == "constraint"
        self._targets = np.array([p.latency_target_ms for p in problems])

    def outcome(self, rows: IntArray, goals: FloatArray) -> Outcome:
        """Outcomes of architectures ``(n, slots)`` for goals ``(n,)``."""
        if self.goals.goal == "latency_target":
            return self.outcomes.of(rows, goals)
        if self.goals.goal == "device":
            return self.outcomes.of(rows, which=goals.astype(np.int64))
        return self.outcomes.of(rows)

    def info(self, rows: IntArray, goals: FloatArray, outcome: Outcome) -> dict[str, Any]:
        """What the info says about finished architectures, arrays ``(n, …)``."""
        one_device = self.goals.goal != "device"
        which = np.zeros(len(rows), np.int64) if one_device else goals.astype(np.int64)
        info: dict[str, Any] = {
            "arch": rows,
            "val_acc": outcome.val_acc,
            "device": self.devices.take(which),
            "train_time_s": outcome.train_time_s,
            "source": outcome.source,
        }
        if self.problem.device is not None:
            info["latency_ms"] = outcome.latency_ms
        targeted = self.goals.goal == "latency_target"
        if targeted:
            info["latency_target_ms"] = goals
        if self.costly:
            targets = goals if targeted else self._targets.take(which)
            info["cost"] = excess(outcome.latency_ms, targets)
        return info

    def options(self, options: dict[str, Any] | None, also: tuple[str, ...] = ()) -> dict[str, Any]:
        """Checked ``options`` of a reset.

        Raises:
            ValueError: for a key that means nothing here.
        """
        known = [key for key in (self.goals.option(), *also) if key]
        for key in options or ():
            if key not in known:
                raise ValueError(
                    f"options of reset may have {', '.join(known) or 'nothing here'}, got {key!r}"
                )
        return dict(options or {})
