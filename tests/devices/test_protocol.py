from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from blox_env.devices.protocol import STATISTICS, Protocol, slow_outliers, time_network

QUICK = Protocol(rounds=4, runs=3, min_warmup=10, max_warmup=12, tries=1)


def timed(run: Callable[[], object]) -> int:
    """Nanoseconds of one call."""
    started = time.perf_counter_ns()
    run()
    return time.perf_counter_ns() - started


def test_warm_up_is_bounded() -> None:
    calls: list[int] = []
    timing = time_network(lambda: calls.append(1), QUICK, timed)
    assert 10 <= timing.warmup <= 12
    assert len(calls) == timing.warmup + QUICK.runs
    assert timing.ms.shape == (len(STATISTICS),)
    assert (np.diff(timing.ms[:5]) >= 0).all()


def test_warm_up_ends_when_times_are_stable_and_slow_outliers_are_counted() -> None:
    protocol = Protocol(rounds=2, runs=8, min_warmup=4, max_warmup=20)
    falling = [90, 80, 70, 60, 50, 40, 30, 20, 20, 20, 20]  # microseconds: stable after 11
    times = iter([1000 * t for t in [*falling, 20, 21, 20, 19, 500, 20, 21, 20]])
    timing = time_network(lambda: None, protocol, lambda _: next(times))
    assert timing.warmup == len(falling)
    assert timing.outliers == 1
    assert timing.ms[STATISTICS.index("mean")] == pytest.approx(0.141 / 7)
    assert slow_outliers(np.array([1.0, 1.0, 1.1, 0.9, 0.2])).sum() == 0  # a fast one is none
