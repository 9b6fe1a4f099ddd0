"""Kernels, run by Triton's interpreter, compute what torch does."""

import os
from dataclasses import fields

import pytest

torch = pytest.importorskip("torch")
os.environ["TRITON_INTERPRET"] = "1"  # read when Triton is imported
pytest.importorskip("triton")

import numpy as np
import triton.language as tl
from triton.runtime import interpreter

from blox_env.networks.fused import FusedEngine
from blox_env.networks.layers import Layer, Nets, PlainEngine

NETWORKS, CHOSEN = 3, torch.tensor([2, 0])
TOLERANCE = {torch.bfloat16: 1e-2, torch.float32: 1e-4}
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _bfloat16_products(monkeypatch):
    """The interpreter multiplies the bits of bfloat16 numbers."""
    dot = interpreter.InterpreterBuilder.create_dot

    def widen(handle):
        if handle.dtype.scalar != tl.bfloat16:
            return handle
        wide = (handle.data.astype(np.uint32) << 16).view(np.float32)
        return interpreter.TensorHandle(wide, tl.float32)

    monkeypatch.setattr(
        interpreter.InterpreterBuilder,
        "create_dot",
        lambda self, a, b, *rest: dot(self, widen(a), widen(b), *rest),
    )


def make(kernel, stride, c_in, c_out, depthwise, number):
    n, taps = len(CHOSEN), kernel**2
    rng = torch.Generator().manual_seed(0)
    inner = taps * (1 if depthwise else c_in)
    weight = torch.randn(n, c_out * inner, generator=rng) / inner**0.5
    scale, shift = torch.rand(n, c_out, generator=rng) + 0.5, torch.randn(n, c_out, generator=rng)
    zeros = [torch.zeros(s) for s in (weight.shape, (n, c_out), (n, c_out), (n, 2, c_out))]
    running = torch.zeros(n, c_out), torch.ones(n, c_out)
    return Layer(
        n, kernel, stride, c_in, c_out, depthwise, weight.to(number), scale, shift, *zeros, *running
    )  # fmt: skip


def wide(layer):
    values = [getattr(layer, f.name) for f in fields(Layer)]
    return Layer(*(v.float().clone() if isinstance(v, torch.Tensor) else v for v in values))


def close(found, expected, number):
    far = (found.double() - expected.double()).norm() / expected.double().norm()
    assert far <= TOLERANCE[number]


def poisoned(*shape, number):
    return torch.full(shape, float("nan"), dtype=number)


@pytest.mark.parametrize("number", list(TOLERANCE))
@pytest.mark.parametrize(
    ("kernel", "stride", "c_in", "c_out", "side", "batch"),
    [
        (3, 1, 8, 8, 4, 3),
        (3, 1, 16, 8, 4, 3),
        (3, 2, 8, 16, 8, 3),
        (2, 2, 16, 32, 4, 5),
        (1, 1, 8, 4, 4, 7),
        (1, 1, 32, 64, 2, 3),
        (3, 1, 64, 64, 2, 3),
        (5, 1, 4, 4, 4, 3),
        (5, 1, 16, 16, 8, 3),
    ],
)
def test_layers(kernel, stride, c_in, c_out, side, batch, number):
    depthwise = kernel == 5
    fused, plain = FusedEngine(NETWORKS, CPU), PlainEngine()
    layer = make(kernel, stride, c_in, c_out, depthwise, number)
    other = wide(layer)
    before, after = batch * side**2, batch * (side // stride) ** 2
    rng = torch.Generator().manual_seed(1)
    index = torch.arange(2) if depthwise else CHOSEN
    x = torch.randn(2 if depthwise else NETWORKS, before, c_in, generator=rng).to(number)
    y = fused.convolve(Nets(x, index), layer, side)
    expected = plain.convolve(Nets(x.float(), index), other, side)
    close(y, expected, number)
    close(layer.sums, other.sums, number)
    layer.sums.copy_(other.sums)
    y = expected.to(number).contiguous()
    residual = torch.randn(NETWORKS, after, c_out, generator=rng).to(number)
    for train, add in ((True, residual), (False, None)):
        outs = [poisoned(NETWORKS, after, c_out, number=n) for n in (number, torch.float32)]
        nets = [None if add is None else Nets(add.to(o.dtype), CHOSEN) for o in outs]
        fused.norm(y, layer, train, Nets(outs[0], CHOSEN), nets[0])
        plain.norm(y.float(), other, train, Nets(outs[1], CHOSEN), nets[1])
        close(outs[0][CHOSEN], outs[1][CHOSEN], number)
        assert outs[0][1].isnan().all()  # of the network that takes no part
        close(layer.mean, other.mean, number)
        close(layer.var, other.var, number)
    g = torch.randn(NETWORKS, after, c_out, generator=rng).to(number)
    d = fused.norm_back(Nets(g, CHOSEN), y, layer)
    expected = plain.norm_back(Nets(g.float(), CHOSEN), y.float(), other)
    close(d, expected, number)
    close(layer.scale_gradient, other.scale_gradient, number)
    close(layer.shift_gradient, other.shift_gradient, number)
    d = expected.to(number).contiguous()
    into, aim = (poisoned(*x.shape, number=n) for n in (number, torch.float32))
    add = None if depthwise else torch.randn(x.shape, generator=rng).to(number)
    for engine, of, target in ((fused, layer, into), (plain, other, aim)):
        more = None if add is None else Nets(add.to(target.dtype), index)
        inputs = Nets(x.to(target.dtype), index)
        engine.convolve_back(d.to(target.dtype), inputs, of, side, Nets(target, index), more)
    close(into[index], aim[index], number)
    close(layer.weight_gradient, other.weight_gradient, number)


@pytest.mark.parametrize("number", list(TOLERANCE))
@pytest.mark.parametrize(("area", "c", "batch"), [(4, 128, 3), (64, 16, 5)])
def test_pictures_as_a_whole(area, c, batch, number):
    fused, plain = FusedEngine(NETWORKS, CPU), PlainEngine()
    x, y = (torch.randn(NETWORKS, batch * area, c).to(number) for _ in range(2))
    s, more = torch.rand(NETWORKS, batch, c), torch.randn(NETWORKS, batch, c)
    close(fused.pool(x, area), plain.pool(x.float(), area), number)
    close(fused.pool(x, area, y), plain.pool(x.float(), area, y.float()), number)
    close(fused.gate(x, s, area), plain.gate(x.float(), s, area), number)
    close(fused.gate(x, s, area, more), plain.gate(x.float(), s, area, more), number)


def test_combine_does_not_read_what_bits_exclude():
    a, b = torch.randn(2, 4, 300, 8)
    first, second = torch.tensor([1, 0, 1, 0]).int(), torch.tensor([1, 1, 0, 0]).int()
    a[1], b[2] = float("nan"), float("nan")
    expected = torch.empty_like(a)
    PlainEngine().combine(a, b, first, second, expected)
    assert not expected.isnan().any()
    FusedEngine(4, CPU).combine(a, b, first, second, a)
    assert torch.equal(a, expected)


def test_pictures_are_cut_out():
    padded = torch.randn(10 * 3 * 12 * 12)
    start = torch.randint(8, 3 * 144 * 8, (4, 5))
    sign = torch.randint(0, 2, (4, 5)) * 2 - 1
    arguments = padded, start, sign, 2, (3, 8, 8)
    found = FusedEngine(4, CPU).pictures(*arguments)
    assert torch.equal(found, PlainEngine().pictures(*arguments))
