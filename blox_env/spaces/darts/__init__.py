"""The space of DARTS and NAS-Bench-301."""

from blox_env.spaces.darts.notation import Genotype
from blox_env.spaces.darts.space import DartsSpace

__all__ = ["DartsSpace", "Genotype"]
