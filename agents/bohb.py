"""BOHB: Hyperband whose architectures come from a model instead of at random.

Falkner, Klein & Hutter, *BOHB: Robust and Efficient Hyperparameter Optimization at Scale*, ICML
2018. At the longest trainings of which there are enough, one kernel density is fitted to the best
architectures and one to the others; candidates are drawn around the best ones, more widely than the
density is, and the one with the largest ratio of both densities is trained. A third stays random.
Published: ``good`` 0.15, ``candidates`` 64, ``random_fraction`` 1/3, ``widening`` 3, ``eta`` 3, and
at least slots + 1 architectures in either density. Our defaults are the best of 20 random draws on
``digits`` with latency (``perf/tune_agents.py --agent bohb --trials 20 --seeds 6 --final-seeds
20``): narrow densities, many candidates, no widening, a tenth at random.
Deviations: the kernel is that of Aitchison & Aitken, as in the published code, but its width is
``bandwidth`` · n^(-1/(slots + 4)) instead of a rule for numbers; candidates that were trained
before are left out; brackets are those of our Hyperband.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blox_env.agents.hyperband import Hyperband
from blox_env.agents.successive_halving import Architecture, Trainings
from blox_env.ground.errors import check_positive_int
from blox_env.ground.typing import FloatArray, IntArray


class BOHB(Hyperband):
    """Hyperband with a density ratio on the first objective.

    Args:
        eta: of so many architectures one goes on, for so many times the epochs.
        min_epochs: length of the shortest trainings.
        random_fraction: share of architectures drawn at random.
        good: share of the best architectures, from which candidates come.
        candidates: draws of which the best ratio is taken.
        bandwidth: width of the kernels.
        widening: factor of the width for candidates.
    """

    def __init__(
        self,
        eta: float = 3.0,
        min_epochs: int = 2,
        random_fraction: float = 0.1,
        good: float = 0.15,
        candidates: int = 256,
        bandwidth: float = 0.2,
        widening: float = 1.0,
    ) -> None:
        super().__init__(eta, min_epochs)
        self.random_fraction, self.good = float(random_fraction), float(good)
        if not 0 <= self.random_fraction <= 1:
            raise ValueError(f"random_fraction must be in 0 … 1, got {random_fraction!r}")
        if not 0 < self.good < 1:
            raise ValueError(f"good must be between 0 and 1, got {good!r}")
        self.candidates = check_positive_int("candidates", candidates)
        self.bandwidth, self.widening = float(bandwidth), float(widening)
        if not (self.bandwidth > 0 and self.widening > 0):
            raise ValueError(
                f"bandwidth and widening must be above 0, got {bandwidth!r} and {widening!r}"
            )

    def propose(self, trainings: Trainings) -> Architecture | None:
        """A candidate of the model, or a random architecture."""
        rng = trainings.rng
        least = trainings.problem.space.slots + 1
        known = next(
            (v for _, v in sorted(trainings.values.items(), reverse=True) if len(v) >= least + 2),
            None,
        )
        if known is None or rng.random() < self.random_fraction:
            return trainings.fresh()
        ranked = np.array(sorted(known, key=known.__getitem__, reverse=True))
        good = max(least, round(self.good * len(ranked)))
        bad = max(least, len(ranked) - good)
        options = np.asarray(trainings.problem.space.options)
        drawn = self._around(ranked[:good], options, rng)
        new = np.array([tuple(row) not in trainings.epochs for row in drawn.tolist()])
        new &= trainings.problem.candidates.contains(drawn)
        if not new.any():
            return trainings.fresh()
        drawn = drawn[new]
        ratio = self._density(drawn, ranked[:good], options)
        ratio /= self._density(drawn, ranked[-bad:], options)
        return tuple(drawn[np.argmax(ratio)].tolist())

    def _width(self, n: int, options: IntArray, factor: float = 1.0) -> FloatArray:
        """Probability of another option than the kernel's own, ``(slots,)``; at most uniform."""
        width = factor * self.bandwidth * n ** (-1 / (len(options) + 4))
        return np.asarray(np.minimum(width, (options - 1) / options))

    def _around(self, centres: IntArray, options: IntArray, rng: np.random.Generator) -> IntArray:
        """Candidates ``(candidates, slots)`` drawn from widened kernels."""
        centre = centres[rng.integers(len(centres), size=self.candidates)]
        moved = rng.random(centre.shape) < self._width(len(centres), options, self.widening)
        shift = rng.integers(1, np.maximum(options, 2), size=centre.shape)
        return np.asarray(np.where(moved, (centre + shift) % options, centre))

    def _density(self, x: IntArray, centres: IntArray, options: IntArray) -> FloatArray:
        """Kernel density of rows ``(n, slots)``, ``(n,)``."""
        width = self._width(len(centres), options)
        equal: NDArray[np.bool_] = x[:, None] == centres[None]
        kernels = np.where(equal, 1 - width, width / np.maximum(options - 1, 1))
        return np.asarray(kernels.prod(axis=2).mean(axis=1))
