"""Timing of one network: warm-up until stable, single inferences, outliers counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from blox_env.ground.errors import check_positive_int
from blox_env.ground.typing import FloatArray

STATISTICS = ("min", "p10", "p25", "median", "p75", "mean")
OUTLIER_SCORE = 3.5  # modified z-score beyond which a time is an outlier (Iglewicz, Hoaglin 1993)


@dataclass(frozen=True)
class Protocol:
    """Protocol of the visits; the defaults are those of the embedded devices.

    Attributes:
        rounds: visits of every network, an even number: the halves are test and retest.
        runs: timed inferences a visit.
        min_warmup: inferences before timing, at least.
        max_warmup: inferences before timing, at most.
        tolerance: warm-up ends when the medians of the last ``min_warmup // 2`` runs and of as many
            before them differ by less, relatively.
        tries: visits that other processes disturb are made again, so many in all at most; the
            calmest is kept.
        disturbed: cores in use by others, of those that the measurement keeps to, from which on a
            visit is disturbed.
    """

    rounds: int = 6
    runs: int = 30
    min_warmup: int = 10
    max_warmup: int = 30
    tolerance: float = 0.02
    tries: int = 3
    disturbed: float = 0.15

    def __post_init__(self) -> None:
        """Check all numbers."""
        check_positive_int("rounds", self.rounds, 2)
        check_positive_int("runs", self.runs)
        check_positive_int("min_warmup", self.min_warmup, 2)
        check_positive_int("max_warmup", self.max_warmup, self.min_warmup)
        check_positive_int("tries", self.tries)
        if self.rounds % 2:
            raise ValueError(f"rounds must be even (test and retest), got {self.rounds}")
        for name in ("tolerance", "disturbed"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} must lie in 0 … 1, got {getattr(self, name)}")


@dataclass(frozen=True)
class Timing:
    """Result of one visit.

    Attributes:
        warmup: inferences before timing.
        outliers: timed inferences left out, at :data:`OUTLIER_SCORE`, slow ones only.
        ms: the :data:`STATISTICS` of the others in milliseconds, ``(6,)``.
    """

    warmup: int
    outliers: int
    ms: FloatArray


def time_network(
    run: Callable[[], object], protocol: Protocol, timed: Callable[[Callable[[], object]], int]
) -> Timing:
    """Warm up and time one loaded network.

    Args:
        run: one inference.
        protocol: how often it is run.
        timed: gives the nanoseconds of one call, as :meth:`Runtime.timed` does.
    """
    times = [timed(run) for _ in range(protocol.min_warmup)]
    window = protocol.min_warmup // 2
    while len(times) < protocol.max_warmup:
        before, last = np.median(times[-2 * window : -window]), np.median(times[-window:])
        if abs(last - before) <= protocol.tolerance * before:
            break
        times.append(timed(run))
    milliseconds = np.array([timed(run) for _ in range(protocol.runs)]) / 1e6
    kept = milliseconds[~slow_outliers(milliseconds)]
    quantiles = np.quantile(kept, [0, 0.1, 0.25, 0.5, 0.75])
    return Timing(len(times), len(milliseconds) - len(kept), np.append(quantiles, kept.mean()))


def slow_outliers(times: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Mask ``(n,)`` of times that lie too far above the median, by the modified z-score."""
    median = np.median(times)
    deviation = np.median(np.abs(times - median))
    return np.asarray(0.6745 * (times - median) > OUTLIER_SCORE * deviation, dtype=bool)
