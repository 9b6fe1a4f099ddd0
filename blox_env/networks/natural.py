"""Tasks of natural images: resolution, subset and split of a set of pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blox_env.networks.images import reduce
from blox_env.networks.tasks import Split, Task

CHANNEL_MEAN, CHANNEL_STD = 118.0, 62.0  # of the pixels of CIFAR-10, all channels, 0 … 255


@dataclass(frozen=True)
class ImageSettings:
    """Resolution, width, subset and split of a task.

    Attributes:
        side: pixels of a side; pictures are reduced by averaging square blocks.
        width: channels of the stem of the networks.
        train: number of training images.
        val: number of validation images; they and the training images are disjoint parts of the
            official training set.
        seed: of the choice of both; part of the task, not of a training.
    """

    side: int = 16
    width: int = 8
    train: int = 30_000
    val: int = 15_000
    seed: int = 20221128


def image_task(
    name: str,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    test: NDArray[np.bool_],
    settings: ImageSettings,
) -> Task:
    """Cut a task out of pictures.

    Args:
        name: of the task.
        images: ``(n, 3, h, w)`` uint8.
        labels: ``(n,)``, class numbers from 0.
        test: ``(n,)``, which pictures are of the official test set.
        settings: resolution, subset and split.

    Raises:
        ValueError: where there are too few pictures, or their side is no multiple of the wanted.
    """
    pool = np.flatnonzero(~test)
    if settings.train + settings.val > len(pool):
        raise ValueError(
            f"train + val must be at most the {len(pool)} training images of {name}, "
            f"got {settings.train} + {settings.val}"
        )
    order = np.random.default_rng(settings.seed).permutation(len(pool))
    # validation images first: a smaller training set leaves them as they are
    parts = (
        pool[order[settings.val : settings.val + settings.train]],
        pool[order[: settings.val]],
        np.flatnonzero(test),
    )
    small = reduce(images, settings.side)
    train, val, tested = (Split(small[part], labels[part], part) for part in parts)
    return Task(
        name,
        f"Accuracies of Blox networks of width {settings.width} on {name} at {settings.side} × "
        f"{settings.side} pixels, {settings.train:,} training images.",
        train,
        val,
        tested,
        classes=int(labels.max()) + 1,
        width=settings.width,
    )
