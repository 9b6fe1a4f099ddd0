"""Seeds that follow from one seed, and numbers that follow from seed and place alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STEP = np.uint64(0x9E3779B97F4A7C15)  # of the sequence whose members are mixed


def spawn_seeds(seed: int | np.random.SeedSequence, n: int) -> list[int]:
    """``n`` independent seeds below 2^31 that follow from ``seed``; the first of more are equal.

    Args:
        seed: of all of them.
        n: how many.
    """
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    return [int(child.generate_state(1)[0] >> 1) for child in root.spawn(n)]


def mixed(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """64 well-mixed bits of each number, the same always (SplitMix64; Steele et al., OOPSLA 2014).

    For many draws at once that each depend on a number of their own: a generator for each of them
    would be a loop.
    """
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    result: NDArray[np.uint64] = z ^ (z >> np.uint64(31))
    return result
