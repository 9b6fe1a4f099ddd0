"""What can be built: search spaces as arrays of option indices."""

from blox_env.spaces.base import SearchSpace
from blox_env.spaces.blox import BloxSpace

__all__ = ["BloxSpace", "SearchSpace"]
