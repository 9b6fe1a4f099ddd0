"""Layers of networks in lockstep, and the engine that computes them in plain torch.

Activations are ``(networks, pixels, channels)``, so that the pixels of each network lie together.
An engine does every layer of several networks at once; the fused one is
:class:`~blox_env.networks.fused.FusedEngine`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn import functional

EPSILON = 1e-5  # of batch norm
MOMENTUM = 0.1  # of its running statistics


class Nets(NamedTuple):
    """Activations ``(n, pixels, c)`` of which only those of some networks take part."""

    whole: Tensor
    index: Tensor  # type: ignore[assignment]  # hides a method of tuples that nobody calls

    def chosen(self) -> Tensor:
        """Activations of those ``(networks, pixels, c)``."""
        return self.whole.index_select(0, self.index)


@dataclass
class Layer:
    """Convolution, batch norm, ReLU of several networks; gradients are added to where they belong.

    Attributes:
        networks: how many.
        kernel: side of the convolution.
        stride: of the convolution.
        c_in: channels it reads.
        c_out: channels it writes.
        depthwise: whether every channel is convolved on its own.
        weight: each network's in the order ``(c_out, taps, c_in)``, or ``(taps, channels)``.
        scale: of batch norm ``(networks, c_out)``.
        shift: the same.
        weight_gradient: float32.
        scale_gradient: float32.
        shift_gradient: float32.
        sums: over pixels and over their squares ``(networks, 2, c_out)``, zero before a step.
        mean: running mean ``(networks, c_out)``.
        var: running variance.
    """

    networks: int
    kernel: int
    stride: int
    c_in: int
    c_out: int
    depthwise: bool
    weight: Tensor
    scale: Tensor
    shift: Tensor
    weight_gradient: Tensor
    scale_gradient: Tensor
    shift_gradient: Tensor
    sums: Tensor
    mean: Tensor
    var: Tensor

    @property
    def padding(self) -> int:
        """Odd kernels keep the resolution."""
        return self.kernel // 2 if self.kernel % 2 else 0


class Engine(Protocol):
    """Interface of an engine of training in lockstep."""

    def convolve(self, x: Nets, layer: Layer, side: int) -> Tensor:
        """Convolve pictures of ``side`` pixels, adding to the sums of the layer."""

    def convolve_back(
        self, g: Tensor, x: Nets, layer: Layer, side: int, into: Nets | None, add: Nets | None
    ) -> None:
        """Gradients of a convolution; that by its input, plus ``add``, goes into ``into``."""

    def norm(self, y: Tensor, layer: Layer, train: bool, out: Nets, residual: Nets | None) -> None:
        """Batch norm and ReLU, plus a residual, into ``out``."""

    def norm_back(self, g: Nets, y: Tensor, layer: Layer) -> Tensor:
        """Gradients of batch norm and ReLU, that by ``y`` is returned."""

    def pool(self, x: Tensor, area: int, other: Tensor | None = None) -> Tensor:
        """Mean over each picture, or sum of products with another: ``(networks, b, c)``."""

    def gate(self, x: Tensor, s: Tensor, area: int, add: Tensor | None = None) -> Tensor:
        """Scale the channels of each picture, plus ``add / area``."""

    def combine(self, a: Tensor, b: Tensor, first: Tensor, second: Tensor, out: Tensor) -> None:
        """Sum where bits of the networks say so; what they exclude may be anything."""

    def pictures(
        self, padded: Tensor, start: Tensor, sign: Tensor, border: int, shape: tuple[int, int, int]
    ) -> Tensor:
        """Cut ``(channels, side, filled channels)`` out: ``(networks, pixels, filled)``."""


class PlainEngine(Engine):
    """Every function as torch has it, on any device."""

    def convolve(self, x: Nets, layer: Layer, side: int) -> Tensor:
        """Convolve pictures of ``side`` pixels, adding to the sums of the layer."""
        images = _images(x.chosen(), side)
        y = functional.conv2d(
            images, _weight(layer), None, layer.stride, layer.padding, 1, _groups(layer)
        )
        pixels = _pixels(y, layer.networks)
        wide = pixels.float()
        layer.sums += torch.stack([wide.sum(1), wide.square().sum(1)], 1)
        return pixels

    def convolve_back(
        self, g: Tensor, x: Nets, layer: Layer, side: int, into: Nets | None, add: Nets | None
    ) -> None:
        """Gradients of a convolution; that by its input, plus ``add``, goes into ``into``."""
        stride, padding = [layer.stride] * 2, [layer.padding] * 2
        dx, dw, _ = torch.ops.aten.convolution_backward(
            _images(g, side // layer.stride), _images(x.chosen(), side), _weight(layer), None,
            stride, padding, [1, 1], False, [0, 0], _groups(layer), [into is not None, True, False],
        )  # fmt: skip
        if layer.depthwise:
            dw = dw.view(layer.networks, layer.c_out, layer.kernel, layer.kernel)
        layer.weight_gradient += dw.permute(0, 2, 3, 1).reshape(layer.weight_gradient.shape)
        if into is not None:
            result = _pixels(dx, layer.networks)
            if add is not None:
                result = result + add.chosen()
            into.whole.index_copy_(0, into.index, result)

    def norm(self, y: Tensor, layer: Layer, train: bool, out: Nets, residual: Nets | None) -> None:
        """Batch norm and ReLU, plus a residual, into ``out``."""
        mean, var = layer.mean, layer.var
        if train:
            mean, var = _moments(layer, y.shape[1])
            layer.mean.lerp_(mean, MOMENTUM)
            layer.var.lerp_(var * (y.shape[1] / (y.shape[1] - 1)), MOMENTUM)
        z = (_normalised(y, mean, var) * layer.scale[:, None] + layer.shift[:, None]).relu_()
        if residual is not None:
            z += residual.chosen()
        out.whole.index_copy_(0, out.index, z.to(y.dtype))

    def norm_back(self, g: Nets, y: Tensor, layer: Layer) -> Tensor:
        """Gradients of batch norm and ReLU, that by ``y`` is returned."""
        mean, var = _moments(layer, y.shape[1])
        x = _normalised(y, mean, var)
        wide = g.chosen().float() * (x * layer.scale[:, None] + layer.shift[:, None] > 0)
        shift, scale = wide.sum(1, keepdim=True), (wide * x).sum(1, keepdim=True)
        layer.shift_gradient += shift[:, 0]
        layer.scale_gradient += scale[:, 0]
        factor = (layer.scale * torch.rsqrt(var + EPSILON))[:, None]
        result: Tensor = factor * (wide - (shift + x * scale) / y.shape[1])
        return result.to(y.dtype)

    def pool(self, x: Tensor, area: int, other: Tensor | None = None) -> Tensor:
        """Mean over each picture, or sum of products with another: ``(networks, b, c)``."""
        wide = _by_picture(x, area).float()
        return wide.mean(2) if other is None else (wide * _by_picture(other, area)).sum(2)

    def gate(self, x: Tensor, s: Tensor, area: int, add: Tensor | None = None) -> Tensor:
        """Scale the channels of each picture, plus ``add / area``."""
        wide = _by_picture(x, area) * s[:, :, None]
        if add is not None:
            wide += (add / area)[:, :, None]
        return wide.view(x.shape).to(x.dtype)

    def combine(self, a: Tensor, b: Tensor, first: Tensor, second: Tensor, out: Tensor) -> None:
        """Sum where bits of the networks say so; what they exclude may be anything."""
        zero = a.new_zeros(())
        bits = [bit.view(-1, 1, 1) != 0 for bit in (first, second)]
        torch.add(torch.where(bits[0], a, zero), torch.where(bits[1], b, zero), out=out)

    def pictures(
        self, padded: Tensor, start: Tensor, sign: Tensor, border: int, shape: tuple[int, int, int]
    ) -> Tensor:
        """Cut ``(channels, side, filled channels)`` out: ``(networks, pixels, filled)``."""
        channels, side, filled = shape
        across = side + 2 * border
        at = torch.arange(side, device=start.device)
        area = torch.arange(channels, device=start.device) * across**2
        where = (at * across)[:, None, None] + area + start[:, :, None, None, None]
        images = padded.take(where + sign[:, :, None, None, None] * at[:, None])
        return functional.pad(images, (0, filled - channels)).flatten(1, 3)


def _images(x: Tensor, side: int) -> Tensor:
    networks, pixels, c = x.shape
    b = pixels // side**2
    x = x.view(networks, b, side, side, c).permute(1, 0, 4, 2, 3)
    return x.reshape(b, networks * c, side, side)


def _pixels(x: Tensor, networks: int) -> Tensor:
    b, channels, h, w = x.shape
    x = x.reshape(b, networks, channels // networks, h, w).permute(1, 0, 3, 4, 2)
    return x.reshape(networks, b * h * w, channels // networks)


def _weight(layer: Layer) -> Tensor:
    k = layer.kernel
    if layer.depthwise:
        weight = layer.weight.view(layer.networks, k, k, layer.c_out).permute(0, 3, 1, 2)
        return weight.reshape(-1, 1, k, k)
    return layer.weight.view(layer.networks * layer.c_out, k, k, -1).permute(0, 3, 1, 2)


def _groups(layer: Layer) -> int:
    return layer.networks * (layer.c_out if layer.depthwise else 1)


def _moments(layer: Layer, pixels: int) -> tuple[Tensor, Tensor]:
    mean, square = (layer.sums / pixels).unbind(1)
    return mean, (square - mean.square()).clamp_(min=0)


def _normalised(y: Tensor, mean: Tensor, var: Tensor) -> Tensor:
    return (y.float() - mean[:, None]) * torch.rsqrt(var + EPSILON)[:, None]


def _by_picture(x: Tensor, area: int) -> Tensor:
    return x.view(len(x), -1, area, x.shape[2])
