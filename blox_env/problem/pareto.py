"""Pareto fronts, and how much of one a set of points reaches.

The indicators, and fronts of three objectives and more, are moocore's (the extra ``moo``). One and
two objectives take numpy only: problems, environments and agents that need no extra have fronts,
and one sort is as fast as a library (``perf/fronts.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blox_env.ground.extras import extra

FloatArray = NDArray[np.float64]


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
    values *= _signs(maximise, values.shape[1])
    if len(values) == 0:
        return np.zeros(0, dtype=bool)
    if values.shape[1] == 1:
        return np.asarray(values[:, 0] == values[:, 0].min())
    if values.shape[1] == 2:
        return _front_of_two(values[:, 0], values[:, 1])
    moocore = _moocore("a front of three or more objectives")
    values = _ranked(values)
    return np.asarray(moocore.is_nondominated(values, keep_weakly=True), dtype=bool)


def _ranked(values: FloatArray) -> FloatArray:
    """Points in the same order in each objective, all finite.

    moocore 0.3.2 gives wrong fronts of three and more objectives with infinite values, or ends the
    process. A front is a matter of order alone.
    """
    if np.isfinite(values).all():
        return values
    ranks = [np.unique(column, return_inverse=True)[1] for column in values.T]
    return np.stack(ranks, axis=1).astype(float)


def _front_of_two(first: FloatArray, second: FloatArray) -> NDArray[np.bool_]:
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
        points: objectives ``(n, m)``, one row a point; those beyond the reference add nothing, and
            one that is infinitely good adds an infinite volume.
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
    sign = _signs(maximise, values.shape[1])
    values, corner = values * sign, corner * sign
    moocore = _moocore("a hypervolume")
    if not (np.isfinite(values).all() and np.isfinite(corner).all()):  # see _ranked
        values = values[(values < corner).all(axis=1)]
        if len(values) and not (np.isfinite(values).all() and np.isfinite(corner).all()):
            return np.inf
        if not len(values):
            return 0.0
    return float(moocore.hypervolume(values, ref=corner))


def igd_plus(
    points: ArrayLike, front: ArrayLike, *, maximise: bool | Sequence[bool] = False
) -> float:
    """Mean distance that the points of a front lie beyond the nearest of ``points``, by moocore.

    IGD+ counts only the objectives in which a point is worse (Ishibuchi et al. 2015), so that a
    set that is better is never farther. 0 where the points reach the whole front, infinite for no
    points. Objectives are added up as they are: scale them first.

    Args:
        points: what was found ``(n, m)``.
        front: the true front ``(k, m)``, at least one point.
        maximise: whether objectives are to be large instead of small, for all or one each.

    Raises:
        ValueError: for other shapes, or NaN.
        ImportError: without the extra ``moo``.
    """
    found, true = _two_sets(points, front, maximise)
    found = found[(found < np.inf).all(axis=1)]  # others are infinitely far from each point
    if not len(found):
        return np.inf
    found = np.maximum(found, true.min(axis=0))  # what is better than all is not nearer for it
    return float(_moocore("IGD+").igd_plus(found, ref=true))


def epsilon_additive(
    points: ArrayLike, front: ArrayLike, *, maximise: bool | Sequence[bool] = False
) -> float:
    """Distance that all points would have to move so that none of a front is better, by moocore.

    The additive epsilon of Zitzler et al. (2003): the same distance in every objective, so scale
    them first. Infinite for no points. Arguments and errors as for :func:`igd_plus`.

    Args:
        points: what was found, ``(n, m)``.
        front: the exact front, ``(k, m)``.
        maximise: objectives of which more is better, one for all or one each.
    """
    found, true = _two_sets(points, front, maximise)
    found = found[(found < np.inf).all(axis=1)]
    if not len(found):
        return np.inf
    if not np.isfinite(found).all():  # -inf is no distance in an objective, unless all are
        far = np.max(found[None] - true[:, None], axis=2)
        return float(far.min(axis=1).max())
    return float(_moocore("an epsilon indicator").epsilon_additive(found, ref=true))


def _two_sets(
    points: ArrayLike, front: ArrayLike, maximise: bool | Sequence[bool]
) -> tuple[FloatArray, FloatArray]:
    """Both sets as arrays to be minimised."""
    found, true = np.array(points, dtype=float), np.array(front, dtype=float)
    if found.ndim != 2 or true.ndim != 2 or found.shape[1] != true.shape[1] or not len(true):
        raise ValueError(
            "expected points of shape (n, m) and a front of shape (k, m), k at least 1, "
            f"got {found.shape} and {true.shape}"
        )
    if np.isnan(found).any() or np.isnan(true).any():
        raise ValueError("points and front must not be NaN")
    if not np.isfinite(true).all():
        raise ValueError("the front that points are compared with must be finite")
    sign = _signs(maximise, found.shape[1])
    return found * sign, true * sign


def _signs(maximise: bool | Sequence[bool], objectives: int) -> FloatArray:
    """-1 for what is to be large, 1 for what is to be small: ``(1,)`` or ``(objectives,)``."""
    up = np.atleast_1d(np.asarray(maximise, dtype=bool))
    if up.shape not in ((1,), (objectives,)):
        raise ValueError(
            f"maximise must be one bool or {objectives}, one an objective, got {maximise!r}"
        )
    return np.where(up, -1.0, 1.0)


def _moocore(what: str) -> Any:
    with extra("moo", what):
        import moocore
    return moocore
