"""Tasks from a user's pictures: CIFAR-10, CIFAR-100, and folders by class."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from blox_env.networks.images import ImageSet, find_images, reduce
from blox_env.networks.natural import ImageSettings, image_task
from blox_env.networks.tasks import Task

_AT_ONCE = 4096  # pictures decoded at a time


@dataclass(frozen=True)
class FullSettings(ImageSettings):
    """The frame of the Blox paper: whole pictures, networks of full width, 45,000 to train on."""

    side: int = 32
    width: int = 32
    train: int = 45_000
    val: int = 5_000
    seed: int = 0


@dataclass(frozen=True)
class FolderSettings(ImageSettings):
    """A frame for pictures of one's own.

    Attributes:
        side: pixels that pictures are cut and scaled to.
        width: channels of the stem of the networks.
        train: number of training images, 0 for all that are left.
        val: number of validation images, 0 for a quarter of those that are not for the test.
        seed: of the choice of both, and of test images where the folder has none.
    """

    side: int = 32
    width: int = 16
    train: int = 0
    val: int = 0


def cifar10(settings: ImageSettings | None = None) -> Task:
    """CIFAR-10, small: what many trainings can be afforded on.

    Args:
        settings: resolution, width, subset and split.

    Raises:
        FileNotFoundError: when the pictures are not there; says where to get them.
    """
    return _cut("cifar10", find_images("cifar10"), settings or ImageSettings())


def cifar100(settings: ImageSettings | None = None) -> Task:
    """CIFAR-100 as in the Blox paper, for whoever has a GPU.

    Args:
        settings: resolution, width, subset and split.

    Raises:
        FileNotFoundError: when the pictures are not there; says where to get them.
    """
    return _cut("cifar100", find_images("cifar100"), settings or FullSettings())


def folder(settings: ImageSettings | None = None) -> Task:
    """Pictures of one's own, by class.

    Args:
        settings: resolution, width, subset and split.

    Raises:
        FileNotFoundError: when the pictures are not there; says what is expected.
    """
    settings = settings or FolderSettings()
    images = find_images("folder", side=settings.side, seed=settings.seed)
    pool = int((~images.test).sum())
    val = settings.val or pool // 4
    return _cut("folder", images, replace(settings, val=val, train=settings.train or pool - val))


def _cut(name: str, images: ImageSet, settings: ImageSettings) -> Task:
    small = [
        reduce(images.take(np.arange(start, min(start + _AT_ONCE, len(images)))), settings.side)
        for start in range(0, len(images), _AT_ONCE)
    ]
    pictures: NDArray[np.uint8] = np.concatenate(small)
    task = image_task(name, pictures, images.labels, images.test, settings)
    return replace(task, classes=len(images.classes))
