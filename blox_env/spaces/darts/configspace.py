"""DARTS cells as the arrays that NAS-Bench-301's models take.

ConfigSpace writes a configuration as one number a setting: first the settings that are always
active, then those that depend on others, by name in both. A choice is its number among all, a
number is scaled to its range, and what is inactive is -1. The settings of the training are the same
for all cells, so that trees can hardly ask about them; they are scaled as ConfigSpace 0.4 does it.
"""

from __future__ import annotations

import math

import numpy as np

from blox_env.ground.typing import FloatArray
from blox_env.spaces.darts.cells import CELLS, FIRST_EDGE, INPUTS, NODES, OPERATIONS, PAIRS
from blox_env.spaces.darts.notation import PREFIX, setting_table


def _whole(value: float, low: int, high: int, *, log: bool = False) -> float:
    """A whole number in its range, of which each has as much as any other."""
    return _real(value, low - 0.49999, high + 0.49999, log=log)


def _real(value: float, low: float, high: float, *, log: bool = False) -> float:
    if log:
        value, low, high = math.log(value), math.log(low), math.log(high)
    return (value - low) / (high - low)


FIXED = {
    "CreateImageDataLoader:batch_size": _whole(96, 64, 128, log=True),
    "ImageAugmentation:augment": 0.0,
    "ImageAugmentation:autoaugment": 0.0,
    "ImageAugmentation:cutout": 0.0,
    "ImageAugmentation:cutout_holes": _whole(1, 1, 3),
    "ImageAugmentation:cutout_length": _whole(16, 1, 50),
    "ImageAugmentation:fastautoaugment": 0.0,
    "LossModuleSelectorIndices:loss_module": 0.0,
    f"{PREFIX}auxiliary": 0.0,
    f"{PREFIX}drop_path_prob": 0.0,
    f"{PREFIX}init_channels": _whole(32, 1, 10_000),
    f"{PREFIX}layers": _whole(8, 1, 10_000),
    "NetworkSelectorDatasetInfo:network": 0.0,
    "OptimizerSelector:optimizer": 0.0,
    "OptimizerSelector:sgd:learning_rate": math.log(0.025),
    "OptimizerSelector:sgd:momentum": _real(0.9, 0.1, 0.99),
    "OptimizerSelector:sgd:weight_decay": math.log(0.0003),
    "SimpleLearningrateSchedulerSelector:cosine_annealing:T_max": _whole(100, 1, 10_000),
    "SimpleLearningrateSchedulerSelector:cosine_annealing:eta_min": _real(1e-8, 0, 10_000),
    "SimpleLearningrateSchedulerSelector:lr_scheduler": 0.0,
    "SimpleTrainNode:batch_loss_computation_technique": 0.0,
    "SimpleTrainNode:mixup:alpha": _real(0.2, 0.01, 0.7, log=True),
}


def _columns() -> list[str]:
    always, sometimes = list(FIXED), []
    for cell in CELLS:
        always += [f"{PREFIX}inputs_node_{cell}_{INPUTS + node}" for node in range(1, NODES)]
        edges = [f"{PREFIX}edge_{cell}_{n}" for n in range(FIRST_EDGE[-1] + INPUTS + NODES - 1)]
        always += edges[:INPUTS]  # the first node has no other inputs
        sometimes += edges[INPUTS:]
    return sorted(always) + sorted(sometimes)


COLUMNS = tuple(_columns())


def array_tables() -> tuple[FloatArray, list[FloatArray]]:
    """The array as a sum: ``(columns,)``, and of each slot what its options add to it."""
    codes: dict[str, dict[str, int]] = {name: {} for name in COLUMNS}
    for name in set(COLUMNS) - set(FIXED):
        choices: tuple[str, ...] = OPERATIONS
        if "inputs_node" in name:
            choices = tuple(f"{a}_{b}" for a, b in PAIRS[int(name[-1]) - INPUTS])
        codes[name] = {choice: number + 1 for number, choice in enumerate(choices)}
    base = np.array([FIXED.get(name, -1.0) for name in COLUMNS])
    return base, [table.astype(np.float64) for table in setting_table(codes)]
