"""Parameters and multiply-adds of the parts of a Blox network, in closed form.

Convolutions have a bias, and each but those of squeeze-excitation is followed by a batch norm with
two parameters a channel. ``c`` is the number of channels of a stage, ``side`` its resolution.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BOTTLENECK = (2, 1, 0.5, 2, 1, 0.5)  # bconv: channels inside are c / ratio


def _conv(c_in: int, c_out: int, kernel: int, *, groups: int = 1, norm: bool = True) -> int:
    return kernel * kernel * c_in // groups * c_out + c_out + 2 * c_out * norm


def block_params(c: int) -> NDArray[np.int64]:
    """Parameters of conv, mbconv and bconv at ``c`` channels: ``(3,)``."""
    conv = 4 * _conv(c, c, 3)
    mbconv = 2 * (_conv(c, 2 * c, 3) + 2 * _conv(2 * c, 2 * c, 1, norm=False) + _conv(2 * c, c, 1))
    bconv = sum(
        _conv(c, b, 1) + _conv(b, b, 5, groups=b) + _conv(b, c, 1)
        for b in (int(c / ratio) for ratio in BOTTLENECK)
    )
    return np.array([conv, mbconv, bconv], dtype=np.int64)


def block_macs(c: int, side: int) -> NDArray[np.int64]:
    """Multiply-adds of conv, mbconv and bconv at ``c`` channels on ``side × side``: ``(3,)``.

    Args:
        c: channels.
        side: resolution.
    """
    area = side * side
    conv = 4 * 9 * c * c * area
    # squeeze-excitation works on one pixel
    mbconv = 2 * ((9 * c * 2 * c + 2 * c * c) * area + 2 * (2 * c) * (2 * c))
    bconv = sum((c * b + 25 * b + b * c) * area for b in (int(c / r) for r in BOTTLENECK))
    return np.array([conv, mbconv, bconv], dtype=np.int64)


def frame_params(width: int, classes: int, in_channels: int) -> int:
    """Parameters of stem, three reductions and classifier.

    Args:
        width: channels of the stem.
        classes: outputs of the classifier.
        in_channels: of the image.
    """
    total = _conv(in_channels, width, 3)
    for stage in range(3):
        c = width << stage
        total += _conv(c, 2 * c, 3) + _conv(2 * c, 2 * c, 3) + _conv(c, 2 * c, 2)
    return total + 8 * width * classes + classes


def frame_macs(width: int, image_size: int, classes: int, in_channels: int) -> int:
    """Multiply-adds of stem, three reductions and classifier.

    Args:
        width: channels of the stem.
        image_size: side of the image.
        classes: outputs of the classifier.
        in_channels: of the image.
    """
    side = image_size
    total = 9 * in_channels * width * side * side
    for stage in range(3):
        c = width << stage
        side = -(-side // 2)
        total += (9 * c * 2 * c + 9 * 2 * c * 2 * c + 4 * c * 2 * c) * side * side
    return total + 8 * width * classes
