"""A new device from few measurements, with known devices as prior knowledge.

Many devices rank networks much alike: what is slow here is mostly slow there. The new latency is
therefore modelled as the mean of the known devices' latencies, each relative to its own mean, times
a factor; plus a correction that is linear in each of these and in the counts of operations, kept
small by a ridge whose size the measurements decide (leave-one-out). With ten measurements it is
hardly more than the factor, with some hundred it is a model of its own. Latencies enter as they
are, not as logarithms, because those of the operations of a network add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from blox_env.devices.base import Device
from blox_env.devices.estimators.predictor import Candidate, counts
from blox_env.ground.errors import check_positive_int
from blox_env.ground.extras import extra_module
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.base import SearchSpace

_ALPHAS = np.logspace(-6, 4, 31)
_COUNTS_WEIGHT = 0.15  # chosen among 0.05, 0.15 and 0.5 on four embedded devices
_SAMPLE = 4096  # architectures that tell the usual latencies of a known device


def few_shot_candidates(space: SearchSpace, priors: Sequence[Device]) -> dict[str, Candidate]:
    """The predictor ``few-shot`` of these known devices; none without one.

    Args:
        space: of the architectures.
        priors: the known devices.

    Raises:
        ValueError: a device is for another space.
    """
    if not priors:
        return {}
    _check(space, priors)
    names = ", ".join(prior.name for prior in priors)
    usual = _latencies(priors, space.sample(np.random.default_rng(0), _SAMPLE)).mean(axis=0)

    def features(space: SearchSpace, x: ArrayLike) -> FloatArray:
        relative = _latencies(priors, x) / usual
        return np.hstack([relative, _COUNTS_WEIGHT * counts(space, x)])

    words = f"mean latency on {names}, corrected by a ridge on these and counts of operations"
    return {"few-shot": Candidate(features, lambda: _Corrected(len(priors)), words)}


def choose_networks(
    space: SearchSpace,
    n: int,
    priors: Sequence[Device],
    *,
    pool: ArrayLike | None = None,
    seed: int = 0,
) -> IntArray:
    """Choose ``n`` networks to measure, each as far as can be from those before it, ``(n, slots)``.

    Far in what :func:`few_shot_candidates` looks at (in counts of operations alone without known
    devices), every column scaled to the same spread; the first is the one nearest to the middle.

    Args:
        space: what to choose from.
        n: how many.
        priors: known devices.
        pool: architectures ``(m, slots)`` to choose from, m ≥ n; 4,096 drawn ones if not given.
        seed: of that draw.

    Raises:
        ValueError: for a device of another space, or a pool that is too small.
    """
    check_positive_int("n", n)
    _check(space, priors)
    drawn = space.sample(np.random.default_rng(seed), _SAMPLE) if pool is None else pool
    rows = np.unique(space.check(drawn), axis=0)
    if n > len(rows):
        raise ValueError(f"n must be at most the number of networks to choose from, got {n}")
    parts = [_latencies(priors, rows)] if priors else []
    z = np.hstack([*parts, counts(space, rows)])
    z = (z - z.mean(axis=0)) / np.maximum(z.std(axis=0), 1e-12)
    chosen = [int(np.argmin((z**2).sum(axis=1)))]
    distance = ((z - z[chosen[0]]) ** 2).sum(axis=1)
    for _ in range(n - 1):
        chosen.append(int(np.argmax(distance)))
        distance = np.minimum(distance, ((z - z[chosen[-1]]) ** 2).sum(axis=1))
    return rows[chosen]


class _Corrected:
    """Mean of the first ``k`` columns plus a constant and a ridge on all, times a factor."""

    def __init__(self, k: int) -> None:
        self._k = k
        self._factor = 1.0
        self._ridge: Any = extra_module(
            "sklearn.linear_model", "surrogate", "predicting latency"
        ).RidgeCV(alphas=_ALPHAS)

    def fit(self, features: FloatArray, latency: FloatArray) -> None:
        mean = features[:, : self._k].mean(axis=1)
        self._factor = latency.mean() / mean.mean()
        self._ridge.fit(features, latency / self._factor - mean)

    def predict(self, features: FloatArray) -> FloatArray:
        mean = features[:, : self._k].mean(axis=1)
        relative = np.asarray(mean + self._ridge.predict(features), dtype=np.float64)
        # what comes out near 0 or below is no latency: the fastest measured ones are far from it
        return self._factor * np.maximum(relative, 0.05)


def _latencies(priors: Sequence[Device], x: ArrayLike) -> FloatArray:
    return np.column_stack([prior.latency_ms(x) for prior in priors])


def _check(space: SearchSpace, priors: Sequence[Device]) -> None:
    for prior in priors:
        if prior.space != space:
            raise ValueError(
                f"priors must be devices for the space {space.name!r}, got {prior.name!r} "
                f"for {prior.space.name!r}"
            )
