"""Training one network on one task: the learning curve and the time it took."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from blox_env.networks.blox import BConv, BloxNetwork, MBConv
from blox_env.networks.recipe import Recipe
from blox_env.networks.tasks import Split, Task


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


def train(row: Sequence[int], task: Task, recipe: Recipe, *, seed: int) -> TrainingResult:
    """Train the network of ``row`` from scratch; ``seed`` sets weights and order of the images.

    Equal arguments give equal results on one machine; the caller's random state is left alone.

    Args:
        row: architecture.
        task: to train on.
        recipe: of the training.
        seed: of weights and order of the images.
    """
    with one_thread():
        return _train(row, task, recipe, torch.Generator().manual_seed(seed))


def _train(
    row: Sequence[int], task: Task, recipe: Recipe, generator: torch.Generator
) -> TrainingResult:
    network = new_network(row, task, generator, recipe.branch_gain)
    images, labels = _tensors(task.train)
    val, test = _tensors(task.val), _tensors(task.test)
    optimizer = _optimizer(network, recipe)
    per_epoch = len(labels) // recipe.batch
    total, step = per_epoch * recipe.epochs, 0
    curve: list[float] = []
    train_time = eval_time = 0.0
    parameters = list(network.parameters())
    for _ in range(recipe.epochs):
        started = time.process_time()
        network.train()
        order = torch.randperm(len(labels), generator=generator)
        for index in order[: per_epoch * recipe.batch].split(recipe.batch):
            for group in optimizer.param_groups:
                group["lr"] = recipe.peak_lr * one_cycle(step / total, recipe.warmup)
            loss = functional.cross_entropy(
                network(images[index]), labels[index], label_smoothing=recipe.label_smoothing
            )
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, recipe.clip, foreach=True)
            optimizer.step()
            step += 1
        trained = time.process_time()
        curve.append(accuracy(network, *val))
        train_time += trained - started
        eval_time += time.process_time() - trained
    return TrainingResult(np.array(curve), accuracy(network, *test), train_time, eval_time)


def new_network(
    row: Sequence[int], task: Task, generator: torch.Generator, branch_gain: float = 1.0
) -> nn.Module:
    """A network that fits the task, its weights drawn from ``generator`` (He et al. 2015).

    Args:
        row: architecture.
        task: whose images and classes it fits.
        generator: of the weights.
        branch_gain: scale of the last batch norm of every residual branch.
    """
    with torch.random.fork_rng(devices=[]):  # torch fills layers from its global state first
        network = BloxNetwork(
            row, width=task.width, classes=task.classes, in_channels=task.in_channels
        )
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
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one thread: more are slower on tiny networks, and sums depend on how many."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def one_cycle(progress: float, warmup: float) -> float:
    """Share of the peak learning rate at ``progress`` in 0 … 1.

    Args:
        progress: share of the steps that is done.
        warmup: share in which the learning rate rises.
    """
    if progress < warmup:
        return 0.05 + 0.95 * progress / warmup
    return 0.5 * (1 + float(np.cos(np.pi * (progress - warmup) / (1 - warmup))))


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


def _tensors(split: Split) -> tuple[Tensor, Tensor]:
    images = torch.from_numpy(split.images).contiguous(memory_format=torch.channels_last)
    return images, torch.from_numpy(split.labels)


def _optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    weights = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim == 1]
    return torch.optim.SGD(
        [
            {"params": weights, "weight_decay": recipe.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ],
        lr=recipe.peak_lr,
        momentum=recipe.momentum,
        nesterov=True,
        fused=True,
    )
