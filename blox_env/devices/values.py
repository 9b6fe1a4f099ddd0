"""From the visits of networks to one value each: statistic, drift, noise, shrinking.

The statistic of a visit and the width of the drift are fixed here, so that the errors between test
and retest which a card reports did not choose them.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from blox_env.devices.estimators import predictor
from blox_env.devices.protocol import STATISTICS
from blox_env.ground.typing import FloatArray, IntArray

STATISTIC = "min"  # of a visit: what other processes disturb least
DRIFT_WINDOW = 15  # visits in a row that share a drift of the machine
DRIFT_WINDOWS = (0, 5, 9, 15, 41)  # what a card shows beside it; 0: drift is not removed
BOOTSTRAPS = 100


def combine(logs: FloatArray, positions: IntArray, window: int) -> FloatArray:
    """One log latency a network from its visits: ``(rounds, n) -> (n,)``, a median over rounds.

    Args:
        logs: log times ``(rounds, n)``.
        positions: when in its round each network was visited, ``(rounds, n)``.
        window: subtract first what so many visits in a row have in common beyond their networks'
            own medians (median polish with a moving median); 0 subtracts nothing. The median over
            all visits stays what it is.
    """
    own: FloatArray = np.median(logs, axis=0)
    if not window:
        return own
    order = np.argsort(positions, axis=1)
    drift = np.empty_like(logs)
    for _ in range(5):
        in_order = np.take_along_axis(logs - own, order, axis=1)
        half = min(window // 2, in_order.shape[1] - 1)
        padded = np.pad(in_order, ((0, 0), (half, half)), mode="reflect")
        moving = np.median(sliding_window_view(padded, 2 * half + 1, axis=1), axis=2)
        np.put_along_axis(drift, order, moving - np.median(moving), axis=1)
        own = np.median(logs - drift, axis=0)
    return own


def bootstrap_error(logs: FloatArray, positions: IntArray, window: int) -> float:
    """Mean relative error of a network's value, from resampling the rounds (seeded).

    Args:
        logs: logarithms of the times, ``(rounds, n)``.
        positions: of the networks in each round, ``(rounds, n)``.
        window: width of the drift's running median.
    """
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(BOOTSTRAPS):
        chosen = rng.integers(len(logs), size=len(logs))
        draws.append(combine(logs[chosen], positions[chosen], window))
    spread = np.std(np.array(draws), axis=0, ddof=1)
    return float(np.sqrt(2 / np.pi) * spread.mean())  # mean size of a Gaussian of that deviation


def halves(times: FloatArray, positions: IntArray, statistic: str, window: int) -> FloatArray:
    """Log values of test and retest, the first and the second half of the rounds: ``(2, n)``.

    Args:
        times: milliseconds ``(rounds, n, 6)``, the last axis as in ``STATISTICS``.
        positions: ``(rounds, n)``.
        statistic: of a visit.
        window: of the drift; where there is one, what all networks share between the halves is
            drift as well.
    """
    logs, half = np.log(times[:, :, STATISTICS.index(statistic)]), len(times) // 2
    test = combine(logs[:half], positions[:half], window)
    retest = combine(logs[half:], positions[half:], window)
    return np.stack([test, retest + np.median(test - retest) if window else retest])


def retest_scores(times: FloatArray, positions: IntArray) -> dict[str, predictor.Scores]:
    """Agreement of test and retest for every statistic and every width of the drift.

    Args:
        times: milliseconds ``(rounds, n, 6)``, the last axis as in ``STATISTICS``.
        positions: ``(rounds, n)``.
    """
    return {
        label(statistic, window): predictor.scores(
            *np.exp(halves(times, positions, statistic, window))
        )
        for statistic in STATISTICS
        for window in DRIFT_WINDOWS
    }


def label(statistic: str, window: int) -> str:
    """Name of a choice in a card.

    Args:
        statistic: of a visit.
        window: of the drift.
    """
    return f"{statistic}, drift over {window}" if window else statistic


def shrink(
    measured: FloatArray, held_out: FloatArray, noise_var: float
) -> tuple[FloatArray, float]:
    """Move measured latencies towards what a predictor says that has not seen them.

    A measured value is off by its noise, a predicted one by what the predictor does not know. Of
    the differences between both, a share is real; so much of each difference stays (the estimate of
    James and Stein, 1961, with the prediction in place of a mean).

    Args:
        measured: milliseconds ``(n,)``.
        held_out: milliseconds that were predicted without the network ``(n,)``.
        noise_var: variance of the noise of the logarithm of a measured value.

    Returns:
        The values in milliseconds ``(n,)``, and the share of the differences that stays, 0 … 1.
    """
    difference = np.log(measured) - np.log(held_out)
    total = float((difference**2).mean())
    weight = max(0.0, 1 - noise_var / total) if total > 0 else 1.0
    return held_out * np.exp(weight * difference), weight


def deciles(truth: FloatArray, predicted: FloatArray) -> list[dict[str, float]]:
    """Relative errors of predictions by tenths of the truth, the fastest tenth first.

    Args:
        truth: milliseconds ``(n,)``.
        predicted: milliseconds ``(n,)``.

    Returns:
        For each tenth its mean latency, the mean relative error, and the mean relative difference
        with its sign.
    """
    error, order = predicted / truth - 1, np.argsort(truth, kind="stable")
    return [
        {
            "ms": float(truth[part].mean()),
            "mape": float(np.abs(error[part]).mean()),
            "bias": float(error[part].mean()),
        }
        for part in np.array_split(order, min(10, len(order)))
    ]
