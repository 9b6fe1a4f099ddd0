"""BloxXL: four Blox blocks a stage, a macro space that no table can hold."""

from __future__ import annotations

from blox_env.spaces.blox.stages import BlockSpace

DEPTH = 4  # blocks of a stage


class BloxXLSpace(BlockSpace):
    """The 45^12 networks of three stages of four Blox blocks each, about 6.9 · 10^19.

    A row has twelve block numbers in 0 … 44, the four of the first stage first. Blocks, reductions,
    stem and classifier are those of Blox (Chau et al., NeurIPS 2022); an architecture of Blox is
    one whose stages have a single block, so that it is not among these. Every row is a different
    list of blocks; too many for an integer index.
    """

    slot_name = "block"

    def __init__(self) -> None:
        super().__init__(DEPTH, name="bloxxl")

    def __repr__(self) -> str:
        """The class alone: the space has no parameters."""
        return "BloxXLSpace()"
