"""The Blox macro search space: three stages, one of 45 blocks each (Chau et al., NeurIPS 2022)."""

from blox_env.spaces.blox.space import (
    BLOCKS,
    OPERATIONS,
    STAGES,
    Block,
    BloxSpace,
    operation_counts,
    stage_edges,
)

__all__ = [
    "BLOCKS",
    "OPERATIONS",
    "STAGES",
    "Block",
    "BloxSpace",
    "operation_counts",
    "stage_edges",
]
