"""Seeds that follow from one seed."""

from __future__ import annotations

import numpy as np


def spawn_seeds(seed: int | np.random.SeedSequence, n: int) -> list[int]:
    """``n`` independent seeds below 2^31 that follow from ``seed``; the first of more are equal."""
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    return [int(child.generate_state(1)[0] >> 1) for child in root.spawn(n)]
