"""Whole networks from distilled blocks, and their fine-tuning."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from blox_env.networks.blockwise.lessons import load_arrays
from blox_env.networks.blockwise.teacher import Taught, Teacher, cut, frame, teach
from blox_env.networks.blockwise.weights import Weights, read_weights
from blox_env.networks.recipe import Recipe, recipe_for

FINE_TUNE_LR = 0.3  # share of the recipe's learning rate: the weights are no longer random


def block_file(folder: str | Path, stage: int, block: int) -> Path:
    """Path of a distilled block.

    Args:
        folder: of all blocks of one teacher.
        stage: from 0.
        block: its number.
    """
    return Path(folder) / f"stage{stage}-block{block:02d}.npz"


def load_blocks(folder: str | Path, row: Sequence[int]) -> list[Weights]:
    """Weights of the blocks of an architecture, stage by stage.

    Args:
        folder: of all blocks of one teacher.
        row: the architecture.

    Raises:
        FileNotFoundError: names a block that was not distilled yet.
    """
    return [read_weights(block_file(folder, s, b))[0] for s, b in enumerate(row)]


def assemble(row: Sequence[int], teacher: Teacher, blocks: Sequence[Weights]) -> nn.Sequential:
    """A network of distilled stages between the stem and the classifier of their teacher.

    Args:
        row: the architecture.
        teacher: of the blocks.
        blocks: their weights, stage by stage.
    """
    network = frame(row, teacher.task)
    own = teacher.network()
    for place in (0, len(network) - 1):  # stem, classifier
        network[place].load_state_dict(own[place].state_dict())
    for stage, weights in enumerate(blocks):
        load_arrays(cut(network, stage)[1], weights)
    return network.eval()


def fine_tune_recipe(task: str, epochs: int) -> Recipe:
    """The recipe that assembled networks go on with.

    Args:
        task: its name.
        epochs: how many.
    """
    whole = recipe_for(task)
    return recipe_for(task, epochs=epochs, peak_lr=FINE_TUNE_LR * whole.peak_lr, warmup=0.1)


def fine_tune(network: nn.Sequential, task: str, recipe: Recipe, *, seed: int) -> Taught:
    """Train a network on from its weights; the first accuracy is that before the first step.

    Args:
        network: is changed.
        task: name of the task.
        recipe: of the training.
        seed: of the order and changes of the pictures.
    """
    return teach(network, task, recipe, torch.Generator().manual_seed(seed))
