"""Parameters and multiply-adds of DARTS networks in closed form, node by node.

The networks are those of :mod:`blox_env.networks.darts`: a stem, cells of which those at a third
and two thirds of the depth are reductions with twice the channels, a linear classifier.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from blox_env.ground.typing import IntArray
from blox_env.spaces.darts.cells import INPUTS, NODES, OPERATIONS, OPTIONS

STEM = 3  # times the channels of the first cell
_KERNELS = {"sep_conv_3x3": 3, "sep_conv_5x5": 5, "dil_conv_3x3": 3, "dil_conv_5x5": 5}


@dataclass(frozen=True)
class CellPlace:
    """A cell of a network.

    Attributes:
        reduces: whether it halves the resolution.
        after_reduction: whether the cell before does.
        before_last: channels of the output of the cell before the last one.
        last: channels of the output of the last cell.
        channels: of its nodes.
        side: of its input pictures, those of the cell before.
    """

    reduces: bool
    after_reduction: bool
    before_last: int
    last: int
    channels: int
    side: int


def places(layers: int, width: int, image_size: int) -> Iterator[CellPlace]:
    """The cells of a network from its first to its last.

    Args:
        layers: number of cells.
        width: channels of the first cell's nodes.
        image_size: side of the picture.
    """
    before, last, channels, side = STEM * width, STEM * width, width, image_size
    after_reduction = False
    for layer in range(layers):
        reduces = layer in (layers // 3, 2 * layers // 3)
        channels *= 2 if reduces else 1
        yield CellPlace(reduces, after_reduction, before, last, channels, side)
        before, last, after_reduction = last, NODES * channels, reduces
        side = half(side) if reduces else side


def half(side: int) -> int:
    """Side of a picture after a step of two, rounded up."""
    return -(-side // 2)


def operation_params(c: int, *, strided: bool) -> IntArray:
    """Parameters of each operation on ``c`` channels, ``(7,)``.

    Args:
        c: channels.
        strided: whether it halves the resolution.
    """
    counts = dict.fromkeys(OPERATIONS, 0)
    if strided:
        counts["skip_connect"] = 2 * c * (c // 2) + 2 * c
    for name, kernel in _KERNELS.items():
        once = c * kernel**2 + c * c + 2 * c  # depthwise, pointwise, batch norm
        counts[name] = 2 * once if name.startswith("sep") else once
    return np.array(list(counts.values()))


def operation_macs(c: int, side: int, *, strided: bool) -> IntArray:
    """Multiply-adds of the convolutions of each operation, ``(7,)``.

    Args:
        c: channels.
        side: of its input pictures.
        strided: whether it halves the resolution.
    """
    out = half(side) if strided else side
    counts = dict.fromkeys(OPERATIONS, 0)
    if strided:
        counts["skip_connect"] = 2 * c * (c // 2) * out**2
    for name, kernel in _KERNELS.items():
        once = (c * kernel**2 + c * c) * out**2
        counts[name] = 2 * once if name.startswith("sep") else once
    return np.array(list(counts.values()))


def node_table(node: int, plain: IntArray, strided: IntArray) -> IntArray:
    """Sums over both operations of every option of a node, ``(options,)``.

    Args:
        node: counted from 0.
        plain: of each operation on a node of the cell.
        strided: of each operation on an input of the cell.
    """
    options = OPTIONS[node]
    total = np.zeros(len(options), dtype=np.int64)
    for place in range(2):
        operation = options[:, 2 + place]
        total += np.where(options[:, place] < INPUTS, strided[operation], plain[operation])
    return total


def frame_params(layers: int, width: int, classes: int, in_channels: int) -> int:
    """Parameters outside the nodes: stem, the convolutions at the cells' inputs, classifier."""
    stem = STEM * width
    total, last = in_channels * 9 * stem + 2 * stem, stem
    for place in places(layers, width, 1):
        c = place.channels
        total += (place.before_last + place.last) * c + 4 * c
        last = NODES * c
    return total + (last + 1) * classes


def frame_macs(layers: int, width: int, image_size: int, classes: int, in_channels: int) -> int:
    """Multiply-adds outside the nodes."""
    total, last = in_channels * 9 * STEM * width * image_size**2, STEM * width
    for place in places(layers, width, image_size):
        # the older input is as large as the newer one once it has been reduced
        total += (place.before_last + place.last) * place.channels * place.side**2
        last = NODES * place.channels
    return total + last * classes


def tables(name: str, layers: int, width: int, image_size: int) -> list[IntArray]:
    """Additions of each slot, arrays ``(options,)``: ``"params"`` or ``"macs"``.

    Args:
        name: of the size.
        layers: number of cells.
        width: channels of the first cell's nodes.
        image_size: side of the picture.
    """
    found = [
        np.zeros(len(OPTIONS[node]), dtype=np.int64) for _ in range(2) for node in range(NODES)
    ]
    for place in places(layers, width, image_size):
        c, side, reduces = place.channels, place.side, place.reduces
        if name == "params":
            at_inputs = operation_params(c, strided=reduces)
            within = operation_params(c, strided=False)
        else:
            at_inputs = operation_macs(c, side, strided=reduces)
            within = operation_macs(c, half(side) if reduces else side, strided=False)
        for node in range(NODES):
            found[NODES * reduces + node] += node_table(node, within, at_inputs)
    return found
