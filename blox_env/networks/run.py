"""One training as a sequence of equal steps on tensors: on a CPU step by step, on a GPU as a graph.

All that a step needs lies on the device before the first one: pictures, where each batch cuts its
pictures out, labels, learning rates. A step reads its own number from the device, so that a
recorded step (a CUDA graph) can be repeated without the host saying anything. Parameters lie in
one flat vector, so that the optimiser is a handful of operations.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from blox_env.networks.initial import TrainingResult, new_network
from blox_env.networks.natural import CHANNEL_MEAN, CHANNEL_STD
from blox_env.networks.recipe import Recipe, one_cycle
from blox_env.networks.tasks import Split, Task

SECOND_MOMENT = 0.99  # decay rate of AdamW's second moment: short trainings forget sooner


@dataclass(frozen=True)
class DeviceTask:
    """A task on a device, shared by all trainings there.

    Attributes:
        task: where it is from.
        padded: training pictures with a border of ``border`` zeros, flat.
        border: pixels.
        val: validation pictures ``(n, c, h, w)`` in the number type of the training, and labels.
        test: the same of the test pictures.
        layout: how pictures and weights lie in memory.
    """

    task: Task
    padded: Tensor
    border: int
    val: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]
    layout: torch.memory_format

    @classmethod
    def load(
        cls,
        task: Task,
        border: int,
        device: torch.device,
        number: torch.dtype = torch.float32,
        layout: torch.memory_format = torch.channels_last,
    ) -> DeviceTask:
        """Copy a task to a device.

        Args:
            task: what to copy.
            border: the largest shift of its recipes.
            device: where to.
            number: type that networks compute in there.
            layout: how pictures and weights lie in memory there.
        """
        images = _normalised(task.train, device, torch.float32)
        padded = functional.pad(images, (border,) * 4).to(number).flatten()
        val, test = (
            (
                _normalised(split, device, number).contiguous(memory_format=layout),
                torch.from_numpy(split.labels).to(device),
            )
            for split in (task.val, task.test)
        )
        return cls(task, padded, border, val, test, layout)

    @property
    def device(self) -> torch.device:
        """Device that it lies on."""
        return self.padded.device

    @property
    def number(self) -> torch.dtype:
        """Type of the pictures."""
        return self.padded.dtype


def _normalised(split: Split, device: torch.device, number: torch.dtype) -> Tensor:
    images = torch.from_numpy(split.images).to(device)
    if images.dtype == torch.uint8:
        images = (images.to(torch.float32) - CHANNEL_MEAN) / CHANNEL_STD
    return images.to(number)


@dataclass(frozen=True)
class Plan:
    """Pictures of every step of a training, each ``(steps, batch)``.

    Attributes:
        start: where in the flat pictures the top left pixel of each cut-out stands (the top right
            one where it is mirrored).
        sign: -1 where a picture is mirrored, 1 elsewhere.
        labels: what it shows.
        per_epoch: steps of an epoch.
    """

    start: Tensor
    sign: Tensor
    labels: Tensor
    per_epoch: int

    @classmethod
    def draw(cls, task: Task, recipe: Recipe, border: int, generator: torch.Generator) -> Plan:
        """Draw order, shifts and mirroring.

        Args:
            task: whose training pictures.
            recipe: batches, epochs, and how much pictures are moved.
            border: of the pictures as they lie on the device.
            generator: source of the random numbers.
        """
        n, (c, h, w) = len(task.train), task.train.images.shape[1:]
        padded_h, padded_w = h + 2 * border, w + 2 * border
        per_epoch = n // recipe.batch
        used = per_epoch * recipe.batch
        order = torch.cat(
            [torch.randperm(n, generator=generator)[:used] for _ in range(recipe.epochs)]
        )
        moved = torch.randint(
            -recipe.shift, recipe.shift + 1, (2, len(order)), generator=generator
        )  # down, right
        down, right = (border + moved).unbind()
        mirrored = torch.rand(len(order), generator=generator) < 0.5 * recipe.flip
        start = order * (c * padded_h * padded_w) + down * padded_w + right
        start = start + mirrored * (w - 1)
        shape = (per_epoch * recipe.epochs, recipe.batch)
        labels = torch.from_numpy(task.train.labels)[order]
        return cls(
            start.reshape(shape),
            torch.where(mirrored, -1, 1).reshape(shape),
            labels.reshape(shape),
            per_epoch,
        )


def learning_rates(recipe: Recipe, steps: int) -> Tensor:
    """Learning rate of every step ``(steps,)``.

    Args:
        recipe: of the training.
        steps: of the whole training.
    """
    rates = [recipe.peak_lr * one_cycle(step / steps, recipe.warmup) for step in range(steps)]
    return torch.tensor(rates)


def bias_corrections(recipe: Recipe, steps: int) -> Tensor:
    """Factors of Adam's first and second moment at every step ``(steps, 2)``.

    Args:
        recipe: of the training.
        steps: of the whole training.
    """
    t = np.arange(1, steps + 1)
    factors = [1 / (1 - rate**t) for rate in (recipe.momentum, SECOND_MOMENT)]
    return torch.tensor(np.stack(factors, axis=1), dtype=torch.float32)


def descend(
    state: tuple[Tensor, Tensor, Tensor | None],
    gradient: Tensor,
    decay: Tensor,
    rate: Tensor,
    momentum: float,
    correction: Tensor | None,
) -> None:
    """Change flat parameters in place: SGD with Nesterov momentum, or AdamW.

    Args:
        state: parameters, first moment, and second moment for AdamW.
        gradient: clipped; it is overwritten.
        decay: weight decay of every parameter.
        rate: learning rate, on the device.
        momentum: of SGD, or the decay rate of AdamW's first moment.
        correction: factors of both moments ``(2,)`` for AdamW.
    """
    flat, moment, second = state
    if second is None or correction is None:
        gradient.addcmul_(decay, flat)
        moment.mul_(momentum).add_(gradient)
        flat.addcmul_(gradient.add_(moment, alpha=momentum), rate, value=-1)
        return
    moment.lerp_(gradient, 1 - momentum)
    second.mul_(SECOND_MOMENT).addcmul_(gradient, gradient, value=1 - SECOND_MOMENT)
    flat.addcmul_(decay * flat, rate, value=-1)
    scale = (second * correction[1]).sqrt_().add_(1e-8)
    flat.addcmul_(moment / scale, rate * correction[0], value=-1)


def picture_grid(data: DeviceTask) -> tuple[Tensor, Tensor]:
    """Distance of pixels from the start of a cut-out: ``(1, h, 1, c)``, and along a row."""
    c, h, w = data.task.train.images.shape[1:]
    padded_h, padded_w = h + 2 * data.border, w + 2 * data.border
    rows = torch.arange(h)[:, None, None] * padded_w
    return (rows + torch.arange(c) * (padded_h * padded_w))[None], torch.arange(w)[:, None]


class Run:
    """One network in training.

    Args:
        row: blocks ``(3,)`` of the network.
        seed: of weights, order of the pictures, mirroring and shifts.
        data: the task on the device to train on.
        recipe: how to train.

    Attributes:
        steps: number of steps of the whole training.
        per_epoch: number of steps of an epoch.
        correct: right answers on the validation pictures ``(epochs,)``, then on the test pictures.
    """

    def __init__(self, row: Sequence[int], seed: int, data: DeviceTask, recipe: Recipe) -> None:
        generator = torch.Generator().manual_seed(seed)
        network = new_network(row, data.task, generator, recipe.branch_gain)
        self.data, self.recipe = data, recipe
        self.network = _prepare(network, data.number).to(data.device)
        self._flatten()
        self._plan(generator)
        self.correct = torch.zeros(recipe.epochs + 1, dtype=torch.int64, device=data.device)

    def _flatten(self) -> None:
        """Move all parameters into one vector; those in the pictures' type get a copy of theirs."""
        low = [p for p in self.network.parameters() if p.dtype != torch.float32]
        high = [p for p in self.network.parameters() if p.dtype == torch.float32]
        self._parameters = low + high
        flat = torch.cat([self._in_order(p.detach()).float() for p in self._parameters])
        self._low_count, self._lows = len(low), sum(p.numel() for p in low)
        self._flat, self._moment = flat, torch.zeros_like(flat)
        self._second = torch.zeros_like(flat) if self.recipe.optimizer == "adamw" else None
        self._low = flat[: self._lows].to(self.data.number)
        decay = torch.zeros_like(flat)
        start = 0
        for parameter in self._parameters:
            source = self._low if start < self._lows else flat
            end = start + parameter.numel()
            parameter.data = self._shaped(source[start:end], parameter.shape)
            if parameter.ndim > 1:
                decay[start:end] = self.recipe.weight_decay
            start = end
        self._decay = decay

    def _plan(self, generator: torch.Generator) -> None:
        """Put on the device what all steps need."""
        recipe, device = self.recipe, self.data.device
        plan = Plan.draw(self.data.task, recipe, self.data.border, generator)
        self.per_epoch, self.steps = plan.per_epoch, len(plan.start)
        self._start = plan.start.to(device)
        self._sign = plan.sign.to(device)
        self._labels = plan.labels.to(device)
        self._rates = learning_rates(recipe, self.steps).to(device)
        if self._second is not None:
            self._corrections = bias_corrections(recipe, self.steps).to(device)
        self._grid, self._across = (part.to(device) for part in picture_grid(self.data))
        self._step = torch.zeros(1, dtype=torch.int64, device=device)

    def _in_order(self, tensor: Tensor) -> Tensor:
        """Values in the order of the flat vector, which is that of the layout."""
        last = tensor.ndim == 4 and self.data.layout == torch.channels_last
        return (tensor.permute(0, 2, 3, 1) if last else tensor).reshape(-1)

    def _shaped(self, flat: Tensor, shape: torch.Size) -> Tensor:
        if len(shape) != 4 or self.data.layout != torch.channels_last:
            return flat.view(shape)
        o, i, h, w = shape
        return flat.view(o, h, w, i).permute(0, 3, 1, 2)

    def state(self) -> list[Tensor]:
        """Copies of all that a step changes."""
        return [tensor.clone() for tensor in self._changing()]

    def restore(self, state: list[Tensor]) -> None:
        """Take back every change since :meth:`state`."""
        for tensor, saved in zip(self._changing(), state, strict=True):
            tensor.copy_(saved)

    def _changing(self) -> list[Tensor]:
        second = [] if self._second is None else [self._second]
        return [
            self._flat, self._low, self._moment, *second, self._step, *self.network.buffers()
        ]  # fmt: skip

    def step(self) -> None:
        """Train on the next batch."""
        number = self._step
        start = self._start.index_select(0, number).view(-1, 1, 1, 1)
        sign = self._sign.index_select(0, number).view(-1, 1, 1, 1)
        labels = self._labels.index_select(0, number).view(-1)
        where = torch.addcmul(self._grid + start, sign, self._across)
        images = self.data.padded.take(where).permute(0, 3, 1, 2)
        images = images.contiguous(memory_format=self.data.layout)
        loss = functional.cross_entropy(
            self.network(images), labels, label_smoothing=self.recipe.label_smoothing
        )
        gradients = torch.autograd.grad(loss, self._parameters)
        with torch.no_grad():
            gradient = torch.empty_like(self._flat)
            if self._lows:
                low = torch.cat([self._in_order(g) for g in gradients[: self._low_count]])
                gradient[: self._lows].copy_(low)
            high = [self._in_order(g) for g in gradients[self._low_count :]]
            torch.cat(high, out=gradient[self._lows :])
            norm = torch.linalg.vector_norm(gradient)
            gradient.mul_((self.recipe.clip / (norm + 1e-6)).clamp(max=1))
            self._update(gradient, self._rates.index_select(0, number))
            if self._lows:
                self._low.copy_(self._flat[: self._lows])
            self._step.add_(1)

    def _update(self, gradient: Tensor, rate: Tensor) -> None:
        correction = None
        if self._second is not None:
            correction = self._corrections.index_select(0, self._step)[0]
        state = (self._flat, self._moment, self._second)
        descend(state, gradient, self._decay, rate, self.recipe.momentum, correction)

    @torch.no_grad()
    def evaluate(self, place: int, pictures: tuple[Tensor, Tensor], batch: int) -> None:
        """Count right answers into ``correct[place]``, with batch norm in evaluation mode.

        Args:
            place: where the count goes.
            pictures: and their labels.
            batch: pictures evaluated at once.
        """
        self.network.eval()
        images, labels = pictures
        for part, truth in zip(images.split(batch), labels.split(batch), strict=True):
            self.correct[place] += (self.network(part).argmax(1) == truth).sum()
        self.network.train()


