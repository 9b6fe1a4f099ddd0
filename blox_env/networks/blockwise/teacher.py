"""Whole networks with their weights: teachers, and what labels or a teacher make of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from blox_env.networks.blockwise.lessons import (
    Pictures,
    arrays_of,
    correct,
    follow,
    load_arrays,
    task_data,
)
from blox_env.networks.blockwise.weights import Weights, read_weights, weights_hash, write_weights
from blox_env.networks.initial import new_network
from blox_env.networks.recipe import Recipe, recipe_for
from blox_env.networks.tasks import load_task
from blox_env.networks.training import one_thread
from blox_env.spaces import BloxSpace


@dataclass(frozen=True)
class Taught:
    """Outcome of a network's training.

    Attributes:
        val_acc: validation accuracy before the first step and after every epoch, fractions.
        test_acc: after the last.
        seconds: CPU time of the steps.
    """

    val_acc: tuple[float, ...]
    test_acc: float
    seconds: float


@dataclass(frozen=True)
class Distilling:
    """Settings of learning from a teacher beside the labels (Hinton et al., 2015).

    Attributes:
        temperature: that both answers are softened with.
        share: weight of the teacher's answers; the rest is cross-entropy with the labels.
    """

    temperature: float = 4.0
    share: float = 0.7

    def loss(self, answers: Tensor, teacher: Tensor, labels: Tensor) -> Tensor:
        """KL divergence with temperature, mixed with cross-entropy.

        Args:
            answers: logits of the network.
            teacher: logits of its teacher.
            labels: true classes.
        """
        t = self.temperature
        soft = functional.kl_div(
            functional.log_softmax(answers / t, 1),
            functional.log_softmax(teacher / t, 1),
            reduction="batchmean",
            log_target=True,
        )
        hard = functional.cross_entropy(answers, labels)
        return self.share * t * t * soft + (1 - self.share) * hard


@dataclass(frozen=True)
class Teacher:
    """A network with weights.

    Attributes:
        row: its architecture.
        task: name of the task.
        weights: of the whole network.
        val_acc: its validation accuracy.
        seconds: CPU time of its training.
        recipe: how it was trained, empty for one that was not.
        seed: of its training.
    """

    row: tuple[int, ...]
    task: str
    weights: Weights
    val_acc: float
    seconds: float
    recipe: dict[str, Any]
    seed: int

    def network(self) -> nn.Sequential:
        """The network in evaluation mode, made anew."""
        network = frame(self.row, self.task)
        load_arrays(network, self.weights)
        return network.eval()

    @property
    def hash(self) -> str:
        """Identity of its weights."""
        return weights_hash(self.weights)

    def save(self, path: str | Path) -> None:
        """Write it as one file."""
        facts = {key: value for key, value in self.__dict__.items() if key != "weights"}
        write_weights(path, self.weights, {**facts, "row": list(self.row)})

    @classmethod
    def load(cls, path: str | Path) -> Teacher:
        """Read one that :meth:`save` wrote.

        Raises:
            ValueError: names a file that is damaged or something else.
        """
        weights, facts = read_weights(path)
        try:
            return cls(weights=weights, **{**facts, "row": tuple(facts["row"])})
        except (KeyError, TypeError) as error:
            raise ValueError(f"{path} is no teacher: {error!r}") from error


@lru_cache(maxsize=2)
def load_teacher(path: str, weights: str) -> Teacher:
    """A teacher's file, read once a process.

    Args:
        path: of the file.
        weights: their hash.

    Raises:
        ValueError: where the file holds other weights by now.
    """
    teacher = Teacher.load(path)
    if teacher.hash != weights:
        raise ValueError(f"{path} was changed: expected weights {weights}, got {teacher.hash}")
    return teacher


def frame(row: Sequence[int], task: str, generator: torch.Generator | None = None) -> nn.Sequential:
    """A network of the task's width with weights of no meaning, or drawn from a generator.

    Args:
        row: the architecture.
        task: name of the task.
        generator: source of the weights.
    """
    drawn = generator or torch.Generator().manual_seed(0)
    network = new_network(row, load_task(task), drawn, recipe_for(task).branch_gain)
    assert isinstance(network, nn.Sequential)
    return network


def cut(network: nn.Sequential, stage: int) -> tuple[nn.Sequential, nn.Sequential, nn.Sequential]:
    """Parts before a stage, the stage (block and reduction), and what comes after it.

    Args:
        network: a whole one; the parts share its weights.
        stage: from 0.
    """
    parts, at = list(network), 1 + 2 * stage
    before, own, after = parts[:at], parts[at : at + 2], parts[at + 2 :]
    return nn.Sequential(*before), nn.Sequential(*own), nn.Sequential(*after)


def random_teacher(row: Sequence[int], task: str, *, seed: int) -> Teacher:
    """A network that was never trained; its batch norms know the pictures' statistics.

    Args:
        row: the architecture.
        task: name of the task.
        seed: of its weights.
    """
    row, recipe = _checked(row), recipe_for(task, epochs=1, flip=0, shift=0)
    with one_thread():
        generator = torch.Generator().manual_seed(seed)
        network = frame(row, task, generator)
        data = task_data(task, recipe.shift)
        pictures = Pictures.draw(data, recipe, generator)
        norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
        for norm in norms:
            norm.momentum = None  # the plain mean over batches
        network.train()
        with torch.no_grad():
            for step in range(pictures.plan.per_epoch):
                network(pictures.images(step))
        network.eval()
        val_acc = correct(network, data.val) / len(data.task.val)
    return Teacher(row, task, arrays_of(network), val_acc, 0.0, {}, seed)


def trained_teacher(
    row: Sequence[int], task: str, *, seed: int, recipe: Recipe | None = None
) -> Teacher:
    """A network that was trained from scratch, by the task's recipe if none is given.

    Args:
        row: the architecture.
        task: name of the task.
        seed: of weights and order of the pictures.
        recipe: how to train; fewer epochs give a poorer teacher.
    """
    row, recipe = _checked(row), recipe or recipe_for(task)
    generator = torch.Generator().manual_seed(seed)
    network = frame(row, task, generator)
    taught = teach(network, task, recipe, generator)
    return Teacher(
        row, task, arrays_of(network), taught.val_acc[-1], taught.seconds, asdict(recipe), seed
    )


def teach(
    network: nn.Sequential,
    task: str,
    recipe: Recipe,
    generator: torch.Generator,
    *,
    teacher: Teacher | None = None,
    distilling: Distilling | None = None,
) -> Taught:
    """Train a network, from the weights that it has, by labels or by labels and a teacher.

    Args:
        network: is changed.
        task: name of the task.
        recipe: of the training.
        generator: of the order and changes of the pictures.
        teacher: whose answers it is to imitate, None for none.
        distilling: how much it listens to the teacher.
    """
    how = distilling or Distilling()
    with one_thread():
        data = task_data(task, recipe.shift)
        pictures = Pictures.draw(data, recipe, generator)
        master = None if teacher is None else teacher.network()

        def loss_at(step: int) -> Tensor:
            images, labels = pictures.images(step), pictures.labels[step]
            answers = network(images)
            if master is None:
                return functional.cross_entropy(
                    answers, labels, label_smoothing=recipe.label_smoothing
                )
            with torch.no_grad():
                wanted = master(images)
            return how.loss(answers, wanted, labels)

        def accuracy() -> float:
            return correct(network, data.val) / len(data.task.val)

        network.eval()
        before = accuracy()
        curve, seconds = follow(network, recipe, pictures.plan.per_epoch, loss_at, accuracy)
        test_acc = correct(network, data.test) / len(data.task.test)
    return Taught((before, *curve), test_acc, seconds)


def _checked(row: Sequence[int]) -> tuple[int, ...]:
    return tuple(BloxSpace().check(row)[0].tolist())
