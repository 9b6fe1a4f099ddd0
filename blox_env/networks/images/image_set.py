"""The one form that images have, wherever they come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.errors import check_positive_int

Pixels = NDArray[np.uint8]  # (n, 3, h, w)
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Coloured images with labels, in the order of their source; pixels are decoded when asked for.

    Attributes:
        name: what the images are called, such as ``"cifar10"``.
        labels: class of every image, ``(n,)`` int64, an index into ``classes``.
        test: which images are the test set, ``(n,)`` bool.
        classes: name of every class.
        checksum: SHA-256 of the source, hex digits.
        decode: the pixels of the images with given numbers, ``(k,)`` -> ``(k, 3, h, w)`` uint8.
    """

    name: str
    labels: NDArray[np.int64] = field(repr=False)
    test: NDArray[np.bool_] = field(repr=False)
    classes: tuple[str, ...]
    checksum: str
    decode: Callable[[Indices], Pixels] = field(repr=False)

    def __post_init__(self) -> None:
        n = len(self.labels)
        if n == 0:
            raise ValueError(f"{self.name}: there are no images")
        if self.labels.shape != (n,) or self.test.shape != (n,):
            raise ValueError(
                f"{self.name}: expected labels and test of shape ({n},), got {self.labels.shape} "
                f"and {self.test.shape}"
            )
        low, high = int(self.labels.min()), int(self.labels.max())
        if low < 0 or high >= len(self.classes):
            raise ValueError(
                f"{self.name}: expected labels in 0 … {len(self.classes) - 1}, one each class, "
                f"got {low} … {high}"
            )

    def __len__(self) -> int:
        """Number of images."""
        return len(self.labels)

    @cached_property
    def images(self) -> Pixels:
        """All images, ``(n, 3, h, w)``, decoded once."""
        return self.decode(np.arange(len(self)))

    def take(self, chosen: Indices) -> Pixels:
        """The images with these numbers, ``(k, 3, h, w)``; no others are decoded."""
        if "images" in self.__dict__:
            chosen_images: Pixels = self.images[chosen]
            return chosen_images
        return self.decode(np.asarray(chosen, dtype=np.int64))


def reduce(images: Pixels, side: int) -> Pixels:
    """Shrink square images by the mean over square blocks, rounded half to even as numpy does.

    Args:
        images: ``(n, channels, h, h)`` uint8.
        side: of the result, in pixels; it has to divide h.

    Returns:
        ``(n, channels, side, side)`` uint8; the same array where nothing is to be shrunk.
    """
    side = check_positive_int("side", side)
    if images.ndim != 4 or images.shape[2] != images.shape[3] or images.dtype != np.uint8:
        raise ValueError(
            f"expected square uint8 images (n, channels, h, h), got {images.dtype} of shape "
            f"{images.shape}"
        )
    height = images.shape[2]
    if height % side:
        raise ValueError(f"side must divide the {height} pixels of the images, got {side}")
    block = height // side
    if block == 1:
        return images
    area = block * block
    total = np.zeros((*images.shape[:2], side, side), np.uint32)
    for row, column in np.ndindex(block, block):
        total += images[:, :, row::block, column::block]
    shrunk, rest = np.divmod(total, area)
    shrunk += (2 * rest > area) | ((2 * rest == area) & (shrunk % 2 == 1))
    return np.asarray(shrunk, dtype=np.uint8)
