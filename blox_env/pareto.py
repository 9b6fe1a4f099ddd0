"""Pareto fronts: which of many points no other point dominates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blox_env.errors import missing_extra


def front(points: ArrayLike, *, maximise: bool | Sequence[bool] = False) -> NDArray[np.bool_]:
    """Mask ``(n,)`` of the points that no other point dominates.

    A point dominates another when it is no worse in every objective and better in one; equal
    points do not dominate each other, so that all copies of a point are in the front or none is.
    One and two objectives need numpy only, three and more the extra ``moo``.

    Args:
        points: objectives ``(n, m)``, one row a point; infinite values are fine.
        maximise: whether objectives are to be large instead of small, for all or one each.

    Raises:
        ValueError: for another shape, NaN, or another number of values in ``maximise``.
        ImportError: for three or more objectives without the extra ``moo``.
    """
    values = np.array(points, dtype=float)
    if values.ndim != 2 or values.shape[1] < 1:
        raise ValueError(f"expected points of shape (n, m), got shape {values.shape}")
    if np.isnan(values).any():
        row, column = (int(i) for i in np.argwhere(np.isnan(values))[0])
        raise ValueError(f"points must not be NaN, got one in row {row}, column {column}")
    up = np.atleast_1d(np.asarray(maximise, dtype=bool))
    if up.shape not in ((1,), (values.shape[1],)):
        raise ValueError(
            f"maximise must be one bool or {values.shape[1]}, one an objective, got {maximise!r}"
        )
    values *= np.where(up, -1.0, 1.0)
    if len(values) == 0:
        return np.zeros(0, dtype=bool)
    if values.shape[1] == 1:
        return np.asarray(values[:, 0] == values[:, 0].min())
    if values.shape[1] == 2:
        return _front_of_two(values[:, 0], values[:, 1])
    try:
        import moocore  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise missing_extra("a front of three or more objectives", "moo", error) from error
    return np.asarray(moocore.is_nondominated(values, keep_weakly=True), dtype=bool)


def _front_of_two(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.bool_]:
    """One sweep along the first objective, both minimised."""
    order = np.lexsort((second, first))
    x, y = first[order], second[order]
    starts = np.concatenate([[True], x[1:] != x[:-1]])  # of points with an equal first objective
    group = np.cumsum(starts) - 1
    lowest = y[starts]  # of each group
    before = np.minimum.accumulate(lowest)  # of each group and all before it
    better = (group == 0) | (y < before[np.maximum(group, 1) - 1])
    mask = np.empty(len(x), dtype=bool)
    mask[order] = (y == lowest[group]) & better
    return mask


def hypervolume(
    points: ArrayLike, reference: ArrayLike, *, maximise: bool | Sequence[bool] = False
) -> float:
    """Volume that points dominate up to a reference point, by moocore; more is better.

    Args:
        points: objectives ``(n, m)``, one row a point; those beyond the reference add nothing.
        reference: the reference point ``(m,)``, in the sense of the points.
        maximise: whether objectives are to be large instead of small, for all or one each.

    Raises:
        ValueError: for other shapes, or NaN.
        ImportError: without the extra ``moo``.
    """
    values, corner = np.array(points, dtype=float), np.array(reference, dtype=float)
    if values.ndim != 2 or corner.shape != values.shape[1:]:
        raise ValueError(
            "expected points of shape (n, m) and a reference of shape (m,), "
            f"got {values.shape} and {corner.shape}"
        )
    if np.isnan(values).any() or np.isnan(corner).any():
        raise ValueError("points and reference must not be NaN")
    sign = np.where(np.broadcast_to(np.asarray(maximise, dtype=bool), corner.shape), -1.0, 1.0)
    values, corner = values * sign, corner * sign
    values = values[(values < corner).all(axis=1)]
    if not len(values):
        return 0.0
    try:
        import moocore  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise missing_extra("a hypervolume", "moo", error) from error
    return float(moocore.hypervolume(values, ref=corner))
