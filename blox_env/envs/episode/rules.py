"""The rules of an environment, put together from its arguments and checked."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from blox_env.envs.config import EnvConfig, MOEnvConfig
from blox_env.envs.episode.building import Build, BuildBounded, BuildWhole
from blox_env.envs.episode.cells import Cells
from blox_env.envs.episode.decisions import Decisions, Granularity
from blox_env.envs.episode.edits import Edits
from blox_env.envs.episode.goals import Goals, check_devices
from blox_env.envs.episode.masks import Masks
from blox_env.envs.episode.moves import Moves
from blox_env.envs.episode.observations import Observation, Observer
from blox_env.envs.episode.outcomes import Outcome, Outcomes
from blox_env.envs.episode.rewards import Reward, ScalarReward, VectorReward
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem import Problem
from blox_env.problem.candidates import Candidates, common
from blox_env.problem.reward import excess
from blox_env.spaces.base import SearchSpace


class Rules:
    """The parts of an environment, put together from its arguments and checked.

    Args:
        config: the arguments.
        edits: whether episodes change whole architectures instead of building them.

    Attributes:
        config: the arguments.
        problem: what is searched; the first of them where the goal is the device.
        problems: all of them.
        decisions: what there is to choose.
        moves: what an action does, and which are allowed.
        observer: what is seen.
        goals: what an episode aims at.
        outcomes: what architectures are worth.
        reward: what they earn.
        numbers: keys of infos at an episode's end that are NaN where nothing was evaluated.
        costly: whether infos have a ``cost``, that of the constraint.
    """

    def __init__(self, config: EnvConfig, *, edits: bool = False) -> None:
        self.config, self._edits = config, edits
        self.problems = problems = _problems(config)
        self.problem = problems[0]
        if config.goal == "device" and config.latency_budget_ms is not None:
            raise ValueError("latency_budget_ms needs one device, got goal='device'")
        self.goals = Goals(
            config.goal,
            config.goals,
            [p.device for p in problems if p.device is not None],
            probes=config.goal_probes,
            targets_ms=[p.latency_target_ms for p in problems],
        )
        space = self.problem.space
        if config.space not in (None, space.name):
            raise ValueError(
                f"this environment is one of the space {config.space!r}, but benchmark "
                f"{self.problem.benchmark.name!r} is of {space.name!r}"
            )
        kind: object = type(space)
        self.decisions, cells = _decisions(kind, space, config.granularity)
        buildable = self._buildable()
        by_bounds = config.enforce_constraints and not buildable.listable
        self.masks = Masks(
            self.decisions,
            self.problem.device,
            config.latency_budget_ms,
            buildable,
            self.problem.constraints if by_bounds else None,
        )
        move = _kind(self.decisions, self.masks, edits)
        self.moves: Moves = move(self.decisions, self.masks, cells)
        shown = config.observation, self.goals.columns
        self.observer = _observer(kind, space, config.granularity, *shown)
        self.outcomes = Outcomes(problems)
        self.reward: Reward = ScalarReward()
        if isinstance(config, MOEnvConfig):
            self.reward = VectorReward(problems, config.objectives)
        names = [None if p.device is None else p.device.name for p in problems]
        self.devices = np.array(names, dtype=object)
        timed = ("latency_ms",) if self.problem.device is not None else ()
        self.numbers = ("val_acc", "train_time_s", *timed)
        self.costly = self.problem.reward_name == "constraint" or bool(self.problem.constraints)
        self._targets = np.array([p.latency_target_ms for p in problems])
        self._names = self.devices[:0]  # of the one device, as often as it was needed
        self._device = names[0]
        self._plain = not self.costly and config.goal is None and self.moves.ends
        self._plain = self._plain and isinstance(self.reward, ScalarReward)

    def __deepcopy__(self, memo: dict[int, Any]) -> Rules:
        """The rules themselves, with a copy of the account where the problem keeps one.

        Nothing else in them changes, and their tables are large.
        """
        if self.problem.ledger is None:
            return self
        made = copy.copy(self)
        made.problems = [copy.deepcopy(self.problem, memo)]
        made.problem = made.problems[0]
        made.config = replace(self.config, problem=made.problem)
        made.outcomes = Outcomes(made.problems)
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        """Other processes put the parts together again, from tables that they load themselves."""
        return _again, (self.config, self._edits)

    def outcome(self, rows: IntArray, goals: FloatArray) -> Outcome:
        """Outcomes of architectures ``(n, slots)`` for goals ``(n,)``.

        Args:
            rows: the architectures.
            goals: theirs.
        """
        if self.goals.goal == "latency_target":
            return self.outcomes.of(rows, goals)
        if self.goals.goal == "device":
            return self.outcomes.of(rows, which=goals.astype(np.int64))
        return self.outcomes.of(rows)

    def info(self, rows: IntArray, goals: FloatArray, outcome: Outcome) -> dict[str, Any]:
        """Infos of finished architectures, arrays ``(n, …)``.

        Args:
            rows: the architectures.
            goals: theirs.
            outcome: theirs.
        """
        goal = self.goals.goal
        if goal == "device":
            devices = self.devices.take(goals.astype(np.int64))
        else:
            if len(rows) > len(self._names):
                self._names = np.repeat(self.devices[:1], len(rows))
            devices = self._names[: len(rows)].copy()
        info: dict[str, Any] = {
            "arch": rows,
            "val_acc": outcome.val_acc,
            "device": devices,
            "train_time_s": outcome.train_time_s,
            "source": outcome.source,
        }
        if self.problem.device is not None:
            info["latency_ms"] = outcome.latency_ms
        if goal == "latency_target":
            info["latency_target_ms"] = goals
        if self.costly:
            info["cost"] = self._cost(rows, goals, outcome)
        return info

    def _cost(self, rows: IntArray, goals: FloatArray, outcome: Outcome) -> FloatArray:
        """Relative excess over the constraints, and over the target of a reward with one."""
        cost = self.problem.constraints.excess(rows, outcome.latency_ms)
        if self.problem.reward_name != "constraint":
            return cost
        targets = goals if self.goals.goal == "latency_target" else self._targets[0]
        if self.goals.goal == "device":
            targets = self._targets.take(goals.astype(np.int64))
        return cost + excess(outcome.latency_ms, targets)

    def _buildable(self) -> Candidates:
        """The architectures that masks lead to, as far as they can be listed.

        Raises:
            ValueError: for constraints of the latency where the device is drawn.
        """
        task, enforced = self.problem.task, self.config.enforce_constraints
        if not task.constraints or not enforced:
            return _shared([each.task.known for each in self.problems])
        if self.config.goal == "device" and "latency_ms" in task.constraints.limits:
            raise ValueError("constraint 'latency_ms' needs one device, got goal='device'")
        return _shared([each.task.candidates for each in self.problems])

    def look_up(self, rows: IntArray) -> tuple[float, dict[str, Any]] | None:
        """Reward and info of one architecture ``(1, slots)``, as plain numbers.

        Returns:
            What :meth:`outcome` and :meth:`info` say, None where it is no plain look-up.
        """
        if not self._plain or (known := self.outcomes.look_up(rows[0])) is None:
            return None
        val_acc, latency_ms, train_time_s, reward, source = known
        info: dict[str, Any] = {
            "arch": rows[0],
            "val_acc": val_acc,
            "device": self._device,
            "train_time_s": train_time_s,
            "source": source,
        }
        if self._device is not None:
            info["latency_ms"] = latency_ms
        return reward, info

    def options(self, options: dict[str, Any] | None) -> dict[str, Any]:
        """Checked ``options`` of a reset.

        Raises:
            ValueError: for a key that means nothing here.
        """
        known = [key for key in (self.goals.option(), self.moves.option) if key]
        for key in options or ():
            if key not in known:
                raise ValueError(
                    f"options of reset may have {', '.join(known) or 'nothing here'}, got {key!r}"
                )
        return dict(options or {})


def _again(config: EnvConfig, edits: bool) -> Rules:
    """Rules in another process."""
    return Rules(config, edits=edits)


def _problems(config: EnvConfig) -> list[Problem]:
    """The problem, or one a device where the device is drawn."""
    if config.problem is not None:
        return [config.problem]
    drawn = config.goal == "device"
    return [
        Problem(
            config.benchmark,
            device,
            config.reward,
            latency_target_ms=config.latency_target_ms,
            noise=config.noise,
            seed=config.noise_seed,
            constraints=config.constraints,
            keep=False,
        )
        for device in (
            check_devices(config.goals, config.goal_probes) if drawn else [config.device]
        )
    ]


# Spaces of different classes may be equal and still have other operations and features.


@lru_cache(maxsize=32)
def _decisions(kind: type, space: SearchSpace, granularity: Granularity) -> tuple[Decisions, Cells]:
    """Decisions and their cells, made once in a process."""
    decisions = Decisions(space, granularity)
    return decisions, Cells(decisions)


@lru_cache(maxsize=32)
def _observer(
    kind: object,
    space: SearchSpace,
    granularity: Granularity,
    observation: Observation,
    goal_columns: int,
) -> Observer:
    """Tables of observations, made once in a process."""
    return Observer(*_decisions(kind, space, granularity), observation, goal_columns)


def _kind(decisions: Decisions, masks: Masks, edits: bool) -> type[Moves]:
    if edits:
        return Edits
    if decisions.whole:
        return BuildWhole
    return BuildBounded if masks.worked_out else Build


def _shared(several: list[Candidates]) -> Candidates:
    """Candidates of all of several problems; the same where there is one, or all are alike."""
    some = [each for each in several if not each.complete]
    if len(some) < 2:
        return some[0] if some else several[0]
    first = some[0]
    return Candidates(first.space, common(first.space, *(each.all() for each in some)))
