"""Linear functions of features, looked up by slot without working the features out."""

from __future__ import annotations

import numpy as np

from blox_env.benchmarks.predictors.base import Features
from blox_env.ground.typing import FloatArray, IntArray

CHECKED = 64  # architectures on which looked-up values are compared with those of the features
CLOSE = 1e-9  # relative difference of sums in another order


class LinearSums:
    """A linear layer on standardised features of architectures.

    In most spaces most features are sums of what each slot adds. So is a linear function of them:
    one vector a slot, looked up by the slot's option.

    Args:
        features: of architectures.
        weights: of features and, last, constants ``(columns + 1, outputs)``.

    Raises:
        ValueError: for features that are no sums over the slots.

    Attributes:
        base: outputs of the architecture of first options ``(outputs,)``.
        tables: of each slot, what its options add to that ``(options, outputs)``.
    """

    def __init__(self, features: Features, weights: FloatArray) -> None:
        space = features.space
        zero = np.zeros(space.slots, dtype=np.int64)

        def worked_out(rows: IntArray) -> FloatArray:
            return np.asarray(features(rows) @ weights[:-1] + weights[-1])

        self.base = worked_out(zero[None])[0]
        self.tables: list[FloatArray] = []
        for slot, options in enumerate(space.options):
            rows = np.repeat(zero[None], options, axis=0)
            rows[:, slot] = np.arange(options)
            self.tables.append(worked_out(rows) - self.base)
        some = space.sample(np.random.default_rng(0), CHECKED)
        if not np.allclose(self(some), worked_out(some), rtol=CLOSE, atol=CLOSE):
            raise ValueError(
                f"features {', '.join(features.kinds)} of the space {space.name!r} are no sums "
                "over its slots"
            )

    def __call__(self, rows: IntArray) -> FloatArray:
        """Outputs ``(n, outputs)`` of architectures ``(n, slots)``."""
        total = self.tables[0].take(rows[:, 0], axis=0)
        total += self.base
        for slot in range(1, len(self.tables)):
            total += self.tables[slot].take(rows[:, slot], axis=0)
        return total
