"""Environments and searches that JAX compiles whole."""

from blox_env.jax.environment import EnvState, JaxEnv, make
from blox_env.jax.tables import EnvParams

__all__ = ["EnvParams", "EnvState", "JaxEnv", "make"]
