"""Search spaces as arrays of option indices."""

from collections.abc import Callable

from blox_env.spaces.base import SearchSpace
from blox_env.spaces.blox import BloxSpace, BloxXLSpace
from blox_env.spaces.darts import DartsSpace
from blox_env.spaces.macro import MacroBenchSpace
from blox_env.spaces.topology import NatsTopologySpace

# the space of each name that a store may have: one that can be listed
SPACES: dict[str, Callable[[], SearchSpace]] = {
    "blox": BloxSpace,
    "macrobench": MacroBenchSpace,
    "nats-topology": NatsTopologySpace,
}

__all__ = [
    "SPACES",
    "BloxSpace",
    "BloxXLSpace",
    "DartsSpace",
    "MacroBenchSpace",
    "NatsTopologySpace",
    "SearchSpace",
]
