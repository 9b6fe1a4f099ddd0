"""NATS-Bench's topology space (Dong et al., 2021) from the folder ``NATS-tss-v1_0-3ffb9-simple``.

``meta.pickle.pbz2`` lists the cells, ``000000.pickle.pbz2`` … hold one each: a dict by recipe; its
``all_results`` has a training for each (dataset, seed), in percent, seconds and millions.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from blox_env.ground.data_pickle import load_bz2
from blox_env.ground.errors import unknown_name
from blox_env.ground.typing import FloatArray
from blox_env.importers.contents import Contents, Wishes, by_seed, source, whole_curves
from blox_env.spaces import NatsTopologySpace

SUFFIX, DEVICE = ".pickle.pbz2", "nats-gpu-b256"
META = f"meta{SUFFIX}"
# by dataset: trained on for the validation accuracy, trained on for the test accuracy, tested on
DATASETS = {
    "cifar10": ("cifar10-valid", "cifar10", "ori-test"),
    "cifar100": ("cifar100", "cifar100", "x-test"),
    "ImageNet16-120": ("ImageNet16-120", "ImageNet16-120", "x-test"),
}


def read(paths: list[Path], wishes: Wishes) -> Contents:
    """The trainings in a folder: ``cifar10`` with 200 epochs unless others are wished for.

    Args:
        paths: one folder.
        wishes: the dataset, such as ``cifar100``, or ``cifar100:12`` of the recipe of 12 epochs.
    """
    folder, space = paths[0], NatsTopologySpace()
    dataset, _, recipe = (wishes.dataset or "cifar10").partition(":")
    if dataset not in DATASETS or recipe not in ("", "12", "200"):
        raise ValueError(unknown_name("dataset", wishes.dataset, [*DATASETS, "cifar10:12"]))
    epochs, of = int(recipe or 200), DATASETS[dataset]
    files = sorted({*folder.glob(f"*{SUFFIX}")} - {folder / META})
    chosen, tables, sizes = [], [], np.empty((len(files), 3))
    for row, path in enumerate([folder / META, *files], -1):
        found = load_bz2(path)
        try:
            if row < 0:
                cells = found["meta_archs"]
                continue
            chosen.append(cells[int(path.name.removesuffix(SUFFIX))])
            if found[str(epochs)]["arch_str"] != chosen[-1]:
                raise ValueError(f"{META} names another cell, {chosen[-1]}")
            results = found[str(epochs)]["all_results"]
            tables.append(_table(results, epochs, of))
            sizes[row] = _sizes([each for (name, _), each in results.items() if name in of])
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"{path}: nothing of {dataset}, {epochs} epochs: {error!r}") from None
        wishes.tell(path.name, (row + 1) / len(files))
    trainings = {
        seed: {"train_time_s": of_seed[:, 0], "test_acc": of_seed[:, 1], "val_acc": of_seed[:, 2:]}
        for seed, of_seed in by_seed(tables).items()
    }
    whole = whole_curves(trainings)  # not so for most datasets of the long recipe
    return Contents(
        name=f"nats-topology-{dataset}",
        space=space,
        numbers=space.index(space.from_strings(chosen)),
        description=f"NATS-Bench topology (Dong et al., 2021), imported: {dataset}, {epochs} epochs"
        f"; val_acc after training on {of[0]}, test_acc ({of[2]}) on {of[1]}",
        dataset=dataset,
        epochs=epochs if whole else 1,
        trainings=trainings,
        sizes={"params": np.rint(sizes[:, 0] * 1e6), "flops": np.rint(sizes[:, 1] * 1e6)},
        latencies={DEVICE: sizes[:, 2] * 1e3},
        devices={DEVICE: "as released with NATS-Bench: a batch of 256 on its authors' GPU"},
        found=[f"{folder.name}: {len(files)} cells, {dataset}, {epochs} epochs"],
        missing=["learning curves: only the last epoch is there"][whole:],
        sources=[source(folder, "trainings", len(files), [folder / META, *files])],
    )


def _table(results: Any, epochs: int, of: tuple[str, ...]) -> dict[int, FloatArray]:
    """By seed: seconds of the training, test accuracy, curve of the validation accuracy."""
    table: dict[int, FloatArray] = {}
    trained, tested, name = of
    for (dataset, seed), result in results.items():
        line, percent = table.setdefault(seed, np.full(epochs + 2, np.nan)), result["eval_acc1es"]
        if dataset == tested:
            line[1] = percent.get(f"{name}@{epochs - 1}", np.nan) / 100
        if dataset == trained:
            line[0] = sum(result["train_times"].values())
            line[2:] = [percent.get(f"x-valid@{e}", np.nan) / 100 for e in range(epochs)]
    return table


def _sizes(results: list[dict[str, Any]]) -> list[float]:
    """Millions of parameters and multiply-adds, seconds of a batch; means over trainings."""
    columns = [[each[name] for each in results] for name in ("params", "flop")]
    columns.append([s for each in results for s in each["latency"] or () if s > 0])
    return [float(np.mean(column)) if column else np.nan for column in columns]
