"""The Blox macro search space: three stages, one of 45 blocks each (Chau et al., NeurIPS 2022)."""

from blox_env.spaces.blox.blocks import BLOCKS, OPERATIONS, STAGES, Block, stage_edges
from blox_env.spaces.blox.space import BloxSpace
from blox_env.spaces.blox.xl import BloxXLSpace

__all__ = ["BLOCKS", "OPERATIONS", "STAGES", "Block", "BloxSpace", "BloxXLSpace", "stage_edges"]
