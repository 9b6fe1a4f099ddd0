"""Training on pictures that change at every epoch: the full recipe, for a GPU."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from blox_env.networks.augment import cut_out, rand_augment, shift_and_mirror
from blox_env.networks.initial import TrainingResult, new_network
from blox_env.networks.natural import CHANNEL_MEAN, CHANNEL_STD
from blox_env.networks.recipe import Recipe, one_cycle
from blox_env.networks.steps import accuracy, optimizer_of
from blox_env.networks.tasks import Split, Task

EVAL_BATCH = 1000


def train_augmented(
    row: Sequence[int], task: Task, recipe: Recipe, *, seed: int, device: str | torch.device = "cpu"
) -> TrainingResult:
    """Train one network on augmented pictures; where the recipe says so, test its best weights.

    Args:
        row: the architecture.
        task: pictures as uint8.
        recipe: how to train.
        seed: of weights, order and augmentation.
        device: where to train.

    Raises:
        ValueError: for a task whose images are not stored as pictures.
        ImportError: when the recipe needs torchvision and it is not there; names the extra.
    """
    if task.train.images.dtype != np.uint8:
        raise ValueError(
            f"a recipe with augmentation needs a task of pictures (uint8), got {task.name!r} with "
            f"{task.train.images.dtype}"
        )
    generator = torch.Generator().manual_seed(seed)
    network = new_network(row, task, generator, recipe.branch_gain).to(device)
    images, labels = torch.from_numpy(task.train.images), torch.from_numpy(task.train.labels)
    val, test = (_evaluated(split, device) for split in (task.val, task.test))
    optimizer = optimizer_of(network, recipe)
    per_epoch = len(labels) // recipe.batch
    total, step = per_epoch * recipe.epochs, 0
    curve: list[float] = []
    best = {name: value.clone() for name, value in network.state_dict().items()}
    train_time = eval_time = 0.0
    for _ in range(recipe.epochs):
        started = time.process_time()
        network.train()
        order = torch.randperm(len(labels), generator=generator)
        for chosen in order[: per_epoch * recipe.batch].split(recipe.batch):
            batch = augmented(images[chosen], recipe, generator).to(device)
            for group in optimizer.param_groups:
                group["lr"] = recipe.peak_lr * one_cycle(step / total, recipe.warmup)
            loss = functional.cross_entropy(
                network(batch), labels[chosen].to(device), label_smoothing=recipe.label_smoothing
            )
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), recipe.clip, foreach=True)
            optimizer.step()
            step += 1
        trained = time.process_time()
        curve.append(accuracy(network, *val, EVAL_BATCH))
        if recipe.keep_best and curve[-1] > max(curve[:-1], default=-1.0):
            best = {name: value.clone() for name, value in network.state_dict().items()}
        train_time += trained - started
        eval_time += time.process_time() - trained
    if recipe.keep_best:
        network.load_state_dict(best)
    test_acc = accuracy(network, *test, EVAL_BATCH)
    return TrainingResult(np.array(curve), test_acc, train_time, eval_time)


def augmented(pictures: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Normalised training images of one batch, changed as the recipe says.

    Args:
        pictures: ``(n, c, h, w)`` uint8.
        recipe: which changes, and how strong.
        generator: of the random draws.
    """
    if recipe.augment:
        seed = int(torch.randint(2**31, (1,), generator=generator))
        pictures = rand_augment(pictures, recipe.augment, recipe.augment_strength, seed)
    images = normalised(pictures)
    if recipe.shift or recipe.flip:
        images = shift_and_mirror(images, recipe.shift, generator, mirror=bool(recipe.flip))
    if recipe.cutout:
        images = cut_out(images, recipe.cutout, generator)
    return images.contiguous(memory_format=torch.channels_last)


def normalised(pictures: Tensor) -> Tensor:
    """Pictures with about zero mean and unit variance."""
    return (pictures.float() - CHANNEL_MEAN) / CHANNEL_STD


def _evaluated(split: Split, device: str | torch.device) -> tuple[Tensor, Tensor]:
    images = normalised(torch.from_numpy(split.images)).contiguous(
        memory_format=torch.channels_last
    )
    return images.to(device), torch.from_numpy(split.labels).to(device)
