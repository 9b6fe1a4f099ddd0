"""The common part of trainings with the same seed, estimated and taken off.

A seed decides about the order of the pictures as well as about the first weights, so that all
trainings with one seed are high or low together. Where most architectures were trained with the
same seed, a table would inherit its luck as a bias. Architectures trained with several seeds show
the differences: a model with a fixed effect for each architecture and a random one for each shared
seed, fitted by expectation-maximisation of its restricted likelihood (Laird & Ware 1982).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.benchmarks.grouping import group_mean
from blox_env.benchmarks.trainings import Trainings
from blox_env.ground.typing import FloatArray, IntArray

SHARED = 5  # architectures trained with a seed from which their common part is seen
STEPS = 300  # of expectation and maximisation; far more than they take to settle


@dataclass(frozen=True)
class SeedLevels:
    """The common part of the trainings with each shared seed.

    Attributes:
        seed: seeds that at least ``SHARED`` architectures were trained with ``(k,)``.
        level: of each, above the mean of all seeds ``(k, targets)``; the validation curve, then the
            test accuracy.
        error: standard deviation of what is not known of each level ``(k, targets)``.
        std: of the levels of seeds ``(targets,)``.
    """

    seed: IntArray
    level: FloatArray
    error: FloatArray
    std: FloatArray

    def facts(self) -> dict[str, Any]:
        """Facts about the last validation accuracy, for a card."""
        last = -2  # the test accuracy stands behind it
        return {
            "std_of_seeds": float(self.std[last]),
            "levels": [
                {"seed": int(seed), "level": float(level), "error": float(error)}
                for seed, level, error in zip(
                    self.seed, self.level[:, last], self.error[:, last], strict=True
                )
            ],
        }


def seed_levels(raw: Trainings) -> SeedLevels:
    """Estimate the common part of each seed that several architectures share.

    Args:
        raw: the trainings.

    Returns:
        Levels of zero where no architecture was trained with two seeds.
    """
    targets = np.column_stack([raw.val_acc, raw.test_acc])
    seeds, seed_of, uses = np.unique(raw.seed, return_inverse=True, return_counts=True)
    shared = np.flatnonzero(uses >= SHARED)
    _, member, count = np.unique(raw.x, axis=0, return_inverse=True, return_counts=True)
    several = count[member] > 1
    member, seed_of, targets = member[several], seed_of[several], targets[several]
    if not len(targets) or not len(shared):
        nothing = np.zeros((len(shared), raw.val_acc.shape[1] + 1))
        return SeedLevels(seeds[shared], nothing, nothing, nothing.sum(axis=0))
    _, member, count = np.unique(member, return_inverse=True, return_counts=True)
    # deviations from the architecture's mean, of accuracies and of who has which seed
    own = (seed_of[:, None] == shared).astype(np.float64)
    own -= group_mean(own, member, count)[member]
    deviation = targets - group_mean(targets, member, count)[member]
    level, error, variance = _random_effects(own, deviation, len(targets) - len(count))
    return SeedLevels(seeds[shared], level, error, np.sqrt(variance))


def take_off(raw: Trainings, levels: SeedLevels) -> Trainings:
    """The trainings, as they would be with an average seed.

    Args:
        raw: the trainings.
        levels: of seeds; trainings with other seeds stay as they are.
    """
    if not len(levels.seed):
        return raw
    place = np.minimum(np.searchsorted(levels.seed, raw.seed), len(levels.seed) - 1)
    known = levels.seed[place] == raw.seed
    level = levels.level[place] * known[:, None]
    return replace(raw, val_acc=raw.val_acc - level[:, :-1], test_acc=raw.test_acc - level[:, -1])


def _random_effects(
    design: FloatArray, values: FloatArray, freedom: int
) -> tuple[FloatArray, FloatArray, NDArray[np.float64]]:
    """Random effects of the columns of a design, for every target at once.

    Args:
        design: ``(n, k)``, fixed effects projected out.
        values: ``(n, targets)``, likewise.
        freedom: degrees of freedom that the fixed effects leave.

    Returns:
        Effects ``(k, targets)``, their errors, and the variance of effects ``(targets,)``.
    """
    strength, basis = np.linalg.eigh(design.T @ design)
    strength = np.maximum(strength, 0)[:, None]
    pull = basis.T @ (design.T @ values)
    squares = (values**2).sum(axis=0)
    noise = np.maximum(squares / freedom, 1e-12)
    variance = noise / 10
    for _ in range(STEPS):
        left = 1 / (strength / noise + 1 / variance)
        effect = left * pull / noise
        residual = squares - 2 * (effect * pull).sum(axis=0) + (effect**2 * strength).sum(axis=0)
        noise = np.maximum((residual + (strength * left).sum(axis=0)) / freedom, 1e-12)
        variance = np.maximum((effect**2 + left).mean(axis=0), 1e-12)
    left = 1 / (strength / noise + 1 / variance)
    effect = basis @ (left * pull / noise)
    return effect, np.sqrt(basis**2 @ left), variance
