"""Recipes of training, as plain numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Recipe:
    """Settings of a training; the defaults are those of the embedded benchmark.

    SGD with Nesterov momentum; the learning rate rises linearly for the first ``warmup`` of the
    steps and falls to zero along half a cosine.

    Attributes:
        epochs: passes over the training images; the learning curve has one value each.
        batch: images a step.
        peak_lr: largest learning rate.
        momentum: of SGD.
        weight_decay: on weights of convolutions and of the classifier only.
        label_smoothing: share of the target spread over all classes.
        warmup: share of the steps in which the learning rate rises.
        clip: largest gradient norm.
        branch_gain: scale at which the last batch norm of every residual branch starts. Starting
            below 1 keeps deep networks near the identity; of all that was tried it did most
            against failed trainings and differences between seeds.
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

    def to_dict(self) -> dict[str, float]:
        """The recipe as plain numbers, for file headers."""
        return asdict(self)
