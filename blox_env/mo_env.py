"""``blox_env/MOBlox-v0``: accuracy and cost as a vector reward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from blox_env.env import BloxEnv
from blox_env.episode.masks import LISTABLE
from blox_env.episode.outcomes import Outcome
from blox_env.errors import unknown_name
from blox_env.pareto import front
from blox_env.problem import Problem
from blox_env.spaces.base import FloatArray, IntArray
from blox_env.vector_env import BloxVectorEnv

OBJECTIVES = ("val_acc", "latency_ms", "params", "macs")
Rewards = NDArray[np.float32]


class Objectives:
    """Named objectives of a problem, all to be maximised: costs count with a minus.

    Args:
        problem: where they come from.
        names: at least one of ``val_acc, latency_ms, params, macs``.

    Raises:
        ValueError: for unknown or repeated names, or what the problem does not have.
    """

    def __init__(self, problem: Problem, names: Sequence[str]) -> None:
        self.names = (names,) if isinstance(names, str) else tuple(names)
        self.problem = problem
        for name in self.names:
            if name not in OBJECTIVES:
                raise ValueError(unknown_name("objective", name, OBJECTIVES))
        if not self.names or len(set(self.names)) != len(self.names):
            raise ValueError(f"objectives must be different names, got {names!r}")
        if "latency_ms" in self.names and problem.device is None:
            raise ValueError("objective 'latency_ms' needs a device, got device=None")
        for name in ("params", "macs"):
            if name in self.names and not hasattr(problem.space, name):
                raise ValueError(f"objective {name!r}: {problem.space!r} does not count them")
        self.space = spaces.Box(*self._bounds(), dtype=np.float32)

    def values(self, rows: IntArray, val_acc: FloatArray, latency_ms: FloatArray) -> Rewards:
        """Rewards ``(n, objectives)`` of architectures ``(n, slots)``; higher is better."""
        columns: list[NDArray[Any]] = []
        for name in self.names:
            if name == "val_acc":
                columns.append(val_acc)
            elif name == "latency_ms":
                columns.append(-latency_ms)
            else:
                columns.append(-getattr(self.problem.space, name)(rows))
        return np.column_stack(columns).astype(np.float32)

    def front(self) -> Rewards:
        """The Pareto front of the whole space, ``(points, objectives)``, by falling first one.

        Raises:
            ValueError: where the space is too large to list.
        """
        space = self.problem.space
        if space.size > LISTABLE:
            raise ValueError(f"{space!r} is too large to find its front by listing")
        every = space.all()
        trials = self.problem.peek(every)
        values = self.values(every, trials.val_acc, trials.latency_ms)
        best: Rewards = np.unique(values[front(values, maximise=True)], axis=0)
        return best[::-1]

    def _bounds(self) -> tuple[Rewards, Rewards]:
        """Lowest and highest rewards; 0 is one, before an episode's end."""
        space = self.problem.space
        low = dict.fromkeys(OBJECTIVES, -np.inf) | {"val_acc": 0.0}
        if space.size <= LISTABLE:
            device = self.problem.device
            if device is not None:
                low["latency_ms"] = -float(device.quantiles_ms((1.0,))[0])
            for name in set(self.names) & {"params", "macs"}:
                low[name] = -float(getattr(space, name)(space.all()).max())
        lowest = np.array([low[name] for name in self.names])
        # rounded outwards, so that no value lies outside
        rounded = np.nextafter(lowest.astype(np.float32), np.float32(-np.inf))
        high = [1.0 if name == "val_acc" else 0.0 for name in self.names]
        return np.where(lowest == 0, np.float32(0), rounded), np.array(high, dtype=np.float32)


class MOBloxEnv(BloxEnv):
    """Build a network block by block; the reward is a vector of objectives.

    Follows MO-Gymnasium's conventions (``reward_space``, ``reward_dim``, ``pareto_front``), so its
    wrappers and algorithms work on it; it is not needed.

    ## Action space, observation space, episodes, info
    Those of :class:`~blox_env.env.BloxEnv`.

    ## Reward
    ``float32 (objectives,)``, zeros until the last decision, then of the finished network, by
    ``objectives``:

    ==============  ================================================
    objective       reward
    ==============  ================================================
    ``val_acc``     validation accuracy, fraction
    ``latency_ms``  minus the latency on the device in milliseconds
    ``params``      minus the number of parameters
    ``macs``        minus the number of multiply-adds of one image
    ==============  ================================================

    They differ by magnitudes: scale them (``mo_gymnasium.wrappers.MONormalizeReward``, or weights)
    before adding them up.

    ## Arguments
    Args:
        objectives: names as above.
        arguments: those of :class:`~blox_env.env.BloxEnv` but ``reward``, ``latency_target_ms``
            and ``goal="latency_target"``, which a vector reward has no use for.

    ## Version history
    * v0: initial version.
    """

    def __init__(
        self,
        *,
        objectives: Sequence[str] = ("val_acc", "latency_ms"),
        **arguments: Any,  # noqa: ANN401
    ) -> None:
        _refuse_scalar(arguments)
        super().__init__(**arguments)
        self.objectives = Objectives(self.problem, objectives)
        self.reward_space = self.objectives.space
        self.reward_dim = len(self.objectives.names)

    def pareto_front(self, gamma: float) -> list[Rewards]:
        """Returns of the Pareto-optimal architectures of the whole space, discounted by ``gamma``.

        From the table, means of full trainings; exact as far as the table is.

        Raises:
            ValueError: where the space is too large to list, or the goal is the device.
        """
        if self.rules.goals.columns:
            raise ValueError("every device has a front of its own: make an environment for each")
        steps = 1 if self.rules.decisions.whole else len(self.rules.decisions)
        return list(self.objectives.front() * np.float32(gamma ** (steps - 1)))

    @property
    def _nothing(self) -> Rewards:
        return np.zeros(self.reward_dim, dtype=np.float32)

    def _reward(self, outcome: Outcome) -> Rewards:
        rewards = self.objectives.values(self._row[None], outcome.val_acc, outcome.latency_ms)
        return np.asarray(rewards[0])


class MOBloxVectorEnv(BloxVectorEnv):
    """Many :class:`MOBloxEnv` as one; rewards are ``(num_envs, objectives)``."""

    def __init__(
        self,
        num_envs: int = 1,
        *,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        objectives: Sequence[str] = ("val_acc", "latency_ms"),
        **arguments: Any,  # noqa: ANN401
    ) -> None:
        _refuse_scalar(arguments)
        super().__init__(num_envs, autoreset_mode=autoreset_mode, **arguments)
        self.objectives = Objectives(self.problem, objectives)
        self.single_reward_space = self.objectives.space
        self.reward_space = batch_space(self.objectives.space, num_envs)
        self.reward_dim = len(self.objectives.names)

    def _no_reward(self) -> Any:  # noqa: ANN401
        return np.zeros((self.num_envs, self.reward_dim), dtype=np.float32)

    def _rewards(self, rows: IntArray, outcome: Outcome) -> Any:  # noqa: ANN401
        return self.objectives.values(rows, outcome.val_acc, outcome.latency_ms)


def _refuse_scalar(arguments: dict[str, Any]) -> None:
    for name in ("reward", "latency_target_ms"):
        if arguments.get(name) is not None:
            raise ValueError(f"{name} is for a scalar reward: MOBlox has objectives instead")
    if arguments.get("goal") == "latency_target":
        raise ValueError("goal='latency_target' is for a scalar reward: leave it out")
