"""The loop that everything blockwise trains with: batches of pictures, a loss, a recipe."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from blox_env.ground.files import DATA_PLACE
from blox_env.networks.recipe import Recipe, one_cycle
from blox_env.networks.run import DeviceTask, Plan, picture_grid
from blox_env.networks.steps import optimizer_of
from blox_env.networks.tasks import load_task

AT_ONCE = 500  # pictures evaluated at once
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Pictures:
    """Batches of training pictures, drawn as a recipe says.

    Attributes:
        data: the task.
        plan: which pictures each step sees.
    """

    data: DeviceTask
    plan: Plan

    @classmethod
    def draw(cls, data: DeviceTask, recipe: Recipe, generator: torch.Generator) -> Pictures:
        """Draw order, shifts and mirroring of a whole training.

        Args:
            data: the task.
            recipe: batches, epochs, and how pictures are changed.
            generator: source of the random numbers.
        """
        return cls(data, Plan.draw(data.task, recipe, data.border, generator))

    @cached_property
    def _grid(self) -> tuple[Tensor, Tensor]:
        return picture_grid(self.data)

    def images(self, step: int) -> Tensor:
        """Pictures of a step, ``(batch, c, h, w)``."""
        down, across = self._grid
        start = self.plan.start[step].view(-1, 1, 1, 1)
        where = torch.addcmul(down + start, self.plan.sign[step].view(-1, 1, 1, 1), across)
        pictures = self.data.padded.take(where).permute(0, 3, 1, 2)
        return pictures.contiguous(memory_format=torch.channels_last)

    def numbers(self, step: int) -> Tensor:
        """Numbers of those pictures, ``(batch,)``; of a task without a border."""
        c, h, w = self.data.task.train.images.shape[1:]
        return self.plan.start[step].div(c * h * w, rounding_mode="floor")

    @property
    def labels(self) -> Tensor:
        """Labels ``(steps, batch)``."""
        return self.plan.labels


def task_data(name: str, border: int) -> DeviceTask:
    """A task as tensors, made once a process.

    Args:
        name: of the task, with or without settings.
        border: the largest shift of the recipes that are to be used.
    """
    return _task_data(name, border, os.environ.get(DATA_PLACE))


@lru_cache(maxsize=2)
def _task_data(name: str, border: int, _place: str | None) -> DeviceTask:
    return DeviceTask.load(load_task(name), border, _CPU)


def follow(
    module: nn.Module,
    recipe: Recipe,
    per_epoch: int,
    loss_at: Callable[[int], Tensor],
    after_epoch: Callable[[], Any],
) -> tuple[list[Any], float]:
    """Train a module by SGD; what ``after_epoch`` says, and CPU seconds of the steps alone.

    Args:
        module: what is trained, in training mode during steps and in evaluation mode after epochs.
        recipe: learning rates, momentum, decay and clipping.
        per_epoch: steps of an epoch.
        loss_at: loss of a step, by its number.
        after_epoch: what to measure after each epoch.
    """
    optimizer = optimizer_of(module, recipe)
    parameters = list(module.parameters())
    total, seconds, found = per_epoch * recipe.epochs, 0.0, []
    for epoch in range(recipe.epochs):
        started = time.process_time()
        module.train()
        for step in range(epoch * per_epoch, (epoch + 1) * per_epoch):
            for group in optimizer.param_groups:
                group["lr"] = recipe.peak_lr * one_cycle(step / total, recipe.warmup)
            loss = loss_at(step)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, recipe.clip, foreach=True)
            optimizer.step()
        seconds += time.process_time() - started
        module.eval()
        found.append(after_epoch())
    return found, seconds


def correct(network: Callable[[Tensor], Tensor], pictures: tuple[Tensor, Tensor]) -> int:
    """Number of right answers.

    Args:
        network: in evaluation mode.
        pictures: and their labels.
    """
    images, labels = pictures
    with torch.inference_mode():
        parts = zip(images.split(AT_ONCE), labels.split(AT_ONCE), strict=True)
        return sum(int((network(part).argmax(1) == truth).sum()) for part, truth in parts)


def arrays_of(module: nn.Module) -> dict[str, NDArray[Any]]:
    """Weights and running statistics of a module by name; counters of batches left out."""
    return {
        name: value.detach().contiguous().numpy().copy()
        for name, value in module.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }


def load_arrays(module: nn.Module, weights: dict[str, NDArray[Any]]) -> None:
    """Put weights into a module that has exactly these.

    Args:
        module: to be changed.
        weights: by name, as :func:`arrays_of` gives them.

    Raises:
        ValueError: where a name is missing or unknown, or a shape differs.
    """
    own = {k: v for k, v in module.state_dict().items() if not k.endswith("num_batches_tracked")}
    if odd := sorted(set(own) ^ set(weights)):
        raise ValueError(f"expected the weights of {type(module).__name__}, not {odd[:3]}")
    with torch.no_grad():
        for name, value in own.items():
            if tuple(value.shape) != weights[name].shape:
                raise ValueError(
                    f"weights of {name} must have shape {tuple(value.shape)}, "
                    f"got {weights[name].shape}"
                )
            value.copy_(torch.from_numpy(weights[name]))
