"""DARTS networks as torch modules, as NAS-Bench-301 trains them: no auxiliary classifier.

Source: Liu, Simonyan & Yang, *DARTS: Differentiable Architecture Search*, ICLR 2019, section 3 and
appendix; eight cells and 32 channels as in Zela et al. (NAS-Bench-301), ICLR 2022.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from blox_env.ground.errors import check_positive_int
from blox_env.spaces.darts import DartsSpace
from blox_env.spaces.darts.cells import INPUTS, NODES, OPERATIONS, OPTIONS
from blox_env.spaces.darts.counts import STEM, CellPlace, places


class ReluConv(nn.Sequential):
    """ReLU, 1×1 convolution, batch norm."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__(nn.ReLU(), nn.Conv2d(c_in, c_out, 1, bias=False), nn.BatchNorm2d(c_out))


class FactorizedReduce(nn.Module):
    """Half the resolution: two 1×1 convolutions of stride 2, one of them a pixel further."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.even = nn.Conv2d(c_in, c_out // 2, 1, stride=2, bias=False)
        self.odd = nn.Conv2d(c_in, c_out // 2, 1, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(c_out)

    def forward(self, x: Tensor) -> Tensor:
        """``(n, c, h, w)`` to half the side, rounded up."""
        x = functional.relu(x)
        shifted = functional.pad(x[:, :, 1:, 1:], (0, 1, 0, 1))
        out: Tensor = self.norm(torch.cat([self.even(x), self.odd(shifted)], dim=1))
        return out


class Separable(nn.Sequential):
    """ReLU, depthwise and pointwise convolution, batch norm.

    Args:
        c: channels.
        kernel: side of the depthwise convolution.
        stride: of it.
        dilation: of it.
    """

    def __init__(self, c: int, kernel: int, stride: int, dilation: int = 1) -> None:
        padding = dilation * (kernel // 2)
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(c, c, kernel, stride, padding, dilation, groups=c, bias=False),
            nn.Conv2d(c, c, 1, bias=False),
            nn.BatchNorm2d(c),
        )


def operation(name: str, c: int, stride: int) -> nn.Module:
    """An operation of the space.

    Args:
        name: one of :data:`~blox_env.spaces.darts.cells.OPERATIONS`.
        c: channels.
        stride: 2 at the inputs of a reduction cell, else 1.
    """
    if name == "max_pool_3x3":
        return nn.MaxPool2d(3, stride, padding=1)
    if name == "avg_pool_3x3":
        return nn.AvgPool2d(3, stride, padding=1, count_include_pad=False)
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else FactorizedReduce(c, c)
    kernel = 3 if name.endswith("3x3") else 5
    if name.startswith("dil"):
        return Separable(c, kernel, stride, dilation=2)
    return nn.Sequential(Separable(c, kernel, stride), Separable(c, kernel, 1))


class Cell(nn.Module):
    """Four nodes, each the sum of two operations on earlier ones; they leave side by side.

    Args:
        options: of its nodes ``(4,)``.
        place: where in the network it stands.
    """

    def __init__(self, options: Sequence[int], place: CellPlace) -> None:
        super().__init__()
        c = place.channels
        older = FactorizedReduce if place.after_reduction else ReluConv
        self.inputs = nn.ModuleList([older(place.before_last, c), ReluConv(place.last, c)])
        self.sources: list[tuple[int, int]] = []
        self.operations = nn.ModuleList()
        for node, option in enumerate(options):
            a, b, op_a, op_b = OPTIONS[node][option].tolist()
            self.sources.append((a, b))
            for source, op in ((a, op_a), (b, op_b)):
                stride = 2 if place.reduces and source < INPUTS else 1
                self.operations.append(operation(OPERATIONS[op], c, stride))

    def forward(self, before: Tensor, last: Tensor) -> Tensor:
        """Outputs of the two cells before, ``(n, c, h, w)`` each, to that of this one."""
        states = [self.inputs[0](before), self.inputs[1](last)]
        for node, (a, b) in enumerate(self.sources):
            first, second = self.operations[2 * node], self.operations[2 * node + 1]
            states.append(first(states[a]) + second(states[b]))
        return torch.cat(states[INPUTS:], dim=1)


class DartsNetwork(nn.Module):
    """The network of a pair of cells.

    Args:
        row: options of the architecture ``(8,)``.
        width: channels of the first cell's nodes, even.
        layers: number of cells; those at a third and two thirds are reductions.
        classes: outputs of the classifier.
        in_channels: of the image.
    """

    def __init__(
        self,
        row: Sequence[int],
        width: int = 32,
        layers: int = 8,
        classes: int = 10,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        if check_positive_int("width", width) % 2:
            raise ValueError(f"width must be even, got {width}")
        options = DartsSpace().check(list(row))[0].tolist()
        stem = STEM * width
        self.stem = nn.Sequential(
            nn.Conv2d(
                check_positive_int("in_channels", in_channels), stem, 3, padding=1, bias=False
            ),
            nn.BatchNorm2d(stem),
        )
        cells = []
        last = stem
        for place in places(check_positive_int("layers", layers), width, 1):
            own = options[NODES:] if place.reduces else options[:NODES]
            cells.append(Cell(own, place))
            last = NODES * place.channels
        self.cells = nn.ModuleList(cells)
        self.classifier = nn.Linear(last, check_positive_int("classes", classes))

    def forward(self, images: Tensor) -> Tensor:
        """``(n, in_channels, h, w)`` to logits ``(n, classes)``."""
        before = last = self.stem(images)
        for cell in self.cells:
            before, last = last, cell(before, last)
        out: Tensor = self.classifier(last.mean(dim=(2, 3)))
        return out
