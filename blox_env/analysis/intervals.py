"""Estimates over seeds with the uncertainty of their number.

Interquartile means, probabilities of improvement and performance profiles as Agarwal et al.,
*Deep Reinforcement Learning at the Edge of the Statistical Precipice* (NeurIPS 2021), propose them.
A *stratum* holds what one agent reached on one problem, a value a seed; seeds are drawn again
within strata only. The percentile intervals of that paper are too narrow for few seeds, so others
are taken here; ``perf/interval_coverage.py`` prints how often they hold the truth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from blox_env.ground.extras import extra
from blox_env.ground.typing import FloatArray

with extra("experiment", "comparing runs"):
    from scipy import optimize, stats

CONFIDENCE = 0.95
FEWEST = 5  # values below which no interval is given
_CUT = 0.25  # share that an interquartile mean leaves out on either side
_RESAMPLES = 2000
MANY = 1000  # values above which what a bootstrap tends to takes its place
_AT_ONCE = 2**22  # numbers of a batch of resamples
_FAR = 1e30  # distance of an estimate without a standard error: a finite number, for scipy
_ROUNDING = 1e-12  # spreads below this share of the values are none


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; the limits are NaN where there are too few seeds for one."""

    value: float
    low: float
    high: float
    n: int

    @property
    def known(self) -> bool:
        """True where there is an interval."""
        return not math.isnan(self.low)


def interquartile_mean(values: ArrayLike) -> FloatArray:
    """Mean of the middle half along the last axis; of n values ``int(n / 4)`` go on either side."""
    return np.asarray(stats.trim_mean(np.asarray(values, dtype=float), _CUT, axis=-1))


def iqm(strata: Sequence[ArrayLike], *, seed: int = 0) -> Estimate:
    """Interquartile mean of all values, with a stratified bootstrap interval.

    Args:
        strata: a problem's values each, ``(n,)``, one a seed.
        seed: of the resampling.

    Raises:
        ValueError: without any value, or for another shape.
    """
    groups = [np.asarray(stratum, dtype=float) for stratum in strata]
    if any(group.ndim != 1 for group in groups) or not sum(map(len, groups)):
        shapes = [group.shape for group in groups]
        raise ValueError(f"strata must hold values of shape (n,), got shapes {shapes}")
    value, low, high = iqm_band(groups, seed=seed)
    return Estimate(float(value), float(low), float(high), sum(map(len, groups)))