class _Float32Linear(nn.Linear):
    """A classifier that computes in float32 whatever its input is."""

    def forward(self, x: Tensor) -> Tensor:
        """``(n, features)`` to ``(n, classes)``."""
        return super().forward(x.float())


def _prepare(network: nn.Module, number: torch.dtype) -> nn.Module:
    """Drop what has no effect, and let convolutions compute in ``number``.

    The bias of a convolution that a batch norm follows is taken out again by the batch norm: its
    gradient is zero, and it stays at zero, where it began.
    """
    for module in list(network.modules()):
        for first, second in pairwise(module.children()):
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                first.bias = None
        if isinstance(module, nn.Conv2d):
            module.to(number)
        if isinstance(module, nn.BatchNorm2d):
            module.num_batches_tracked = None
        if isinstance(module, nn.Linear):
            module.__class__ = _Float32Linear
    return network


def train_on_cpu(
    row: Sequence[int], seed: int, data: DeviceTask, recipe: Recipe, *, batch: int = 512
) -> TrainingResult:
    """Train step by step and measure the CPU time of steps and of evaluation.

    Args:
        row: the architecture.
        seed: of weights, order and changes of the pictures.
        data: the task, on the CPU.
        recipe: of the training.
        batch: pictures evaluated at once.
    """
    run = Run(row, seed, data, recipe)
    train_time = eval_time = 0.0
    for epoch in range(recipe.epochs):
        started = time.process_time()
        for _ in range(run.per_epoch):
            run.step()
        trained = time.process_time()
        run.evaluate(epoch, data.val, batch)
        train_time += trained - started
        eval_time += time.process_time() - trained
    run.evaluate(recipe.epochs, data.test, batch)
    correct = run.correct.numpy()
    return TrainingResult(
        correct[:-1] / len(data.task.val),
        float(correct[-1]) / len(data.task.test),
        train_time,
        eval_time,
    )
