"""Recipes of training, as plain numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from blox_env.ground.errors import unknown_name

OPTIMIZERS = ("sgd", "adamw")
# fields that stand in every file
_FIRST = frozenset(
    ("epochs", "batch", "peak_lr", "momentum", "weight_decay", "label_smoothing", "warmup", "clip",
     "branch_gain")
)  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """Settings of a training; the defaults are those of the task ``digits``.

    The learning rate rises linearly for the first ``warmup`` of the steps and falls to zero along
    half a cosine.

    Attributes:
        epochs: passes over the training images; the learning curve has one value each.
        batch: images a step.
        peak_lr: largest learning rate.
        momentum: of SGD (Nesterov), or the first decay rate of AdamW.
        weight_decay: on weights of convolutions and of the classifier only.
        label_smoothing: share of the target spread over all classes.
        warmup: share of the steps in which the learning rate rises.
        clip: largest gradient norm.
        branch_gain: scale at which the last batch norm of every residual branch starts. Starting
            below 1 keeps deep networks near the identity; of all that was tried on digits it did
            most against failed trainings and differences between seeds.
        optimizer: ``"sgd"`` or ``"adamw"``.
        flip: 1 mirrors half of the training images, 0 none.
        shift: training images are moved by up to so many pixels in both directions.
        cutout: side of the square that is erased in every training image.
        augment: number of random operations on every training image (RandAugment).
        augment_strength: of each, 0 … 30.
        plain: 1 takes SGD without Nesterov's momentum, and decays all parameters.
        keep_best: 1 tests the weights of the best validation accuracy, 0 the last ones.
    """

    epochs: int = 7
    batch: int = 100
    peak_lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.0
    warmup: float = 0.25
    clip: float = 5.0
    branch_gain: float = 0.3
    optimizer: str = "sgd"
    flip: int = 0
    shift: int = 0
    cutout: int = 0
    augment: int = 0
    augment_strength: int = 0
    plain: int = 0
    keep_best: int = 0

    def __post_init__(self) -> None:
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(unknown_name("optimizer", self.optimizer, OPTIMIZERS))

    @classmethod
    def blox(cls) -> Recipe:
        """The full recipe of the Blox paper: 200 epochs with strong augmentation, for a GPU.

        On the task ``cifar100``. Only the initial weights are this package's.
        """
        return cls(
            epochs=200,
            batch=256,
            peak_lr=0.01,
            warmup=0.0,
            clip=1e9,
            branch_gain=1.0,
            flip=1,
            shift=4,
            cutout=16,
            augment=2,
            augment_strength=14,
            plain=1,
            keep_best=1,
        )

    @property
    def is_full(self) -> bool:
        """True where it needs what only :mod:`blox_env.networks.full` does."""
        return bool(self.cutout or self.augment or self.plain or self.keep_best)

    def to_dict(self) -> dict[str, Any]:
        """The recipe as plain values, for file headers.

        Fields that came after the first collected trainings are left out where they have their
        defaults, so that those files stay valid.
        """
        later = {f.name for f in fields(self)} - _FIRST
        default = {f.name: f.default for f in fields(self)}
        return {k: v for k, v in asdict(self).items() if k not in later or v != default[k]}


def one_cycle(progress: float, warmup: float) -> float:
    """Share of the peak learning rate.

    Args:
        progress: share of the steps that are done, 0 … 1.
        warmup: share of the steps in which the rate rises.
    """
    if progress < warmup:
        return 0.05 + 0.95 * progress / warmup
    return 0.5 * (1 + float(np.cos(np.pi * (progress - warmup) / (1 - warmup))))


NATURAL = Recipe(epochs=4, batch=256, peak_lr=0.2, flip=1, shift=2)


def recipe_for(task: str, **changes: Any) -> Recipe:
    """The recipe of a task, that of natural images for all but ``digits``.

    Args:
        task: its name, with or without settings in brackets.
        **changes: fields that are to differ.
    """
    return replace(Recipe() if task.partition("(")[0].strip() == "digits" else NATURAL, **changes)
