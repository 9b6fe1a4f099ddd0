"""The forward and the backward pass of different Blox networks side by side.

Every part of the forward pass returns what it did and the function that takes gradients back
through it; gradients by parameters are added to where they belong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from blox_env.ground.errors import unknown_name
from blox_env.networks.layers import Engine, Layer, Nets, PlainEngine
from blox_env.networks.run import DeviceTask
from blox_env.spaces.blox import STAGES

ENGINES = ("plain", "fused")

# takes the gradient by the results, where that by the input goes, and what is added to the latter
Back = Callable[[Nets, Nets | None, Nets | None], None]


def new_engine(name: str | None, networks: int, device: torch.device, width: int) -> Engine:
    """The engine of a name; None is the fused one on a GPU.

    Args:
        name: one of :data:`ENGINES`, or None.
        networks: in training.
        device: where.
        width: channels of the stem.

    Raises:
        ValueError: for an unknown name, or a width that the fused engine cannot do.
    """
    name = name or ("fused" if device.type == "cuda" else "plain")
    if name not in ENGINES:
        raise ValueError(unknown_name("engine", name, ENGINES))
    if name == "plain":
        return PlainEngine()
    if width < 8 or width & (width - 1):
        raise ValueError(f"width must be 8, 16, 32, … for the fused engine, got {width}")
    from blox_env.networks.fused import FusedEngine

    return FusedEngine(networks, device)


class Networks:
    """Layers of different networks, and how they are connected; made by its subclass."""

    data: DeviceTask
    engine: Engine
    training: bool
    _side: int
    _identity: Tensor
    _values: list[Tensor]
    _gradients: list[Tensor]
    _stem: Layer
    _slots: list[list[list[tuple[Tensor, int, list[Any]]]]]
    _bits: list[dict[str, Tensor]]
    _reductions: list[list[Layer]]

    def _new(self, networks: int, pixels: int, channels: int) -> Nets:
        """Room for activations."""
        shape = (networks, pixels, channels)
        whole = torch.empty(shape, dtype=self.data.number, device=self.data.device)
        return Nets(whole, self._identity[:networks])

    def _cbr(
        self,
        x: Nets,
        layer: Layer,
        side: int,
        out: Nets | None = None,
        residual: Nets | None = None,
    ) -> tuple[Nets, Back]:
        """Convolution, batch norm, ReLU, plus a residual."""
        engine = self.engine
        y = engine.convolve(x, layer, side)
        if out is None:
            out = self._new(*y.shape) if self.training else Nets(y, self._identity[: len(y)])
        engine.norm(y, layer, self.training, out, residual)
        if not self.training:
            return out, _nothing

        def back(g: Nets, into: Nets | None, add: Nets | None) -> None:
            engine.convolve_back(engine.norm_back(g, y, layer), x, layer, side, into, add)

        return out, back

    def _chain(
        self, x: Nets, layers: list[Layer], side: int, out: Nets, residual: Nets | None = None
    ) -> Back:
        """Several layers, one after the other, into ``out``."""
        backs, sizes = [], []
        for layer in layers:
            sizes.append((len(x.index), x.whole.shape[1], layer.c_in))
            last = layer is layers[-1]
            x, one = self._cbr(x, layer, side, out if last else None, residual if last else None)
            backs.append(one)

        def back(g: Nets, into: Nets | None, add: Nets | None) -> None:
            for one, size in zip(backs[:0:-1], sizes[:0:-1], strict=True):
                inside = self._new(*size)
                one(g, inside, None)
                g = inside
            backs[0](g, into, add)

        return back

    def _excite(
        self, x: Nets, branch: tuple[Layer, tuple[int, ...], Layer], side: int, out: Nets
    ) -> Back:
        """A layer, squeeze-excitation, a layer."""
        first, squeeze, last = branch
        inside, back_first = self._cbr(x, first, side)
        means = self.engine.pool(inside.whole, side**2)
        w1, b1, w2, b2 = (self._values[i] for i in squeeze)
        c = means.shape[2]
        w1, w2 = w1.view(-1, c, c), w2.view(-1, c, c)
        hidden = torch.baddbmm(b1[:, None], means, w1.transpose(1, 2)).relu_()
        scale = torch.baddbmm(b2[:, None], hidden, w2.transpose(1, 2)).sigmoid_()
        gated = Nets(self.engine.gate(inside.whole, scale, side**2), inside.index)
        _, back_last = self._cbr(gated, last, side, out, x)
        if not self.training:
            return _nothing

        def back(g: Nets, into: Nets | None, add: Nets | None) -> None:
            outer = self._new(*gated.whole.shape)
            back_last(g, outer, None)
            d = self.engine.pool(outer.whole, side**2, inside.whole)
            d = d.mul_(scale * (1 - scale))
            dw1, db1, dw2, db2 = (self._gradients[i] for i in squeeze)
            torch.bmm(d.transpose(1, 2), hidden, out=dw2.view(-1, c, c))
            torch.sum(d, 1, out=db2)
            d = torch.bmm(d, w2).mul_(hidden > 0)
            torch.bmm(d.transpose(1, 2), means, out=dw1.view(-1, c, c))
            torch.sum(d, 1, out=db1)
            d = self.engine.gate(outer.whole, scale, side**2, torch.bmm(d, w1))
            back_first(Nets(d, inside.index), into, add)

        return back

    def _apply(self, x: Nets, kind: int, branches: list[Any], side: int, out: Nets) -> Back:
        """One operation of some networks."""
        if kind == 0:
            return self._chain(x, branches[0], side, out)
        backs: list[Back] = []
        size = (len(x.index), *x.whole.shape[1:])
        for branch in branches:
            target = out if branch is branches[-1] else self._new(*size)
            if kind == 1:
                backs.append(self._excite(x, branch, side, target))
            else:
                backs.append(self._chain(x, branch, side, target, x))
            x = target

        def back(g: Nets, into: Nets | None, add: Nets | None) -> None:
            for one in backs[:0:-1]:
                inside = self._new(*size)
                one(g, inside, g)
                g = inside
            backs[0](g, into, g)

        return back

    def _slot(self, x: Nets, stage: int, slot: int, side: int) -> tuple[Nets, Back]:
        """The operations of all networks in one place of their blocks."""
        out = self._new(*x.whole.shape)
        backs = [
            (members, self._apply(Nets(x.whole, members), kind, branches, side,
                                  Nets(out.whole, members)))
            for members, kind, branches in self._slots[stage][slot]
        ]  # fmt: skip

        def back(g: Nets, into: Nets | None, add: Nets | None) -> None:
            for members, one in backs:
                inside = None if into is None else Nets(into.whole, members)
                one(Nets(g.whole, members), inside, None)

        return out, back

    def _block(self, x: Nets, stage: int, side: int) -> tuple[Nets, Back]:
        """A block of every network."""
        if not self._slots[stage][0]:
            return self._slot(x, stage, 1, side)
        engine, bits, size = self.engine, self._bits[stage], x.whole.shape
        first, back_first = self._slot(x, stage, 0, side)
        source = self._new(*size)
        engine.combine(x.whole, first.whole, bits["plain"], bits["source"], source.whole)
        out, back_second = self._slot(source, stage, 1, side)
        engine.combine(out.whole, first.whole, bits["one"], bits["skip"], out.whole)

        def back(g: Nets, into: Nets | None, add: Nets | None) -> None:
            assert into is not None
            second, middle = self._new(*size), self._new(*size)
            back_second(g, second, None)
            engine.combine(second.whole, g.whole, bits["source"], bits["skip"], middle.whole)
            back_first(middle, into, None)
            engine.combine(into.whole, second.whole, bits["pair"], bits["plain"], into.whole)

        return out, back

    def _reduce(self, x: Nets, stage: int, side: int) -> tuple[Nets, Back]:
        """The reduction after a block."""
        down, again, project = self._reductions[stage]
        beside, back_project = self._cbr(x, project, side)
        inside, back_down = self._cbr(x, down, side)
        out, back_again = self._cbr(inside, again, side // 2, residual=beside)

        def back(g: Nets, into: Nets | None, add: Nets | None) -> None:
            middle = self._new(*out.whole.shape)
            back_again(g, middle, None)
            back_down(middle, into, None)
            back_project(g, into, into)

        return out, back

    def forward(self, x: Nets) -> tuple[Tensor, Callable[[Tensor], None]]:
        """Features ``(networks, b, c)`` of pictures, and what takes their gradient back."""
        side = self._side
        x, back = self._cbr(x, self._stem, side)
        backs, sizes = [back], [x.whole.shape]
        for stage in range(STAGES):
            x, back = self._block(x, stage, side)
            backs.append(back)
            sizes.append(x.whole.shape)
            x, back = self._reduce(x, stage, side)
            backs.append(back)
            sizes.append(x.whole.shape)
            side //= 2
        area = side**2

        def back_all(gradient: Tensor) -> None:
            g = self._new(*sizes[-1])
            wide = (gradient / area)[:, :, None].expand(-1, -1, area, -1)
            g.whole.view(wide.shape).copy_(wide)
            for one, size in zip(backs[:0:-1], sizes[-2::-1], strict=True):
                into = self._new(*size)
                one(g, into, None)
                g = into
            backs[0](g, None, None)

        return self.engine.pool(x.whole, area), back_all


def _nothing(g: Nets, into: Nets | None, add: Nets | None) -> None:
    """Evaluation has no way back."""
