"""Upstream's ``arch_vec`` of an architecture: nested lists, or five integers a stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from blox_env.ground.errors import RowError, shown
from blox_env.ground.typing import IntArray
from blox_env.spaces.blox.blocks import RANK, STAGES


def flattened(nested: Sequence[Any]) -> IntArray:
    """``[[[op1], [op2, prev, input, skip]], …]`` as one line ``(1, 15)``.

    Raises:
        ValueError: says which stage is wrong and why.
    """
    if not isinstance(nested, Sequence | np.ndarray) or len(nested) != STAGES:
        raise ValueError(f"expected an arch_vec of {STAGES} stages, got {shown(nested)}")
    flat: list[Any] = []
    for stage, pair in enumerate(nested):
        try:
            (op1,), (op2, prev, inp, skip) = pair
        except (TypeError, ValueError):
            raise ValueError(
                f"stage {stage}: expected [[op1], [op2, prev, input, skip]], got {shown(pair)}"
            ) from None
        flat += [op1, op2, prev, inp, skip]
    if not all(isinstance(v, int | np.integer) and not isinstance(v, bool) for v in flat):
        raise ValueError(f"expected whole numbers in the arch_vec, got {shown(nested)}")
    return np.array([flat], dtype=np.int64)


def rows_of(flat: ArrayLike) -> IntArray:
    """Rows ``(n, 3)`` of flattened arch_vecs ``(n, 15)``.

    Raises:
        RowError: a ValueError that names the first architecture and stage that is none, and why.
    """
    values = np.asarray(flat)
    if values.ndim != 2 or values.shape[1] != 5 * STAGES or values.dtype.kind not in "iu":
        raise ValueError(
            f"expected flat arch_vecs as an integer array (n, {5 * STAGES}), "
            f"got {values.dtype} of shape {values.shape}"
        )
    vectors = values.reshape(-1, STAGES, 5)
    high = np.array([2, 2, 1, 1, 1])
    outside = np.any((vectors < 0) | (vectors > high), axis=2)
    inside = np.clip(vectors, 0, high)
    number = np.ravel_multi_index(tuple(np.moveaxis(inside, 2, 0)), (3, 3, 2, 2, 2))
    rows: IntArray = RANK[number]
    bad = outside | (rows < 0)
    if bad.any():
        row, stage = (int(i) for i in np.argwhere(bad)[0])
        why = (
            "operations must be 0, 1 or 2 and the bits 0 or 1"
            if outside[row, stage]
            else "prev = input = skip = 0, so no operation reaches the output"
        )
        got = vectors[row, stage].tolist()
        raise RowError(row, f"architecture {row}, stage {stage}: {why}, got {got}")
    return rows
