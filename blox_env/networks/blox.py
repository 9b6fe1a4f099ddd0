"""The Blox networks as torch modules (Chau et al., NeurIPS 2022, appendix)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor, nn

from blox_env.ground.errors import check_positive_int
from blox_env.spaces.blox import BLOCKS, STAGES, Block
from blox_env.spaces.blox.counts import BOTTLENECK
from blox_env.spaces.blox.stages import BlockSpace


def conv_bn_relu(c_in: int, c_out: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Module:
    """Convolution with bias, batch norm, ReLU; odd kernels keep the resolution at stride 1.

    Args:
        c_in: channels of the input.
        c_out: channels of the output.
        kernel: side of the kernel.
        stride: of the convolution.
        groups: of the convolution.
    """
    padding = kernel // 2 if kernel % 2 else 0
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, kernel, stride, padding, groups=groups),
        nn.BatchNorm2d(c_out),
        nn.ReLU(inplace=True),
    )


class Conv(nn.Sequential):
    """Operation 0: four 3×3 convolutions."""

    def __init__(self, c: int) -> None:
        super().__init__(*(conv_bn_relu(c, c, 3) for _ in range(4)))


class SqueezeExcitation(nn.Module):
    """Scales channels by a function of their means: 1×1, ReLU, 1×1, sigmoid."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(c, c, 1), nn.ReLU(), nn.Conv2d(c, c, 1), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(n, c, h, w)`` to the same."""
        scaled: Tensor = x * self.gate(x)
        return scaled


class MBConv(nn.Module):
    """Operation 1: twice an inverted bottleneck with squeeze-excitation and residual."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(
                conv_bn_relu(c, 2 * c, 3), SqueezeExcitation(2 * c), conv_bn_relu(2 * c, c, 1)
            )
            for _ in range(2)
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(n, c, h, w)`` to the same."""
        for branch in self.branches:
            x = x + branch(x)
        return x


class BConv(nn.Module):
    """Operation 2: six depthwise 5×5 bottlenecks with residual."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(
                conv_bn_relu(c, b, 1), conv_bn_relu(b, b, 5, groups=b), conv_bn_relu(b, c, 1)
            )
            for b in (int(c / ratio) for ratio in BOTTLENECK)
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(n, c, h, w)`` to the same."""
        for branch in self.branches:
            x = x + branch(x)
        return x


OPERATION_MODULES: tuple[type[nn.Module], ...] = (Conv, MBConv, BConv)


class BlockModule(nn.Module):
    """A block: one operation, or two joined by the connection bits."""

    def __init__(self, block: Block, c: int) -> None:
        super().__init__()
        self.block = block
        self.op1 = None if block.single else OPERATION_MODULES[block.op1](c)
        self.op2 = OPERATION_MODULES[block.op2](c)

    def forward(self, x: Tensor) -> Tensor:
        """``(n, c, h, w)`` to the same."""
        return joined(self.block, self.op1, self.op2, x)


def joined(block: Block, op1: nn.Module | None, op2: nn.Module, x: Tensor) -> Tensor:
    """The output of a block for its input.

    Args:
        block: how its operations are connected.
        op1: the first operation, None for a block of one.
        op2: the other one.
        x: the input ``(n, c, h, w)``.
    """
    if op1 is None:
        out: Tensor = op2(x)
        return out
    first = op1(x)
    if not block.prev:
        source = x
    elif block.input:
        source = first + x
    else:
        source = first
    out = op2(source)
    return out + first if block.skip else out


class Reduction(nn.Module):
    """Halves the resolution and doubles the channels: 3×3 stride 2 then 3×3, beside a 2×2."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            conv_bn_relu(c, 2 * c, 3, stride=2), conv_bn_relu(2 * c, 2 * c, 3)
        )
        self.project = conv_bn_relu(c, 2 * c, 2, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """``(n, c, h, w)`` to ``(n, 2c, h/2, w/2)``."""
        out: Tensor = self.main(x) + self.project(x)
        return out


class BloxNetwork(nn.Sequential):
    """Stem, three times blocks and a reduction, average pooling, linear classifier.

    Args:
        row: block numbers, ``(3,)`` for Blox or ``(12,)`` for BloxXL, stage by stage.
        width: channels of the stem (upstream: 32); a multiple of 2.
        classes: number of classes (upstream: 100).
        in_channels: channels of the images.

    Images are ``(n, in_channels, h, w)`` with h and w multiples of 8 (upstream: 32).
    """

    def __init__(
        self,
        row: np.ndarray | Sequence[int],
        *,
        width: int = 32,
        classes: int = 100,
        in_channels: int = 3,
    ) -> None:
        if check_positive_int("width", width) % 2:
            raise ValueError(f"width must be a multiple of 2, got {width}")
        check_positive_int("classes", classes)
        depth, over = divmod(np.shape(row)[-1] if np.ndim(row) else 0, STAGES)
        if np.ndim(row) != 1 or over or not depth:
            raise ValueError(
                f"row must be one architecture, a multiple of {STAGES} blocks, got shape "
                f"{np.shape(row)}"
            )
        numbers = BlockSpace(depth, "blocks").check(row)[0].tolist()
        stages: list[nn.Module] = []
        for stage in range(STAGES):
            c, own = width << stage, numbers[stage * depth : (stage + 1) * depth]
            stages += [*(BlockModule(BLOCKS[number], c) for number in own), Reduction(c)]
        super().__init__(
            conv_bn_relu(in_channels, width, 3),
            *stages,
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(width << STAGES, classes),
        )
        self.row = tuple(numbers)
