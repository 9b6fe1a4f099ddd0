"""Optimiser and accuracy, shared by all kinds of training."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from blox_env.networks.recipe import Recipe


def optimizer_of(
    network: nn.Module, recipe: Recipe, *, fused: bool = True
) -> torch.optim.Optimizer:
    """SGD with the momentum and the weight decay of a recipe.

    Args:
        network: whose parameters are trained.
        recipe: of the training.
        fused: the quick form, in which every step needs all gradients.
    """
    weights = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim == 1]
    return torch.optim.SGD(
        [
            {"params": weights, "weight_decay": recipe.weight_decay},
            {"params": others, "weight_decay": recipe.weight_decay if recipe.plain else 0.0},
        ],
        lr=recipe.peak_lr,
        momentum=recipe.momentum,
        nesterov=not recipe.plain,
        fused=fused,
    )


def accuracy(network: nn.Module, images: Tensor, labels: Tensor, batch: int = 400) -> float:
    """Share of ``images`` that ``network`` classifies right, with batch norm in evaluation mode.

    Args:
        network: to be evaluated.
        images: ``(n, channels, side, side)``.
        labels: ``(n,)``.
        batch: images at once.
    """
    network.eval()
    with torch.inference_mode():
        right = sum(
            int((network(part).argmax(1) == truth).sum())
            for part, truth in zip(images.split(batch), labels.split(batch), strict=True)
        )
    return right / len(labels)
