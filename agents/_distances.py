"""Distances between the options of a slot, for kernels."""

from __future__ import annotations

import numpy as np

from blox_env.ground.typing import FloatArray
from blox_env.spaces.base import SearchSpace

FEATURES = ("auto", "hamming", "options", "ops")
_FEW = 8  # options whose distances are learned one by one


def slot_distances(space: SearchSpace, features: str) -> list[FloatArray]:
    """Each slot's distances between options: ``(kinds of distance, options, options)``.

    Args:
        space: of the architectures.
        features: one of :data:`FEATURES`.

    Raises:
        ValueError: for distances that slots cannot share.
    """
    from scipy.spatial.distance import cdist

    counts = set(space.options)
    if features == "auto":
        alike = len(counts) == 1 and counts <= set(range(_FEW + 1))
        features = "options" if alike else "hamming"
        features = "ops" if "ops" in space.feature_kinds() else features
    differs = [1.0 - np.eye(count)[None] for count in space.options]
    if features == "hamming":
        return differs
    kind = "onehot" if features == "options" else features
    tables = space.feature_tables(kind)
    equal = len({table.shape[1] for table in tables}) == 1
    if not equal and features == "options":
        raise ValueError(f"features='options' needs equal slots, got the space {space!r}")
    if not equal:  # what slots share is not columns, but how much of them differs
        apart = [cdist(table, table, "cityblock")[None] for table in tables]
        return [
            np.concatenate([d, a / max(1.0, a.max())]) for d, a in zip(differs, apart, strict=True)
        ]
    further = [np.abs(table[:, None] - table).transpose(2, 0, 1) for table in tables]
    if features == "options":
        return [kinds / 2 for kinds in further]
    return [np.concatenate(kinds) for kinds in zip(differs, further, strict=True)]
