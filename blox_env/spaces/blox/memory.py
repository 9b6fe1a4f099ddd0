"""Peak activation memory of a Blox network, in closed form from which tensors live when.

The schedule is that of the network's ``forward()``: op1 before op2, in a reduction the two 3×3
convolutions before the projection. A tensor lives from the step that makes it to the last one that
reads it, and a step needs its inputs and its output at once. Convolutions, pooling and the
classifier write a tensor of their own. What works element by element (batch norm, ReLU, sigmoid,
the scaling of squeeze-excitation, every sum) writes over an operand that nobody reads any more.
Weights and the workspace of kernels are not counted; the image is, until the stem has read it.

All sizes here are numbers of values of one image; ``a`` is that of a block's input.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from blox_env.spaces.blox.counts import BOTTLENECK


def block_peaks(blocks: Sequence[Sequence[int]], c: int, side: int) -> NDArray[np.int64]:
    """Most values alive in a block, ``(blocks,)``.

    Args:
        blocks: op1, op2, prev, input, skip of each, in canonical form.
        c: channels.
        side: resolution.
    """
    return np.array([_block_peak(*block, c=c, side=side) for block in blocks], dtype=np.int64)


def _block_peak(op1: int, op2: int, prev: int, inp: int, skip: int, *, c: int, side: int) -> int:
    a = c * side * side
    if (prev, inp, skip) == (0, 1, 0):  # op2 alone
        return _operation_peak(op2, c, side, kept=False)
    first = _operation_peak(op1, c, side, kept=bool(inp))
    # op2 reads op1's output itself, which the skip needs once more, or something that is its own
    alone = bool(prev and not inp)
    second = _operation_peak(op2, c, side, kept=alone and bool(skip))
    return max(first, second + (a if skip and not alone else 0))


def _operation_peak(operation: int, c: int, side: int, *, kept: bool) -> int:
    """Most values alive in conv, mbconv or bconv; ``kept``: its input is read again afterwards."""
    a = c * side * side
    if operation == 0:
        return (3 if kept else 2) * a
    if operation == 1:  # in the second branch a kept input lives beside the branch's
        vectors = 2 * (2 * c)  # squeeze-excitation reads one and writes one
        return max(4 * a, 3 * a + vectors) + (a if kept else 0)
    peaks = []
    for number, ratio in enumerate(BOTTLENECK):
        inside = int(c / ratio) * side * side
        peaks.append(max(a + 2 * inside, 2 * a + inside) + (a if kept and number else 0))
    return max(peaks)


def reduction_peak(c: int, side: int) -> int:
    """Most values alive in a reduction: its input, and two tensors of its output's size.

    Args:
        c: channels of the input.
        side: resolution of the input.
    """
    half = -(-side // 2)
    return c * side * side + 2 * (2 * c * half * half)


def ends_peak(width: int, image_size: int, classes: int, in_channels: int) -> int:
    """Most values alive in the stem, the pooling and the classifier.

    Args:
        width: channels of the stem.
        image_size: side of the image.
        classes: outputs of the classifier.
        in_channels: of the image.
    """
    last = -(-image_size // 8)
    channels = 8 * width
    return max(
        (in_channels + width) * image_size * image_size,
        channels * last * last + channels,
        channels + classes,
    )
