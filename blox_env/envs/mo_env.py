"""``blox_env/MOBlox-v0``: accuracy and cost as a vector reward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from blox_env.envs.env import BloxEnv
from blox_env.envs.episode.fronts import Rewards
from blox_env.envs.episode.masks import LISTABLE
from blox_env.envs.episode.outcomes import Outcome
from blox_env.envs.vector_env import BloxVectorEnv
from blox_env.ground.typing import IntArray
from blox_env.problem import Problem
from blox_env.problem.history import Trials
from blox_env.problem.objectives import Objectives


class VectorReward:
    """Objectives of a problem as float32 rewards, and the space they lie in.

    Raises:
        ValueError: as :class:`~blox_env.problem.objectives.Objectives`.
    """

    def __init__(self, problems: Sequence[Problem], names: str | Sequence[str]) -> None:
        self.problem = problems[0]
        self.devices = [problem.device for problem in problems]  # one, or those of a goal
        self.objectives = Objectives(names, self.problem.benchmark, self.problem.device)
        self.space = spaces.Box(*self._bounds(), dtype=np.float32)

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
            elif space.size > LISTABLE or name == "reward":
                pass
            elif name == "latency_ms":
                low = -max(float(d.quantiles_ms((1.0,))[0]) for d in self.devices if d is not None)
            else:
                low = -float(np.nanmax(self.objectives.size_of(name, space.all())))
            # rounded outwards, so that no value lies outside
            lowest.append(low and np.nextafter(np.float32(low), np.float32(-np.inf)))
        tops = {"val_acc": 1.0, "reward": np.inf}
        highest = [tops.get(name, 0.0) for name in self.objectives.names]
        return np.array(lowest, dtype=np.float32), np.array(highest, dtype=np.float32)


class MOBloxEnv(BloxEnv):
    """Build a network block by block; the reward is a vector of objectives.

    Follows MO-Gymnasium's conventions (``reward_space``, ``reward_dim``, ``pareto_front``), so its
    wrappers and algorithms work on it; it is not needed.

    ## Action space, observation space, episodes, info
    Those of :class:`~blox_env.envs.env.BloxEnv`.

    ## Reward
    ``float32 (objectives,)``, zeros until the last decision, then of the finished network, by
    ``objectives``:

    =========================  ===================================================
    objective                  reward
    =========================  ===================================================
    ``val_acc``                validation accuracy, fraction
    ``latency_ms``             minus the latency on the device in milliseconds
    ``params``                 minus the number of parameters
    ``macs``                   minus the number of multiply-adds of one image
    ``peak_activation_bytes``  minus the most bytes of activations alive at once,
                               of one image in fp32
    ``flops``                  minus the FLOPs that a benchmark's data state
    ``reward``                 the scalar reward of :class:`~blox_env.envs.env.BloxEnv`
    =========================  ===================================================

    Parameters, multiply-adds and activation memory need no device (``device=None``): the usual
    proxies of energy where none is measured.

    They differ by magnitudes: scale them (``mo_gymnasium.wrappers.MONormalizeReward``, or weights)
    before adding them up.

    ## Arguments
    Args:
        objectives: names as above.
        arguments: those of :class:`~blox_env.envs.env.BloxEnv` but ``goal="latency_target"``.

    ## Version history
    * v0: initial version.
    """

    def __init__(
        self,
        *,
        objectives: Sequence[str] = ("val_acc", "latency_ms"),
        **arguments: Any,
    ) -> None:
        _refuse_targets(arguments)
        super().__init__(**arguments)
        self.vector_reward = VectorReward(self.rules.outcomes.problems, objectives)
        self.reward_space = self.vector_reward.space
        self.reward_dim = len(self.vector_reward.objectives)

    @property
    def _front_objectives(self) -> tuple[str, ...]:
        return self.vector_reward.objectives.names

    @property
    def _nothing(self) -> Rewards:
        return np.zeros(self.reward_dim, dtype=np.float32)

    def _reward(self, outcome: Outcome) -> Rewards:
        return np.asarray(self.vector_reward.of(self._row[None], outcome)[0])


class MOBloxVectorEnv(BloxVectorEnv):
    """Many :class:`MOBloxEnv` as one; rewards are ``(num_envs, objectives)``."""

    def __init__(
        self,
        num_envs: int = 1,
        *,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        objectives: Sequence[str] = ("val_acc", "latency_ms"),
        **arguments: Any,
    ) -> None:
        _refuse_targets(arguments)
        super().__init__(num_envs, autoreset_mode=autoreset_mode, **arguments)
        self.vector_reward = VectorReward(self.rules.outcomes.problems, objectives)
        # of one environment, as MO-Gymnasium's own vector environments have it
        self.reward_space = self.vector_reward.space
        self.reward_dim = len(self.vector_reward.objectives)

    @property
    def _front_objectives(self) -> tuple[str, ...]:
        return self.vector_reward.objectives.names

    def _no_reward(self) -> Any:
        return np.zeros((self.num_envs, self.reward_dim), dtype=np.float32)

    def _rewards(self, rows: IntArray, outcome: Outcome) -> Any:
        return self.vector_reward.of(rows, outcome)


def _refuse_targets(arguments: dict[str, Any]) -> None:
    if arguments.get("goal") == "latency_target":
        raise ValueError("goal='latency_target' is for a scalar reward: leave it out")
