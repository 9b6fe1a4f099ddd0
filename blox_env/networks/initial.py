"""Networks before their first step, and what became of them after the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from blox_env.networks.blox import BConv, BloxNetwork, MBConv
from blox_env.networks.tasks import Task


@dataclass(frozen=True)
class TrainingResult:
    """Accuracies of one training as fractions, CPU time in seconds.

    ``val_acc`` has shape ``(epochs,)``, ``test_acc`` is that of the last epoch and
    ``train_time_s`` the process's CPU time for training steps, without evaluation.
    """

    val_acc: NDArray[np.float64]
    test_acc: float
    train_time_s: float
    eval_time_s: float


def new_network(
    row: Sequence[int], task: Task, generator: torch.Generator, branch_gain: float = 1.0
) -> nn.Module:
    """A network that fits the task, its weights drawn from a generator (He et al. 2015).

    Args:
        row: the architecture.
        task: that the network is to fit.
        generator: source of the random numbers.
        branch_gain: scale of the last batch norm of every residual branch.
    """
    with torch.random.fork_rng(devices=[]):  # torch fills layers from its global state first
        network = BloxNetwork(
            row, width=task.width, classes=task.classes, in_channels=task.in_channels
        )
    draw_weights(network, generator, branch_gain)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def draw_weights(network: nn.Module, generator: torch.Generator, branch_gain: float) -> None:
    """Draw the weights of all layers.

    Args:
        network: of Blox's operations.
        generator: source of the random numbers.
        branch_gain: scale of the last batch norm of every residual branch.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(
                module.weight, mode="fan_out", nonlinearity="relu", generator=generator
            )
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, MBConv | BConv):
            for branch in module.branches:
                norm = branch.get_submodule("2.1")  # of the last convolution
                nn.init.constant_(norm.get_parameter("weight"), branch_gain)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01, generator=generator)
            nn.init.zeros_(module.bias)
