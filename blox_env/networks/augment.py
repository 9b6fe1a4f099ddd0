"""Changes of training pictures that differ at every epoch: shifts, mirrors, RandAugment, cutout."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from blox_env.ground.extras import extra_module


def shift_and_mirror(
    images: Tensor, pixels: int, generator: torch.Generator, *, mirror: bool = True
) -> Tensor:
    """Move every image by up to ``pixels`` in both directions, and mirror half of them.

    Args:
        images: ``(n, c, h, w)``.
        pixels: the largest shift; what comes in at the border is 0.
        generator: of the random draws.
        mirror: whether to mirror any.
    """
    n, _, height, width = images.shape
    padded = functional.pad(images, (pixels,) * 4)
    down, right = torch.randint(0, 2 * pixels + 1, (2, n, 1), generator=generator)
    mirrored = torch.rand((n, 1), generator=generator) < 0.5 * mirror
    rows = down + torch.arange(height)
    columns = right + torch.where(mirrored, torch.arange(width - 1, -1, -1), torch.arange(width))
    number = torch.arange(n)[:, None, None]
    return padded.permute(0, 2, 3, 1)[number, rows[:, :, None], columns[:, None, :]].permute(
        0, 3, 1, 2
    )


def cut_out(images: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """Erase a square of every image (DeVries & Taylor, 2017): its centre is any pixel.

    Args:
        images: ``(n, c, h, w)``; erased pixels become 0, which is the mean of normalised images.
        side: of the square; what of it lies outside is lost.
        generator: of the random draws.
    """
    n, _, height, width = images.shape
    inside = []
    for size in (height, width):
        first = torch.randint(0, size, (n, 1), generator=generator) - side // 2
        place = torch.arange(size)
        inside.append((place >= first) & (place < first + side))
    erased = inside[0][:, :, None] & inside[1][:, None, :]
    return images.masked_fill(erased[:, None], 0.0)


def rand_augment(images: Tensor, operations: int, strength: int, seed: int) -> Tensor:
    """Apply random operations to every image (Cubuk et al., 2020), by torchvision.

    Args:
        images: ``(n, c, h, w)`` uint8.
        operations: how many are applied, one after the other.
        strength: of each, 0 … 30.
        seed: of the random draws.

    Raises:
        ImportError: without torchvision; names the extra.
    """
    change = transforms().RandAugment(num_ops=operations, magnitude=strength)
    with torch.random.fork_rng(devices=[]):  # torchvision draws from the global generator
        torch.manual_seed(seed)
        return torch.stack([change(image) for image in images])


def transforms() -> Any:
    """The module ``torchvision.transforms.v2``.

    Raises:
        ImportError: where it is not installed; names the extra.
    """
    return extra_module("torchvision.transforms.v2", "augment", "RandAugment")
