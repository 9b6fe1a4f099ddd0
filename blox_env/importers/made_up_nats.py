"""Files in the formats of NATS-Bench and HW-NAS-Bench with made-up numbers: for tests and examples.

The layouts are those that the authors' own scripts write and their interfaces read, with dicts in
order and numbers of numpy where these have them. No number of theirs is in here.
"""

from __future__ import annotations

import bz2
import pickle
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from blox_env.ground.typing import FloatArray, IntArray
from blox_env.importers.nats import META, SUFFIX
from blox_env.spaces import NatsTopologySpace

SETS = {
    "cifar10-valid": ("x-valid", "ori-test"),
    "cifar10": ("ori-test",),
    "cifar100": ("x-valid", "x-test", "ori-test"),
    "ImageNet16-120": ("x-valid", "x-test", "ori-test"),
}
DEVICES = ("edgegpu", "raspi4", "edgetpu", "pixel3", "eyeriss", "fpga")
DATASETS = ("cifar10", "cifar100", "ImageNet16-120")
_SPACE = NatsTopologySpace()
_GOOD = np.array([0.0, 1.0, 2.0, 3.0, 0.5])  # what an operation does for the accuracy
_SLOW = np.array([0.0, 0.1, 0.8, 2.0, 0.4])  # and what it takes


def write_nats(folder: Path, x: IntArray, rng: np.random.Generator) -> None:
    """A folder like ``NATS-tss-v1_0-3ffb9-simple`` of the cells ``(n, 6)``, in another order.

    Args:
        folder: is made.
        x: the cells.
        rng: draws the numbers.
    """
    folder.mkdir(parents=True)
    cells = _SPACE.to_strings(rng.permutation(x))
    meta = {"meta_archs": cells, "total_archs": len(cells), "arch2infos": None}
    _pack(folder / META, {**meta, "evaluated_indexes": set()})
    for row, cell in zip(x, _SPACE.to_strings(x), strict=True):
        index = cells.index(cell)
        good = float(np.tanh(_GOOD[row].sum() / 10))
        recipes = OrderedDict()
        for recipe, epochs, seeds in (("12", 12, (777,)), ("200", 200, (777, 888))):
            recipes[recipe] = _record(index, cell, good, epochs, seeds, rng)
        _pack(folder / f"{index:06d}{SUFFIX}", recipes)


def write_hw(
    path: Path,
    x: IntArray,
    rng: np.random.Generator,
    *,
    devices: Sequence[str] = DEVICES,
    datasets: Sequence[str] = DATASETS,
) -> FloatArray:
    """A file like ``HW-NAS-Bench-v1_0.pickle``; latencies on the first device, dataset ``(n,)``.

    Args:
        path: of the file.
        x: its cells ``(n, 6)``.
        rng: draws the numbers.
        devices: all of the official file if not given.
        datasets: likewise.
    """
    network = {"name": "infer.tiny", "C": 16, "N": 5}
    metrics: dict[str, dict[str, Any]] = {}
    for dataset in datasets:
        found: dict[str, Any] = {}
        for device in devices:
            noise = rng.lognormal(0, 0.02, len(x))
            milliseconds = rng.uniform(1, 9) * (0.5 + _SLOW[x].sum(axis=1)) * noise
            found[f"{device}_latency"] = list(milliseconds)  # numbers of numpy
            if device == "eyeriss":
                found["eyeriss_arithmetic_intensity"] = [2.5] * len(x)
            if device in ("edgegpu", "eyeriss", "fpga"):
                found[f"{device}_energy"] = milliseconds.tolist()
        found["config"] = [
            {**network, "arch_str": cell, "num_classes": 10} for cell in _SPACE.to_strings(x)
        ]
        metrics[dataset] = found
    path.write_bytes(pickle.dumps({"nasbench201": metrics, "fbnet": {}}, protocol=4))
    return np.asarray(metrics[datasets[0]][f"{devices[0]}_latency"])


def _record(
    index: int, cell: str, good: float, epochs: int, seeds: tuple[int, ...], rng: Any
) -> dict[str, Any]:
    """Everything about one cell and one recipe."""
    results: dict[Any, Any] = {}
    times = OrderedDict((epoch, 12.5) for epoch in range(epochs))
    for dataset, names in SETS.items():
        for seed in seeds if epochs > 12 else seeds[:1]:
            evaluations = {}
            for name in names:
                # as in the release: most sets were evaluated after the last epoch alone
                always = epochs == 12 or (dataset == "cifar10-valid" and name == "x-valid")
                for epoch in range(0 if always else epochs - 1, epochs):
                    share = (epoch + 1) / epochs
                    percent = 20 + 70 * good * share**0.3 + rng.normal(0, 0.3)
                    evaluations[f"{name}@{epoch}"] = float(np.clip(percent, 0, 100))
            results[dataset, seed] = {
                "name": dataset,
                "net_state_dict": None,
                "train_acc1es": dict.fromkeys(range(epochs), 50.0),
                "train_acc5es": dict.fromkeys(range(epochs), 90.0),
                "train_losses": dict.fromkeys(range(epochs), 1.5),
                "train_times": times,
                "arch_config": {"channel": 16, "num_cells": 5, "arch_str": cell, "class_num": 10},
                "params": np.float64(0.1 + good),
                "flop": 20.0 + 100 * good,
                "seed": seed,
                "epochs": epochs,
                "latency": [0.012 + 0.01 * good],
                "eval_names": list(names),
                "eval_acc1es": evaluations,
                "eval_losses": dict.fromkeys(evaluations, 1.5),
                "eval_times": {f"{name}@{e}": 0.5 for name in names for e in range(epochs)},
            }
    return {
        "arch_index": index,
        "arch_str": cell,
        "all_results": results,
        "dataset_seed": {dataset: list(seeds) for dataset in SETS},
        "clear_net_done": True,
    }


def _pack(path: Path, content: object) -> None:
    path.write_bytes(bz2.compress(pickle.dumps(content, protocol=4)))
