"""The form of gymnax before 1.0, which PureJaxRL and rejax 0.1 are written for."""

from __future__ import annotations

from functools import partial
from typing import Any

from blox_env.ground.extras import extra
from blox_env.jax.environment import EnvState, JaxEnv
from blox_env.jax.tables import Array, EnvParams

with extra("jax", "blox_env.jax"):
    import jax


class OneDone(JaxEnv):
    """An environment whose steps say ``done`` instead of ``terminated`` and ``truncated``."""

    @partial(jax.jit, static_argnums=0)
    def step(
        self, key: Array, state: EnvState, action: Array, params: EnvParams | None = None
    ) -> tuple[Any, EnvState, Array, Array, dict[str, Any]]:
        """Take an action, and begin the next episode where this one ends.

        Args:
            key: of what is drawn.
            state: of the episode.
            action: a number, or one a slot.
            params: those of the environment if not given.

        Returns:
            Observation, state, reward, done, info.
        """
        *before, terminated, truncated, info = super().step(key, state, action, params)
        seen, after, reward = before
        return seen, after, reward, terminated | truncated, info
