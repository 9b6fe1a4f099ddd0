"""Image classification tasks to train on: arrays of images with fixed, seeded splits."""

from __future__ import annotations

import hashlib
import importlib
import os
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.errors import unknown_name
from blox_env.ground.extras import extra
from blox_env.ground.files import DATA_PLACE
from blox_env.ground.names import check_settings, join_name, split_name


@dataclass(frozen=True)
class Split:
    """Images ``(n, channels, h, w)`` and labels ``(n,)`` int64; ``sources`` says from what.

    Images are float32 with about zero mean and unit variance, or uint8 as stored in pictures.
    ``sources`` numbers the original picture behind every image: splits share none of them.
    """

    images: NDArray[np.float32] | NDArray[np.uint8]
    labels: NDArray[np.int64]
    sources: NDArray[np.int64]

    def __len__(self) -> int:
        """Number of images."""
        return len(self.labels)


@dataclass(frozen=True)
class Task:
    """Three splits of one classification problem, and the network frame that fits them."""

    name: str
    description: str
    train: Split
    val: Split
    test: Split
    classes: int
    width: int

    @property
    def in_channels(self) -> int:
        """Channels of the images."""
        return int(self.train.images.shape[1])

    @property
    def image_size(self) -> int:
        """Side of the square images in pixels."""
        return int(self.train.images.shape[2])

    def fingerprint(self) -> str:
        """SHA-256 over all images and labels, 16 hex digits: equal data, equal fingerprint."""
        digest = hashlib.sha256()
        if self.train.images.dtype == np.uint8:  # the width is not in the pictures
            digest.update(f"width {self.width}".encode())
        for split in (self.train, self.val, self.test):
            digest.update(np.ascontiguousarray(split.images).tobytes())
            digest.update(split.labels.tobytes())
        return digest.hexdigest()[:16]


_DIGITS = (
    "Accuracies of Blox networks of width 8 on scikit-learn's 8×8 handwritten digits, made harder "
    "by noise, background and shifts. They are not the accuracies of the full-size networks on "
    "CIFAR-100: whether their ranks carry over is unknown until compared with the released data."
)


@dataclass(frozen=True)
class DigitsSettings:
    """Difficulty of the digits; the defaults are the task of the embedded benchmark.

    Attributes:
        noise: standard deviation of the Gaussian noise on every pixel (ink is 0 … 1).
        background: strength of a random linear gradient behind the digit.
        shift: digits are moved by up to so many pixels in both directions.
        draws: noisy copies of each picture in train, val and test.
        sources: pictures in train, val and test.
        seed: of splits and distortions; part of the task, not of a training.
    """

    noise: float = 0.15
    background: float = 0.15
    shift: int = 1
    draws: tuple[int, int, int] = (2, 2, 3)
    sources: tuple[int, int, int] = (700, 550, 547)
    seed: int = 20221128


def digits(settings: DigitsSettings | None = None) -> Task:
    """Scikit-learn's bundled 8×8 handwritten digits, distorted so that architectures differ."""
    settings = settings or DigitsSettings()
    with extra("torch", "the digits task"):
        from sklearn.datasets import load_digits
    pictures, labels = load_digits(return_X_y=True)
    pictures = pictures.reshape(-1, 8, 8) / 16.0
    rng = np.random.default_rng(settings.seed)
    order = rng.permutation(len(pictures))
    splits: list[Split] = []
    start = 0
    for count, draws in zip(settings.sources, settings.draws, strict=True):
        chosen = np.tile(order[start : start + count], draws)
        start += count
        images = _distort(pictures[chosen], settings, rng)
        splits.append(
            Split(images[:, None].astype(np.float32), labels[chosen].astype(np.int64), chosen)
        )
    return Task("digits", _DIGITS, splits[0], splits[1], splits[2], classes=10, width=8)


def _distort(
    pictures: NDArray[np.float64], settings: DigitsSettings, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Shift, tilt the background and add noise; the result has about zero mean, unit variance."""
    n, side = pictures.shape[:2]
    s = settings.shift
    padded = np.pad(pictures, ((0, 0), (s, s), (s, s)))
    offset = rng.integers(0, 2 * s + 1, size=(n, 2))
    grid = np.arange(side)
    shifted = padded[
        np.arange(n)[:, None, None],
        (offset[:, :1] + grid)[:, :, None],
        (offset[:, 1:] + grid)[:, None, :],
    ]
    slope = rng.normal(size=(n, 2)) * settings.background
    ramp = np.linspace(-1, 1, side)
    images: NDArray[np.float64] = shifted
    images = images + slope[:, 0, None, None] * ramp[:, None] + slope[:, 1, None, None] * ramp
    images = images + settings.noise * rng.normal(size=images.shape)
    return (images - 0.3) / 0.5


# name -> (what makes the task, its settings), as "module:Name"
_ROOM = "blox_env.networks"
_TASKS = {
    "digits": (f"{_ROOM}.tasks:digits", f"{_ROOM}.tasks:DigitsSettings"),
    "cifar10": (f"{_ROOM}.image_tasks:cifar10", f"{_ROOM}.natural:ImageSettings"),
    "cifar100": (f"{_ROOM}.image_tasks:cifar100", f"{_ROOM}.image_tasks:FullSettings"),
    "folder": (f"{_ROOM}.image_tasks:folder", f"{_ROOM}.image_tasks:FolderSettings"),
}


def list_tasks() -> list[str]:
    """Names that :func:`load_task` knows."""
    return sorted(_TASKS)


def task_settings(name: str) -> Any:
    """The settings of a task, a frozen dataclass, with those of its name.

    Args:
        name: ``"cifar10"``, or with settings in brackets: ``"cifar10(side=32, width=16)"``.

    Raises:
        ValueError: for an unknown name or setting, with the closest known one.
    """
    word, given = split_name(name, "task")
    if word not in _TASKS:
        raise ValueError(unknown_name("task", word, _TASKS))
    kind = _named(_TASKS[word][1])
    check_settings(given, (field.name for field in fields(kind)), f"task {word}")
    default = kind()
    for key, value in given.items():
        wanted = type(getattr(default, key))
        if type(value) is not wanted and not (wanted is float and type(value) is int):
            raise ValueError(
                f"{key} of task {word} must be of type {wanted.__name__}, got {value!r}"
            )
    return kind(**given)


def load_task(name: str) -> Task:
    """The task of a name, made once a process; it is called what differs from the defaults.

    Args:
        name: ``"cifar10"``, or with settings in brackets: ``"cifar10(side=32, width=16)"``.

    Raises:
        ValueError: for an unknown name or setting, with the closest known one.
        FileNotFoundError: when its pictures are not there; says what to get.
    """
    return _load(split_name(name, "task")[0], task_settings(name), os.environ.get(DATA_PLACE))


@lru_cache(maxsize=4)
def _load(word: str, settings: Any, _place: str | None) -> Task:  # other pictures: another task
    task: Task = _named(_TASKS[word][0])(settings)
    default = asdict(type(settings)())
    given = {key: value for key, value in asdict(settings).items() if value != default[key]}
    return replace(task, name=join_name(word, given))


def _named(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)
