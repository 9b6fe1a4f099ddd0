"""All pairs of agents: whether one of them is better, and the number of questions paid for.

Of k agents there are k(k - 1)/2 pairs; at 5 % each, some of them differ by luck. p-values are
therefore raised by Holm's step-down procedure (*A Simple Sequentially Rejective Multiple Test
Procedure*, 1979), which holds the chance of a single wrong statement among all of them at 5 %.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from blox_env.analysis.intervals import CONFIDENCE, Estimate, improvement, no_difference
from blox_env.ground.typing import FloatArray


@dataclass(frozen=True)
class Pair:
    """Two agents, and whether one of them is better.

    Attributes:
        agent: the first.
        other: the second.
        better: probability that a run of the first is better than one of the second.
        p: of that or more if neither were better; NaN with fewer runs than an interval needs.
        adjusted: the same by Holm's procedure among all pairs.
    """

    agent: str
    other: str
    better: Estimate
    p: float
    adjusted: float

    @property
    def winner(self) -> str | None:
        """The better one, None where no difference is shown."""
        if not self.adjusted <= 1 - CONFIDENCE:
            return None
        return self.agent if self.better.value > 0.5 else self.other


def holm(p: ArrayLike) -> FloatArray:
    """Adjusted p-values ``(n,)`` of a family of them; NaN are not of the family and stay.

    Raises:
        ValueError: for another shape, or values outside 0 to 1.
    """
    given = np.asarray(p, dtype=float)
    if given.ndim != 1 or np.any((given < 0) | (given > 1)):
        raise ValueError(f"p must be probabilities of shape (n,), got {p!r}")
    found = np.full(len(given), np.nan)
    order = np.argsort(given, kind="stable")
    order = order[~np.isnan(given[order])]
    raised = given[order] * np.arange(len(order), 0, -1)
    found[order] = np.minimum(np.maximum.accumulate(raised), 1.0)
    return found


def all_pairs(
    values: Mapping[str, Sequence[ArrayLike]], *, less_is_better: bool = True
) -> list[Pair]:
    """Every pair of agents once, in the order of their names in ``values``.

    Args:
        values: by agent, on the same problems, a problem's runs each, ``(n,)``.
        less_is_better: as for regret.
    """
    pairs = list(itertools.combinations(values, 2))
    better = [improvement(values[a], values[b], less_is_better=less_is_better) for a, b in pairs]
    p = [
        no_difference(
            found, [(np.size(m), np.size(n)) for m, n in zip(values[a], values[b], strict=True)]
        )
        for found, (a, b) in zip(better, pairs, strict=True)
    ]
    return [
        Pair(a, b, found, one, float(raised))
        for (a, b), found, one, raised in zip(pairs, better, p, holm(p), strict=True)
    ]
