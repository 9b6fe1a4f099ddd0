"""Search spaces as arrays of option indices."""

from blox_env.spaces.base import SearchSpace
from blox_env.spaces.blox import BloxSpace
from blox_env.spaces.darts import DartsSpace
from blox_env.spaces.macro import MacroBenchSpace

__all__ = ["BloxSpace", "DartsSpace", "MacroBenchSpace", "SearchSpace"]
