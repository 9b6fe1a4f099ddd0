"""The engine of lockstep training whose every pass over memory is one Triton kernel."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from blox_env.networks import kernels
from blox_env.networks.layers import Engine, Layer, Nets

TILE = 8192  # numbers in a tile of sources, at most
PROGRAMS = 2048  # about so many programs keep a GPU busy


def power(number: int) -> int:
    """Smallest power of two that is not smaller."""
    return 1 << (number - 1).bit_length()


class FusedEngine(Engine):
    """Layers of several networks as Triton kernels.

    Args:
        networks: in training.
        device: where.

    Attributes:
        launches: what would have been launched, where it is a list: then nothing is.
    """

    def __init__(self, networks: int, device: torch.device) -> None:
        self._identity = torch.arange(networks, device=device)
        self.launches: list[tuple[str, tuple[Any, ...], dict[str, Any]]] | None = None

    def _launch(self, name: str, grid: tuple[int, int], *arguments: Any, **rest: Any) -> None:
        if self.launches is not None:
            self.launches.append((name, arguments, rest))
            return
        getattr(kernels, name)[grid](*arguments, **rest)

    def convolve(self, x: Nets, layer: Layer, side: int) -> Tensor:
        """Convolve pictures of ``side`` pixels, adding to the sums of the layer."""
        networks = len(x.index)
        inner = 1 if layer.kernel == 1 else side
        outer = inner // layer.stride
        pixels = x.whole.shape[1] // inner**2 * outer**2
        y = x.whole.new_empty((networks, pixels, layer.c_out))
        identity = self._identity[:networks]
        if layer.depthwise:
            block, rounds, programs = _share(pixels, networks, TILE // 8 // layer.c_out)
            self._launch(
                "depthwise", (programs, networks), x.whole, layer.weight, y, layer.sums, pixels,
                rounds, C=layer.c_out, H=side, W=side, K=layer.kernel, BLOCK=block, BACK=False,
            )  # fmt: skip
            return y
        self._product(
            x, layer, Nets(y, identity), None, (layer.c_in, layer.c_out), outer, inner, back=False
        )
        return y

    def _product(
        self, x: Nets, layer: Layer, out: Nets, add: Nets | None, channels: tuple[int, int],
        side: int, sources: int, *, back: bool,
    ) -> None:  # fmt: skip
        """Launch a convolution, or its gradient by the input, that writes pictures of ``side``."""
        c_a, c_b = channels
        pixels = out.whole.shape[1]
        taps = layer.kernel if c_a < 16 else 1
        columns = max(16, power(taps * c_a))
        size = min(128, TILE // 2 // max(columns, c_b))
        block, rounds, programs = _share(pixels, len(x.index), size)
        other = out if add is None else add
        self._launch(
            "convolve", (programs, len(x.index)), x.whole, x.index, layer.weight, out.whole,
            out.index, other.whole, other.index, layer.sums, pixels, rounds, CA=c_a, CB=c_b,
            H=side, W=side, IH=sources, IW=sources, K=layer.kernel, S=layer.stride, G=taps,
            J=columns, BLOCK=block, BACK=back, ADD=add is not None, num_stages=1,
        )  # fmt: skip

    def convolve_back(
        self, g: Tensor, x: Nets, layer: Layer, side: int, into: Nets | None, add: Nets | None
    ) -> None:
        """Gradients of a convolution; that by its input, plus ``add``, goes into ``into``."""
        networks, pixels, c_out = g.shape
        inner = 1 if layer.kernel == 1 else side
        outer = inner // layer.stride
        identity = self._identity[:networks]
        if layer.depthwise:
            block, rounds, programs = _share(pixels, 5 * networks, TILE // 8 // c_out, 1 << 20)
            self._launch(
                "depthwise_weight", (5 * programs, networks), x.whole, g, layer.weight_gradient,
                pixels, rounds, C=c_out, H=side, W=side, BLOCK=block,
            )  # fmt: skip
            if into is None:
                return
            block, rounds, programs = _share(pixels, networks, TILE // 8 // c_out)
            self._launch(
                "depthwise", (programs, networks), g, layer.weight, into.whole, layer.sums, pixels,
                rounds, C=c_out, H=side, W=side, K=layer.kernel, BLOCK=block, BACK=True,
            )  # fmt: skip
            return
        taps, columns = _taps(layer)
        groups = -(-(layer.kernel**2) // taps)
        block, rounds, programs = _share(
            pixels, groups * networks, TILE // max(columns, c_out), 1 << 20
        )
        self._launch(
            "convolve_weight", (groups * programs, networks), x.whole, x.index, g,
            layer.weight_gradient, pixels, rounds, CI=layer.c_in, CO=c_out, H=outer, W=outer,
            IH=inner, IW=inner, K=layer.kernel, S=layer.stride, G=taps, J=columns, GROUPS=groups,
            BLOCK=block, num_stages=1, num_warps=8 if columns * c_out > TILE else 4,
        )  # fmt: skip
        if into is not None:
            self._product(
                Nets(g, identity), layer, into, add, (c_out, layer.c_in), inner, outer, back=True
            )

    def norm(self, y: Tensor, layer: Layer, train: bool, out: Nets, residual: Nets | None) -> None:
        """Batch norm and ReLU, plus a residual, into ``out``."""
        networks, pixels, c = y.shape
        block, rounds, programs = _share(pixels, networks, TILE // 4 // c)
        other = out if residual is None else residual
        self._launch(
            "norm", (programs, networks), y, out.whole, out.index, other.whole,
            other.index, layer.sums, layer.mean, layer.var, layer.scale, layer.shift, pixels,
            rounds, int(train), C=c, BLOCK=block, ADD=residual is not None,
        )  # fmt: skip

    def norm_back(self, g: Nets, y: Tensor, layer: Layer) -> Tensor:
        """Gradients of batch norm and ReLU, that by ``y`` is returned."""
        networks, pixels, c = y.shape
        block, rounds, programs = _share(pixels, networks, TILE // 4 // c, 1 << 20)
        gradients = layer.scale_gradient, layer.shift_gradient
        self._launch(
            "norm_sums", (programs, networks), g.whole, g.index, y, layer.sums, layer.scale,
            layer.shift, *gradients, pixels, rounds, C=c, BLOCK=block,
        )  # fmt: skip
        out = torch.empty_like(y)
        block, rounds, programs = _share(pixels, networks, TILE // 4 // c)
        self._launch(
            "norm_back", (programs, networks), g.whole, g.index, y, out, layer.sums,
            layer.scale, layer.shift, *gradients, pixels, rounds, C=c, BLOCK=block,
        )  # fmt: skip
        return out

    def pool(self, x: Tensor, area: int, other: Tensor | None = None) -> Tensor:
        """Mean over each picture, or sum of products with another: ``(networks, b, c)``."""
        networks, pixels, c = x.shape
        out = torch.empty((networks, pixels // area, c), device=x.device)
        self._launch(
            "pool", (pixels // area, networks), x, x if other is None else other, out, AREA=area,
            C=c, BLOCK=min(power(area), max(1, TILE // 2 // c)), PRODUCT=other is not None,
        )  # fmt: skip
        return out

    def gate(self, x: Tensor, s: Tensor, area: int, add: Tensor | None = None) -> Tensor:
        """Scale the channels of each picture, plus ``add / area``."""
        networks, pixels, c = x.shape
        block = max(16, TILE // 2 // c)
        out = torch.empty_like(x)
        self._launch(
            "gate", (-(-pixels // block), networks), x, s, s if add is None else add, out, pixels,
            AREA=area, C=c, BLOCK=block, ADD=add is not None,
        )  # fmt: skip
        return out

    def combine(self, a: Tensor, b: Tensor, first: Tensor, second: Tensor, out: Tensor) -> None:
        """Sum where bits of the networks say so; what they exclude may be anything."""
        size = a[0].numel()
        self._launch(
            "combine", (-(-size // 2048), len(a)), a, b, first, second, out, size, BLOCK=2048
        )

    def pictures(
        self, padded: Tensor, start: Tensor, sign: Tensor, border: int, shape: tuple[int, int, int]
    ) -> Tensor:
        """Cut ``(channels, side, filled channels)`` out: ``(networks, pixels, filled)``."""
        channels, side, filled = shape
        pixels = start.shape[1] * side**2
        out = padded.new_empty((len(start), pixels, filled))
        self._launch(
            "pictures", (-(-pixels // 512), len(start)), padded, start, sign, out, pixels, border,
            CHANNELS=channels, C=filled, H=side, W=side, BLOCK=512,
        )  # fmt: skip
        return out


def _share(pixels: int, networks: int, most: int, rounds: int = 8) -> tuple[int, int, int]:
    """Pixels of a block, blocks of a program (at most ``rounds``), programs."""
    block = max(16, min(most, 256))
    blocks = -(-pixels // block)
    each = max(1, min(rounds, blocks * networks // PROGRAMS))
    return block, each, -(-blocks // each)


def _taps(layer: Layer) -> tuple[int, int]:
    """Number of taps that one program of a gradient by weights does, and columns of its product."""
    for taps in (layer.kernel**2, layer.kernel, 1):
        columns = max(16, power(taps * layer.c_in))
        if columns <= 128 and columns * layer.c_out <= TILE:
            return taps, columns
    return 1, max(16, power(layer.c_in))
