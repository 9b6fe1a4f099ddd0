"""One network that has all architectures of Blox in it, which share its weights.

Guo et al., *Single Path One-Shot Neural Architecture Search with Uniform Sampling*, ECCV 2020: each
training step draws an architecture uniformly and updates its path alone; afterwards an architecture
is scored with the weights it has there, its batch norms estimated anew on training images. A stage
has each of the three operations twice, as a block's first and as its second, whatever connects
them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from blox_env.networks.blox import OPERATION_MODULES, Reduction, conv_bn_relu, joined
from blox_env.networks.initial import draw_weights
from blox_env.networks.recipe import Recipe, one_cycle
from blox_env.networks.steps import accuracy, optimizer_of
from blox_env.networks.tasks import Task
from blox_env.networks.training import one_thread
from blox_env.spaces.blox import BLOCKS, STAGES, Block, BloxSpace

_ESTIMATED = 400  # images of which batch norms are estimated, in batches of
_AT_ONCE = 200


class Supernet(nn.Module):
    """All architectures of Blox for a task, sharing weights.

    Args:
        task: that the network fits.
        generator: source of the weights.
        branch_gain: as recipes have it.
    """

    def __init__(self, task: Task, generator: torch.Generator, branch_gain: float) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):  # torch fills layers from its global state first
            widths = [task.width << stage for stage in range(STAGES)]
            self.stem = conv_bn_relu(task.in_channels, task.width, 3)
            self.first = nn.ModuleList(_operations(c) for c in widths)
            self.second = nn.ModuleList(_operations(c) for c in widths)
            self.reductions = nn.ModuleList(Reduction(c) for c in widths)
            self.head = nn.Linear(task.width << STAGES, task.classes)
        draw_weights(self, generator, branch_gain)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def path(self, row: Sequence[int]) -> nn.Sequential:
        """The network of an architecture, of the modules that are here.

        Args:
            row: block numbers ``(3,)``.
        """
        numbers = BloxSpace().check(np.asarray(row))[0].tolist()
        stages: list[nn.Module] = []
        for stage, number in enumerate(numbers):
            block = BLOCKS[number]
            op1 = None if block.single else self.first[stage].get_submodule(str(block.op1))
            op2 = self.second[stage].get_submodule(str(block.op2))
            stages += [_Path(block, op1, op2), self.reductions[stage]]
        return nn.Sequential(self.stem, *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), self.head)


class _Path(nn.Module):
    """A block of modules that others have, too."""

    def __init__(self, block: Block, op1: nn.Module | None, op2: nn.Module) -> None:
        super().__init__()
        self.block, self.op1, self.op2 = block, op1, op2

    def forward(self, x: Tensor) -> Tensor:
        return joined(self.block, self.op1, self.op2, x)


def train_supernet(task: Task, recipe: Recipe, *, seed: int) -> tuple[Supernet, float]:
    """A trained supernet, and the CPU seconds that took.

    Equal arguments give equal weights on one machine; the caller's random state is left alone.

    Args:
        task: of small pictures such as ``digits``.
        recipe: of the training; its epochs are those of all architectures together.
        seed: of weights, order of the images and paths.
    """
    generator, rng = torch.Generator().manual_seed(seed), np.random.default_rng(seed)
    with one_thread():
        began = time.process_time()
        supernet = Supernet(task, generator, recipe.branch_gain)
        images, labels = _tensors(task.train.images), torch.from_numpy(task.train.labels)
        optimizer = optimizer_of(supernet, recipe, fused=False)
        per_epoch = len(labels) // recipe.batch
        total = per_epoch * recipe.epochs
        rows = BloxSpace().sample(rng, total)
        supernet.train()
        for step, row in enumerate(rows):
            if step % per_epoch == 0:
                parts = torch.randperm(len(labels), generator=generator).split(recipe.batch)
            for group in optimizer.param_groups:
                group["lr"] = recipe.peak_lr * one_cycle(step / total, recipe.warmup)
            path, index = supernet.path(row), parts[step % per_epoch]
            loss = functional.cross_entropy(
                path(images[index]), labels[index], label_smoothing=recipe.label_smoothing
            )
            optimizer.zero_grad()  # to None: what is not on the path stays as it is
            loss.backward()
            nn.utils.clip_grad_norm_(list(path.parameters()), recipe.clip, foreach=True)
            optimizer.step()
        return supernet, time.process_time() - began


def score(supernet: Supernet, task: Task, rows: np.ndarray) -> np.ndarray:
    """Validation accuracies with shared weights ``(n,)``; the batch norms' statistics change.

    Args:
        supernet: that was trained.
        task: on which.
        rows: architectures ``(n, 3)``.
    """
    images, val = _tensors(task.train.images), _tensors(task.val.images)
    labels = torch.from_numpy(task.val.labels)
    found = np.empty(len(rows))
    with one_thread():
        for k, row in enumerate(rows):
            path = supernet.path(row)
            _estimate_norms(path, images)
            found[k] = accuracy(path, val, labels)
    return found


def _estimate_norms(path: nn.Module, images: Tensor) -> None:
    """Means and variances of batch norms: averages over batches of these images."""
    norms = [module for module in path.modules() if isinstance(module, nn.BatchNorm2d)]
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain average
    path.train()
    with torch.no_grad():
        for part in images[:_ESTIMATED].split(_AT_ONCE):
            path(part)
    for norm, momentum in zip(norms, before, strict=True):
        norm.momentum = momentum


def _operations(c: int) -> nn.ModuleList:
    return nn.ModuleList(operation(c) for operation in OPERATION_MODULES)


def _tensors(images: np.ndarray) -> Tensor:
    return torch.from_numpy(images).contiguous(memory_format=torch.channels_last)
