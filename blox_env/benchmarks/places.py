"""Differences between the places that trained: what runs on a GPU is moved to what CPUs get.

The same recipe ends a little differently where numbers are rounded differently. Where architectures
were trained at both, the mean difference is taken out, as far as it stands out from its noise.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from blox_env.benchmarks.trainings import Trainings
from blox_env.ground.typing import FloatArray

REFERENCE = "cpu"
FEWEST = 20  # architectures trained at both places, below which nothing is moved


def aligned(raw: Trainings) -> tuple[Trainings, dict[str, Any]]:
    """Trainings as if all had run on CPUs, and what was taken out.

    A mean difference d with standard error e is taken out times ``max(0, 1 - e² / d²)``, the
    positive-part estimator of James & Stein (1961) for one number.

    Args:
        raw: the trainings.

    Returns:
        The trainings, and for each other place with enough architectures in common: their number,
        ``difference`` and ``error`` of the last validation accuracy, and what was ``taken_out``.
    """
    targets = np.column_stack([raw.val_acc, raw.test_acc])
    facts: dict[str, Any] = {}
    for place in np.unique(raw.ran_on).tolist():
        if place == REFERENCE:
            continue
        differences = _differences(raw, targets, place)
        if len(differences) < FEWEST:
            continue
        mean = differences.mean(axis=0)
        error = differences.std(axis=0, ddof=1) / np.sqrt(len(differences))
        square = np.maximum(mean**2, np.finfo(float).tiny)
        moved = mean * np.maximum(0.0, 1 - error**2 / square)
        targets[raw.ran_on == place] -= moved
        last = raw.val_acc.shape[1] - 1
        facts[place] = {
            "architectures": len(differences),
            "difference": float(mean[last]),
            "error": float(error[last]),
            "taken_out": float(moved[last]),
        }
    targets = np.clip(targets, 0.0, 1.0)
    return replace(raw, val_acc=targets[:, :-1], test_acc=targets[:, -1]), facts


def _differences(raw: Trainings, targets: FloatArray, place: str) -> FloatArray:
    """Mean at a place minus mean on CPUs, of architectures trained at both: ``(k, targets)``."""
    _, member = np.unique(raw.x, axis=0, return_inverse=True)
    size = int(member.max()) + 1
    means = []
    for name in (place, REFERENCE):
        own = raw.ran_on == name
        count = np.bincount(member[own], minlength=size)[:, None]
        total = np.zeros((size, targets.shape[1]))
        np.add.at(total, member[own], targets[own])
        means.append(np.divide(total, count, where=count > 0, out=np.full_like(total, np.nan)))
    differences = means[0] - means[1]
    return np.asarray(differences[~np.isnan(differences).any(axis=1)])
