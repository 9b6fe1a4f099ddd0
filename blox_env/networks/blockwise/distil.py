"""One block of one stage learns to do what a teacher's stage does (blockwise distillation).

A stage is a block and the reduction after it. The student has a new block and the teacher's
reduction, which goes on learning with it; it reads what the teacher's stage reads and is to give
what the teacher's stage gives. Losses: ``mse``, the mean squared error; ``nsr``, the squared error
of every channel over the variance of the teacher's channel (channels that never change are left
out). Either may be learned; both are measured, on validation pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from blox_env.ground.errors import check_positive_int, unknown_name
from blox_env.networks.blockwise.lessons import (
    AT_ONCE,
    Pictures,
    arrays_of,
    correct,
    follow,
    task_data,
)
from blox_env.networks.blockwise.teacher import Teacher, cut, frame, load_teacher
from blox_env.networks.blockwise.weights import Weights
from blox_env.networks.recipe import Recipe
from blox_env.networks.run import DeviceTask
from blox_env.networks.training import one_thread
from blox_env.spaces.blox import STAGES

LOSSES = ("mse", "nsr")
KEPT = 150_000_000  # numbers of a stage's inputs and outputs that are kept instead of made anew
_STILL = 1e-6  # channels whose variance is a smaller share of the mean variance never change


@dataclass(frozen=True)
class BlockLesson:
    """Settings of the learning of blocks.

    Attributes:
        recipe: of the training of every block.
        loss: what is learned, ``"mse"`` or ``"nsr"``.
        checked: validation pictures that the losses are measured on, 0 for all.
    """

    recipe: Recipe
    loss: str = "nsr"
    checked: int = 0

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise ValueError(unknown_name("loss", self.loss, LOSSES))
        check_positive_int("checked", self.checked, 0)


@dataclass(frozen=True)
class Distilled:
    """A block that has learned.

    Attributes:
        weights: of block and reduction.
        mse: mean squared error after every epoch.
        nsr: the same over the variance of the teacher's channels.
        swap_acc: validation accuracy of the teacher with this stage in place of its own.
        seconds: CPU time of the steps.
    """

    weights: Weights
    mse: tuple[float, ...]
    nsr: tuple[float, ...]
    swap_acc: float
    seconds: float


class Stage:
    """A teacher's stage with its surroundings.

    Args:
        teacher: of whom.
        stage: which, from 0.
        data: the task.
        lesson: how blocks learn.

    Attributes:
        data: the task.
        own: the stage.
        after: what follows it.
        scale: for every channel one over its variance, 0 where it never changes; the mean of all
            that are not 0 over channels makes an ``nsr`` of squared errors.
        val_in: what the stage reads of the validation pictures.
        val_out: what it gives for them.
    """

    def __init__(self, teacher: Teacher, stage: int, data: DeviceTask, lesson: BlockLesson) -> None:
        self._before, self.own, self.after = cut(teacher.network(), stage)
        self.data = data
        images, labels = (part[: lesson.checked or None] for part in data.val)
        self.labels = labels
        self.val_in, self.val_out = self._features(images)
        self._kept: tuple[Tensor, Tensor] | None = None
        numbers = self.val_in[0].numel() + self.val_out[0].numel()
        plain = not (lesson.recipe.shift or lesson.recipe.flip or data.border)
        if plain and numbers * len(data.task.train) <= KEPT:
            shape = data.task.train.images.shape
            pictures = data.padded.view(shape).contiguous(memory_format=torch.channels_last)
            self._kept = self._features(pictures)
        variance = self.val_out.var(dim=(0, 2, 3))
        moving = variance > _STILL * variance.mean()
        self.scale = torch.where(moving, 1 / variance, 0.0) / moving.sum().clamp(min=1)

    @torch.no_grad()
    def _features(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs and outputs of the stage for pictures."""
        parts = []
        for part in images.split(AT_ONCE):
            read = self._before(part)
            parts.append((read, self.own(read)))
        read, given = (torch.cat(each) for each in zip(*parts, strict=True))
        last = torch.channels_last
        return read.contiguous(memory_format=last), given.contiguous(memory_format=last)

    def batch(self, pictures: Pictures, step: int) -> tuple[Tensor, Tensor]:
        """Inputs and outputs of the stage in a step of a training.

        Args:
            pictures: of the training.
            step: its number.
        """
        if self._kept is None:
            return self._features(pictures.images(step))
        numbers = pictures.numbers(step)
        return self._kept[0][numbers], self._kept[1][numbers]

    def errors(self, given: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
        """Mean squared error and ``nsr`` of a batch.

        Args:
            given: by the student.
            wanted: by the teacher.
        """
        squared = (given - wanted).square().mean(dim=(0, 2, 3))
        return squared.mean(), (squared * self.scale).sum()


@lru_cache(maxsize=1)
def _stage(path: str, weights: str, stage: int, lesson: BlockLesson) -> Stage:
    """A stage of a teacher's file, made once for all blocks in a row; ``weights`` is its hash."""
    teacher = load_teacher(path, weights)
    return Stage(teacher, stage, task_data(teacher.task, lesson.recipe.shift), lesson)


def block_seed(seed: int, stage: int, block: int) -> int:
    """Seed of one block's training, which follows from that of all and its place.

    Args:
        seed: of all blocks.
        stage: from 0.
        block: its number.
    """
    return int(np.random.SeedSequence([seed, stage, block]).generate_state(1)[0] >> 1)


def distil_block(
    teacher: Teacher, stage: int, block: int, lesson: BlockLesson, *, seed: int = 0
) -> Distilled:
    """Let one block learn one stage; equal arguments give equal weights on one machine.

    Args:
        teacher: of whom.
        stage: which, from 0.
        block: number of the block, 0 … 44.
        lesson: how.
        seed: of all blocks; the block's own follows from it.
    """
    if not 0 <= stage < STAGES:
        raise ValueError(f"stage must be in 0 … {STAGES - 1}, got {stage}")
    with one_thread():
        data = task_data(teacher.task, lesson.recipe.shift)
        return _distil(Stage(teacher, stage, data, lesson), teacher, stage, block, lesson, seed)


def distil_from_file(payload: dict[str, Any]) -> Distilled:
    """The same with a teacher that lies in a file; what a worker does.

    Args:
        payload: ``teacher`` (path), ``hash``, ``stage``, ``block``, ``recipe``, ``loss``,
            ``checked``, ``seed``.
    """
    lesson = BlockLesson(Recipe(**payload["recipe"]), payload["loss"], payload["checked"])
    with one_thread():
        stage = _stage(payload["teacher"], payload["hash"], payload["stage"], lesson)
        teacher = load_teacher(payload["teacher"], payload["hash"])
        place = (payload["stage"], payload["block"])
        return _distil(stage, teacher, *place, lesson, payload["seed"])


def _distil(
    stage: Stage, teacher: Teacher, number: int, block: int, lesson: BlockLesson, seed: int
) -> Distilled:
    generator = torch.Generator().manual_seed(block_seed(seed, number, block))
    row = [*teacher.row]
    row[number] = block
    whole = frame(row, teacher.task, generator)
    student = cut(whole, number)[1]
    student[1].load_state_dict(stage.own[1].state_dict())
    pictures = Pictures.draw(stage.data, lesson.recipe, generator)
    chosen = LOSSES.index(lesson.loss)

    def loss_at(step: int) -> Tensor:
        read, wanted = stage.batch(pictures, step)
        return stage.errors(student(read), wanted)[chosen]

    def measured() -> tuple[float, float]:
        mse, nsr, count = 0.0, 0.0, len(stage.val_in)
        for read, wanted in _parts(stage):
            errors = stage.errors(student(read), wanted)
            mse += float(errors[0]) * len(read) / count
            nsr += float(errors[1]) * len(read) / count
        return mse, nsr

    def after() -> tuple[float, float]:
        with torch.inference_mode():
            return measured()

    found, seconds = follow(student, lesson.recipe, pictures.plan.per_epoch, loss_at, after)
    swapped = nn.Sequential(student, stage.after).eval()
    swap_acc = correct(swapped, (stage.val_in, stage.labels)) / len(stage.labels)
    mse, nsr = zip(*found, strict=True)
    return Distilled(arrays_of(student), mse, nsr, swap_acc, seconds)


def _parts(stage: Stage) -> Iterator[tuple[Tensor, Tensor]]:
    return zip(stage.val_in.split(AT_ONCE), stage.val_out.split(AT_ONCE), strict=True)


def lesson_for(recipe: Recipe, loss: str = "nsr", checked: int = 0) -> BlockLesson:
    """A lesson without changes of the pictures, so that a teacher reads each of them once.

    Args:
        recipe: of a task.
        loss: what is learned.
        checked: validation pictures that the losses are measured on, 0 for all.
    """
    return BlockLesson(replace(recipe, flip=0, shift=0), loss, checked)
