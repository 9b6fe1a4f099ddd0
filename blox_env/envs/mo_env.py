"""``blox_env/MOBlox-v0``: accuracy and cost as a vector reward."""

from __future__ import annotations

from typing import cast

from gymnasium import spaces

from blox_env.envs.config import MOEnvConfig, configured, documented
from blox_env.envs.env import BloxEnv
from blox_env.envs.episode.answers import Answers
from blox_env.envs.episode.rewards import VectorReward
from blox_env.envs.vector_env import BloxVectorEnv


class _HasVectorReward(Answers):
    """MO-Gymnasium's attributes; vector environments have those of one environment, as its own."""

    @property
    def vector_reward(self) -> VectorReward:
        """The way objectives become rewards."""
        return cast("VectorReward", self.rules.reward)

    @property
    def reward_space(self) -> spaces.Box:
        """The box in which the rewards of one environment lie."""
        return self.vector_reward.space

    @property
    def reward_dim(self) -> int:
        """Number of objectives."""
        return len(self.vector_reward.objectives)


@documented(MOEnvConfig)
class MOBloxEnv(_HasVectorReward, BloxEnv):
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
    ``goal="latency_target"`` is for scalar rewards.

    {arguments}

    ## Version history
    * v0: initial version.
    """

    @configured(MOEnvConfig)
    def __init__(self, config: MOEnvConfig) -> None:
        self._assemble(config)


class MOBloxVectorEnv(_HasVectorReward, BloxVectorEnv):
    """Many :class:`MOBloxEnv` as one; rewards are ``(num_envs, objectives)``."""

    _config = MOEnvConfig
