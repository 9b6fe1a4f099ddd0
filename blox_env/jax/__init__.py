"""Environments and searches that JAX compiles whole."""

from blox_env.jax.environment import EnvState, JaxEnv
from blox_env.jax.making import make
from blox_env.jax.population import Found, Population
from blox_env.jax.tables import EnvParams

__all__ = ["EnvParams", "EnvState", "Found", "JaxEnv", "Population", "make"]
