"""Compiled environments by the names and arguments of Gymnasium."""

from __future__ import annotations

from typing import Any

import gymnasium as gym

from blox_env.envs.config import EnvConfig, MOEnvConfig
from blox_env.envs.episode.rules import Rules
from blox_env.jax.environment import JaxEnv
from blox_env.jax.one_done import OneDone
from blox_env.jax.tables import EnvParams


def make(
    id: str = "blox_env/Blox-v0",  # noqa: A002 (as gymnasium.make has it)
    *,
    deviation: float = 0.0,
    one_done: bool = False,
    **arguments: Any,
) -> tuple[JaxEnv, EnvParams]:
    """An environment and its parameters, by the names and arguments of ``gymnasium.make``.

    Args:
        id: of a registered environment of this package.
        deviation: standard deviation of the error of every evaluation's accuracy.
        one_done: whether steps have the form before gymnax 1.0, see
            :class:`~blox_env.jax.one_done.OneDone`.
        arguments: of the environment; also ``max_episode_steps``.

    Raises:
        ValueError: as :class:`~blox_env.jax.environment.JaxEnv`.
    """
    spec = gym.spec(id)
    given = {**spec.kwargs, **arguments}
    limit = given.pop("max_episode_steps", spec.max_episode_steps)
    family = id.rpartition("/")[2]
    config = (MOEnvConfig if family.startswith("MO") else EnvConfig)(**given)
    form = OneDone if one_done else JaxEnv
    env = form(Rules(config, edits="Edit" in family), max_steps=limit, deviation=deviation)
    return env, env.default_params
