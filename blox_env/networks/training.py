"""Training one network on one task: the learning curve and the time it took."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from blox_env.networks.full import train_augmented
from blox_env.networks.initial import TrainingResult, new_network
from blox_env.networks.recipe import Recipe, one_cycle
from blox_env.networks.run import DeviceTask, train_on_cpu
from blox_env.networks.steps import accuracy, optimizer_of
from blox_env.networks.tasks import Split, Task


def train(row: Sequence[int], task: Task, recipe: Recipe, *, seed: int) -> TrainingResult:
    """Train the network of ``row`` from scratch; ``seed`` sets weights and order of the images.

    Equal arguments give equal results on one machine; the caller's random state is left alone.
    """
    with one_thread():
        if recipe.is_full:
            return train_augmented(row, task, recipe, seed=seed)
        if task.train.images.dtype == np.uint8:
            data = DeviceTask.load(task, recipe.shift, torch.device("cpu"))
            return train_on_cpu(row, seed, data, recipe)
        return _train(row, task, recipe, torch.Generator().manual_seed(seed))


def _train(
    row: Sequence[int], task: Task, recipe: Recipe, generator: torch.Generator
) -> TrainingResult:
    network = new_network(row, task, generator, recipe.branch_gain)
    images, labels = _tensors(task.train)
    val, test = _tensors(task.val), _tensors(task.test)
    optimizer = optimizer_of(network, recipe)
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


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one thread: more are slower on tiny networks, and sums depend on how many."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _tensors(split: Split) -> tuple[Tensor, Tensor]:
    images = torch.from_numpy(split.images).contiguous(memory_format=torch.channels_last)
    return images, torch.from_numpy(split.labels)