def iqm_band(
    strata: Sequence[FloatArray], *, seed: int = 0, resamples: int = _RESAMPLES
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Interquartile means along the last axis, ``(…)``, and the limits of their intervals.

    The interval is the symmetric studentised bootstrap one (Hall 1988; Wilcox, *Introduction to
    Robust Estimation*, for trimmed means): every resample's distance to the estimate is divided by
    its own standard error, from values winsorised at the same quartiles. It does not leave the
    range of the values. Of more than a thousand values it is the interval that the bootstrap tends
    to, by Student's distribution (Tukey & McLaughlin 1963), which takes no resamples.

    Args:
        strata: arrays ``(…, n)`` with equal leading axes, such as points of a curve; these are
            resampled together. Where one of the values is NaN, so is the result.
        seed: of the resampling.
        resamples: number of resamples.
    """
    whole = np.concatenate(strata, axis=-1)
    known = ~np.isnan(whole).any(axis=-1)
    if not known.all():
        found = np.full((3, *known.shape), np.nan)
        if known.any():
            rows = [stratum[known] for stratum in strata]
            found[:, known] = iqm_band(rows, seed=seed, resamples=resamples)
        return found[0], found[1], found[2]
    sizes = tuple(stratum.shape[-1] for stratum in strata)
    value, error = _iqm_and_error(whole, sizes)
    if whole.shape[-1] < FEWEST:
        return value, np.full_like(value, np.nan), np.full_like(value, np.nan)

    if whole.shape[-1] > MANY:
        left = whole.shape[-1] - 2 * int(_CUT * whole.shape[-1])
        reach = error * stats.t.ppf(0.5 + CONFIDENCE / 2, left - 1)
        return value, *_within(value, reach, whole)

    def distance(*samples: FloatArray, axis: int = -1) -> FloatArray:
        again, own = _iqm_and_error(np.concatenate(samples, axis=axis), sizes)
        off = np.abs(again - value[..., None])
        still = np.where(off <= _ROUNDING * np.abs(again), 0.0, _FAR)
        return np.divide(off, own, out=still, where=own > _ROUNDING * np.abs(again))

    drawn = _bootstrap(strata, distance, seed=seed, resamples=resamples)
    reach = error * np.quantile(drawn, CONFIDENCE, axis=-1, method="higher")
    return value, *_within(value, reach, whole)


def _within(
    value: FloatArray, reach: FloatArray, whole: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Limits on both sides of a value that do not leave the range of all values, ``(…, n)``."""
    low = np.maximum(value - reach, whole.min(axis=-1))
    return low, np.minimum(value + reach, whole.max(axis=-1))


def _iqm_and_error(values: FloatArray, sizes: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
    """Interquartile mean of strata side by side, ``(…, n)``, and its standard error."""
    n = values.shape[-1]
    cut = int(_CUT * n)
    order = np.sort(values, axis=-1)
    clipped = np.clip(values, order[..., cut, None], order[..., n - cut - 1, None])
    middle = np.asarray(order[..., cut : n - cut].mean(axis=-1))
    parts = np.split(clipped, np.cumsum(sizes)[:-1], axis=-1)
    spread = np.zeros(values.shape[:-1])
    for part in parts:
        if part.shape[-1] > 1:
            spread += part.shape[-1] * part.var(axis=-1, ddof=1)
    return middle, np.sqrt(spread) / (n - 2 * cut)


def improvement(
    values: Sequence[ArrayLike], others: Sequence[ArrayLike], *, less_is_better: bool = True
) -> Estimate:
    """Probability that a run of one agent is better than one of another, mean over problems.

    Equal values count half. The interval is Newcombe's for areas under curves (*Statistics in
    Medicine* 25, 2006, method 5), which stays sensible where all runs of one agent are better.

    Args:
        values: of the agent, a problem's runs each, ``(n,)``.
        others: of the agent it is compared with, on the same problems, ``(m,)`` each.
        less_is_better: as for regret.

    Raises:
        ValueError: when the numbers of problems differ, or a problem has no value.
    """
    mine = [np.asarray(stratum, dtype=float) for stratum in values]
    theirs = [np.asarray(stratum, dtype=float) for stratum in others]
    if len(mine) != len(theirs) or not mine or not all(map(len, [*mine, *theirs])):
        raise ValueError(
            "both agents need values on the same problems, got numbers of runs "
            f"{[len(group) for group in mine]} and {[len(group) for group in theirs]}"
        )
    pairs = list(zip(mine, theirs, strict=True))
    sign = -1.0 if less_is_better else 1.0
    value = float(np.mean([0.5 + 0.5 * sign * _larger(a, b) for a, b in pairs]))
    sizes = [(len(a), len(b)) for a, b in pairs]
    runs = min(sum(len(a) for a in mine), sum(len(b) for b in theirs))
    if runs < FEWEST:
        return Estimate(value, math.nan, math.nan, runs)
    return Estimate(value, *_newcombe(value, sizes), runs)


def _larger(values: FloatArray, others: FloatArray) -> float:
    """Mean sign of the difference of any of the values ``(m,)`` to any of the others ``(n,)``."""
    order = np.sort(others)
    below = np.searchsorted(order, values, side="left").sum()
    above = len(others) * len(values) - np.searchsorted(order, values, side="right").sum()
    return float((below - above) / (len(values) * len(others)))


def no_difference(found: Estimate, sizes: Sequence[tuple[int, int]]) -> float:
    """The p-value of a probability of improvement against one half, two-sided.

    It belongs to the interval of :func:`improvement`: below 5 % just where that leaves out 0.5.

    Args:
        found: what :func:`improvement` gave.
        sizes: numbers of runs of both agents, a problem each.
    """
    if not found.known:
        return math.nan
    z = abs(found.value - 0.5) / math.sqrt(_variance(0.5, sizes))
    return float(2 * stats.norm.sf(z))


def _variance(p: float, sizes: Sequence[tuple[int, int]]) -> float:
    """Variance of the mean over problems of what is found where the truth is p everywhere."""
    spread = 0.0
    for m, n in sizes:
        more = (0.5 * (m + n) - 1) * ((1 - p) / (2 - p) + p / (1 + p))
        spread += p * (1 - p) * (1 + more) / (m * n)
    return spread / len(sizes) ** 2


def _newcombe(value: float, sizes: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """Both p at which ``value`` is as far away as 95 % of what is found at p reach."""
    z = float(stats.norm.ppf(0.5 + CONFIDENCE / 2))

    def excess(p: float) -> float:
        return (value - p) ** 2 - z * z * _variance(p, sizes)

    low = 0.0 if value <= 0 else optimize.brentq(excess, 0.0, min(value, 1 - 1e-12))
    high = 1.0 if value >= 1 else optimize.brentq(excess, max(value, 1e-12), 1.0)
    return float(low), float(high)


def performance_profile(
    strata: Sequence[ArrayLike], thresholds: ArrayLike, *, seed: int = 0
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Share of runs whose value is at most each threshold, with pointwise 95 % limits.

    The share is the mean over problems, so that each counts as much. Limits are those of a
    stratified percentile bootstrap: of n runs of which k are below, a resample has a binomial
    number below, so that none has to be made.

    Args:
        strata: a problem's values each, ``(n,)``.
        thresholds: ``(t,)``.
        seed: of the resampling.

    Returns:
        Share, lower and upper limit, ``(t,)`` each; the limits are NaN below 5 values.
    """
    limits = np.asarray(thresholds, dtype=float)
    below = [
        (np.asarray(stratum, dtype=float)[None, :] <= limits[:, None]).astype(float)
        for stratum in strata
    ]

    value = np.asarray(np.mean([part.mean(axis=-1) for part in below], axis=0))
    if sum(part.shape[-1] for part in below) < FEWEST:
        return value, np.full_like(value, np.nan), np.full_like(value, np.nan)
    rng = np.random.default_rng(seed)
    shape = (len(limits), _RESAMPLES)
    drawn = np.zeros(shape)
    for part in below:
        n = part.shape[-1]
        drawn += rng.binomial(n, part.mean(axis=-1)[:, None], shape) / (n * len(below))
    edge = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, (edge, 1 - edge), axis=-1)
    return value, low, high


def _bootstrap(
    strata: Sequence[FloatArray],
    statistic: Any,
    *,
    seed: int,
    resamples: int,
) -> FloatArray:
    """Values of a statistic for seeds drawn again within strata, ``(…, resamples)``."""
    strata = [np.repeat(s, 2, axis=-1)[..., :2] if s.shape[-1] == 1 else s for s in strata]
    batch = min(250, max(1, _AT_ONCE // sum(s.size for s in strata)))
    found = stats.bootstrap(
        tuple(strata), statistic, n_resamples=resamples, batch=batch, vectorized=True, axis=-1,
        method="percentile", random_state=np.random.default_rng(seed),
    )  # fmt: skip
    return np.asarray(found.bootstrap_distribution)


def thresholds(values: Sequence[FloatArray], points: int = 100) -> tuple[FloatArray, bool]:
    """Thresholds for profiles of these values, ``(t,)``, and True for a logarithmic scale.

    Logarithmic from the smallest positive value where that is far below the largest.

    Args:
        values: what is profiled, ``(n,)`` each.
        points: how many thresholds.
    """
    every = np.concatenate(values)
    top = float(every.max())
    positive = every[every > 0]
    if len(positive) and top > 20 * positive.min():
        return np.geomspace(positive.min() / 2, top * 1.05, points), True
    low = min(0.0, float(every.min()))
    return np.linspace(low, max(top * 1.05, low + 1e-9), points), False
