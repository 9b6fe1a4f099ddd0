"""A new device from few measurements, with known devices as prior knowledge.

Devices rank networks much alike: what is slow here is mostly slow there. The logarithm of the new
latency is therefore modelled as the mean of the known devices' logarithms, plus a correction that
is linear in each of these and in the counts of operations, kept small by a ridge whose size the
measurements decide (leave-one-out). With ten measurements it is hardly more than a common factor,
with some hundred it is a model of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from blox_env.devices.base import Device
from blox_env.devices.predictor import Candidate, counts, required
from blox_env.errors import check_positive_int
from blox_env.spaces.base import FloatArray, IntArray, SearchSpace

_ALPHAS = np.logspace(-4, 4, 25)
_COUNTS_WEIGHT = 0.15  # an operation more costs some percent, devices differ by some ten
_SAMPLE = 4096  # architectures that tell the usual latencies of a known device


def few_shot_candidates(space: SearchSpace, priors: Sequence[Device]) -> dict[str, Candidate]:
    """The predictor ``few-shot`` of these known devices; none without one.

    Raises:
        ValueError: a device is for another space.
    """
    if not priors:
        return {}
    _check(space, priors)
    names = ", ".join(prior.name for prior in priors)
    centre = _logs(priors, space.sample(np.random.default_rng(0), _SAMPLE)).mean(axis=0)

    def features(space: SearchSpace, x: ArrayLike) -> FloatArray:
        return np.hstack([_logs(priors, x) - centre, _COUNTS_WEIGHT * counts(space, x)])

    words = f"latencies on {names} and counts of operations, corrected by a ridge in logarithms"
    return {"few-shot": Candidate(features, lambda: _Corrected(len(priors)), words)}


def choose_networks(
    space: SearchSpace,
    n: int,
    priors: Sequence[Device],
    *,
    pool: ArrayLike | None = None,
    seed: int = 0,
) -> IntArray:
    """Which ``n`` networks to measure: each as far as can be from those before it, ``(n, slots)``.

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
    parts = [_logs(priors, rows)] if priors else []
    z = np.hstack([*parts, counts(space, rows)])
    z = (z - z.mean(axis=0)) / np.maximum(z.std(axis=0), 1e-12)
    chosen = [int(np.argmin((z**2).sum(axis=1)))]
    distance = ((z - z[chosen[0]]) ** 2).sum(axis=1)
    for _ in range(n - 1):
        chosen.append(int(np.argmax(distance)))
        distance = np.minimum(distance, ((z - z[chosen[-1]]) ** 2).sum(axis=1))
    return rows[chosen]


class _Corrected:
    """Mean of the first ``k`` columns, plus a constant and a ridge on all; in logarithms."""

    def __init__(self, k: int) -> None:
        self._k = k
        linear = required("sklearn.linear_model")
        self._ridge: Any = linear.RidgeCV(alphas=_ALPHAS)

    def fit(self, features: FloatArray, latency: FloatArray) -> None:
        self._ridge.fit(features, np.log(latency) - features[:, : self._k].mean(axis=1))

    def predict(self, features: FloatArray) -> FloatArray:
        log = features[:, : self._k].mean(axis=1) + self._ridge.predict(features)
        return np.asarray(np.exp(log), dtype=np.float64)


def _logs(priors: Sequence[Device], x: ArrayLike) -> FloatArray:
    return np.log(np.column_stack([prior.latency_ms(x) for prior in priors]))


def _check(space: SearchSpace, priors: Sequence[Device]) -> None:
    for prior in priors:
        if prior.space != space:
            raise ValueError(
                f"priors must be devices for the space {space.name!r}, got {prior.name!r} "
                f"for {prior.space.name!r}"
            )
