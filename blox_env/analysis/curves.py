"""Progress of searches: regret and hypervolume over evaluations, simulated time and real time.

These axes are never mixed. An *evaluation* is a full training paid for. *Simulated GPU-hours* add
up what the benchmark says that the trainings take; *simulated hours* are the time that passes while
several simulated workers train at once; *wall time* is what the search itself took.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blox_env.analysis.intervals import iqm_band
from blox_env.analysis.statistics import answers, best_so_far
from blox_env.experiment.results import Run
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem.pareto import front, hypervolume

FAR = 10.0  # wall times that differ by more are on a logarithmic axis
_SHARP = 1e-9  # rounding of sums of costs
_BLOCK = 256  # points that are compared at once


@dataclass(frozen=True)
class Axis:
    """A quantity along which searches are drawn."""

    key: str
    label: str
    short: str


EVALUATIONS = Axis("evaluations", "evaluations (full trainings)", "evaluations")
GPU_HOURS = Axis("gpu-hours", "simulated training (GPU-hours)", "simulated GPU-hours")
SIMULATED = Axis("simulated-hours", "simulated time of all workers (hours)", "simulated time")
WALL = Axis("wall-time", "wall time of the search (seconds)", "wall time")
AXES = (EVALUATIONS, GPU_HOURS, SIMULATED, WALL)


@dataclass(frozen=True)
class Curve:
    """An agent's interquartile mean along an axis with 95 % limits; NaN is not drawn.

    ``x``, ``value``, ``low`` and ``high`` have shape ``(g,)``; ``runs`` is the number of runs.
    """

    x: FloatArray
    value: FloatArray
    low: FloatArray
    high: FloatArray
    runs: int


def positions(run: Run, axis: Axis) -> FloatArray | None:
    """Positions on an axis at which each row of a run was known, ``(n,)``; None if not recorded.

    Args:
        run: one run.
        axis: which quantity.
    """
    columns = run.columns
    if axis is EVALUATIONS:
        return np.asarray(np.cumsum(columns["cost"]), dtype=float)
    if axis is GPU_HOURS:
        hours = np.empty(len(run))
        order = _order(run)
        hours[order] = np.cumsum(columns["train_time_s"][order]) / 3600
        return hours
    if axis is SIMULATED:
        ends = columns.get("sim_end_s")
        return None if ends is None or np.isnan(ends).any() else np.asarray(ends) / 3600
    seconds = run.meta.get("trial_wall_s")
    if seconds is None or len(seconds) != len(run):
        return None
    return np.asarray(seconds, dtype=float)


def along(runs: Sequence[Run], axis: Axis) -> list[FloatArray] | None:
    """Positions of all runs, or None where any of them does not say.

    Args:
        runs: of one problem.
        axis: which quantity.
    """
    found = [positions(run, axis) for run in runs]
    known = [where for where in found if where is not None]
    if len(known) != len(runs) or not any(len(where) and where[-1] > 0 for where in known):
        return None
    return known


def grid(where: Sequence[FloatArray], axis: Axis, budget: int, points: int = 80) -> FloatArray:
    """Positions at which curves are drawn, ``(g,)``, up to the last of all runs.

    Args:
        where: positions of the rows of each run.
        axis: which quantity.
        budget: the largest of all runs.
        points: how many positions at most.
    """
    if axis is EVALUATIONS:
        return np.unique(np.linspace(1, budget, min(budget, points)).round())
    end = max((float(w.max()) for w in where if len(w)), default=1.0)
    if axis is WALL:
        ends = [float(w.max()) for w in where if len(w) and w.max() > 0]
        if ends and end > FAR * min(ends):  # a linear axis would show the slowest agent alone
            first = min(float(w[w > 0].min()) for w in where if (w > 0).any())
            return np.geomspace(first, end, points)
    return np.linspace(0.0, end, points + 1)[1:]


def is_geometric(grid: FloatArray) -> bool:
    """True for positions whose ratios are equal: they belong on a logarithmic axis."""
    if len(grid) < 3 or grid[0] <= 0:
        return False
    ratios = grid[1:] / grid[:-1]
    return bool(np.allclose(ratios, ratios[0]))


def regret_along(run: Run, where: FloatArray, grid: FloatArray, best: float) -> FloatArray:
    """Simple regret of the best so far at each position of the grid, ``(g,)``; NaN before it.

    Args:
        run: one run.
        where: positions of its rows, ``(n,)``.
        grid: positions to look at, ``(g,)``.
        best: the reward that regret is measured to.
    """
    order = np.argsort(where, kind="stable")
    incumbent = np.concatenate([[-np.inf], best_so_far(run, order)])
    regret = best - incumbent[np.searchsorted(where[order], grid + _SHARP, side="right")]
    regret[np.isinf(regret)] = np.nan
    regret[np.abs(regret) < _SHARP] = 0.0
    return regret


def hypervolume_along(
    run: Run, where: FloatArray, grid: FloatArray, reference: FloatArray, whole: float = 1.0
) -> FloatArray:
    """Hypervolume of (accuracy, latency) found so far at each position of the grid, ``(g,)``.

    What breaks a constraint does not count.

    Args:
        run: a run with latencies.
        where: positions of its rows, ``(n,)``.
        grid: positions to look at.
        reference: the reference point: accuracy as a fraction, latency in milliseconds.
        whole: what to divide by, such as the hypervolume of the true front.
    """
    keep = answers(run) & ~np.isnan(run.columns["latency_ms"])
    order = np.flatnonzero(keep)[np.argsort(where[keep], kind="stable")]
    points = np.stack([run.columns["val_acc"], run.columns["latency_ms"]], axis=1)[order]
    adds = np.arange(len(points))
    if len(grid) > 1:
        adds = np.flatnonzero(_adds(points * (-1.0, 1.0)))  # the others change no front
    seen = np.searchsorted(adds, np.searchsorted(where[order], grid + _SHARP, side="right"))
    result = np.zeros(len(grid))
    for number, count in enumerate(seen):
        if number and count == seen[number - 1]:
            result[number] = result[number - 1]
        elif count:
            volume = hypervolume(points[adds[:count]], reference, maximise=(True, False))
            result[number] = volume / whole
    return result


def _adds(points: FloatArray) -> NDArray[np.bool_]:
    """Points ``(n, 2)``, to be minimised, that none before them equals or dominates, ``(n,)``."""
    found = np.zeros(len(points), dtype=bool)
    best = points[:0]
    for first in range(0, len(points), _BLOCK):
        part = points[first : first + _BLOCK]
        open_ = np.flatnonzero(~_covers(best, part).any(axis=0))
        rows = part[open_]
        new = ~np.triu(_covers(rows, rows), 1).any(axis=0)
        found[first + open_[new]] = True
        best = np.concatenate([best, rows[new]])
        best = best[front(best)]
    return found


def _covers(points: FloatArray, others: FloatArray) -> NDArray[np.bool_]:
    """True where a point ``(n, 2)`` is no worse in both than another ``(m, 2)``: ``(n, m)``."""
    first, second = (np.less_equal.outer(points[:, k], others[:, k]) for k in (0, 1))
    return np.asarray(first & second)


def curves(
    groups: dict[str, list[Run]],
    axis: Axis,
    value: Callable[[Run, FloatArray, FloatArray], FloatArray],
) -> dict[str, Curve] | None:
    """A curve an agent along an axis, or None where runs do not know it.

    A run that has ended keeps its value while others of its agent go on; where the first of them
    has no value yet, or the last has ended, nothing is drawn.

    Args:
        groups: runs of one problem by agent.
        axis: what to measure along.
        value: gives a run's value at positions ``(g,)`` from the positions ``(n,)`` of its rows.
    """
    everywhere = along([run for runs in groups.values() for run in runs], axis)
    if everywhere is None:
        return None
    budget = max(int(run.facts.budget) for runs in groups.values() for run in runs)
    x = grid(everywhere, axis, budget)
    result = {}
    for agent, runs in groups.items():
        own = along(runs, axis) or [np.zeros(len(run)) for run in runs]
        values = np.array([value(run, where, x) for run, where in zip(runs, own, strict=True)])
        ends = [_end(run, where, axis) for run, where in zip(runs, own, strict=True)]
        values[:, x > max(ends) + _step(x)] = np.nan
        middle, *limits = iqm_band([values.T], resamples=1000)
        low, high = steady(middle, *limits)
        result[agent] = Curve(x, middle, low, high, len(runs))
    return result


def steady(value: FloatArray, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sort the limits of a curve that only falls, or only rises.

    Resampling a few runs gives limits that jump from one point to the next, which what the curve
    stands for cannot do. Sorted limits hold a whole monotone curve at least as often (Chernozhukov,
    Fernández-Val & Galichon, *Biometrika* 2009).

    Args:
        value: the curve ``(g,)``.
        low: lower limits ``(g,)``, NaN where there are none.
        high: upper limits ``(g,)``.

    Returns:
        Both limits; as they were, if the curve turns.
    """
    known = ~np.isnan(low)
    steps = np.diff(value[known])
    falls = bool((steps <= _SHARP).all())
    if not falls and not (steps >= -_SHARP).all():
        return low, high
    limits = np.stack([low, high])
    limits[:, known] = np.sort(limits[:, known], axis=1)[:, :: -1 if falls else 1]
    return limits[0], limits[1]


def anytime(regret: FloatArray) -> FloatArray:
    """Area under regret curves ``(runs, b)`` a unit of evaluations: the mean regret, ``(runs,)``.

    Evaluations after a run's budget (NaN) do not count; those before its first value count as that.
    """
    known = ~np.isnan(regret)
    first = np.argmax(known, axis=1)
    start = np.where(np.arange(regret.shape[1]) < first[:, None], 1, 0).sum(axis=1)
    values = np.where(known, regret, 0.0).sum(axis=1)
    values += start * regret[np.arange(len(regret)), first]
    return np.asarray(values / np.maximum(known.sum(axis=1) + start, 1))


def _end(run: Run, where: FloatArray, axis: Axis) -> float:
    if axis is EVALUATIONS:
        return float(run.facts.budget)
    return float(where.max()) if len(where) else 0.0


def _step(x: FloatArray) -> float:
    return float(x[1] - x[0]) if len(x) > 1 else 0.0


def _order(run: Run) -> IntArray:
    """Rows by the simulated time at which they were finished, else as they are."""
    ends = run.columns.get("sim_end_s")
    if ends is None or np.isnan(ends).any():
        return np.arange(len(run))
    return np.argsort(ends, kind="stable")
