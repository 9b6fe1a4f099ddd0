"""perf/estimate_npu.py: what is estimated are the networks that devices are measured with."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from blox_env.spaces.blox import BloxSpace

torch = pytest.importorskip("torch")

PATH = Path(__file__).resolve().parents[2] / "perf" / "estimate_npu.py"
F = torch.nn.functional


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("estimate_npu", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def conv2d(x: Any, weight: np.ndarray, stride: int, padding: Any) -> Any:
    """Tensorflow's convolution, by torch."""
    kernel = torch.from_numpy(np.ascontiguousarray(weight.transpose(3, 2, 0, 1)))
    pad = "same" if padding == "SAME" else padding[1]
    return F.conv2d(x.movedim(-1, 1), kernel, stride=stride, padding=pad).movedim(1, -1)


def depthwise_conv2d(x: Any, weight: np.ndarray, strides: list[int], padding: str) -> Any:
    """Tensorflow's convolution of every channel, by torch."""
    assert (strides, padding) == ([1, 1, 1, 1], "SAME")
    kernel = torch.from_numpy(np.ascontiguousarray(weight.transpose(2, 3, 0, 1)))
    y = F.conv2d(x.movedim(-1, 1), kernel, padding="same", groups=len(kernel))
    return y.movedim(1, -1)


def reduce_mean(x: Any, axes: list[int], keepdims: bool = False) -> Any:
    return x.mean(dim=axes, keepdim=keepdims)


TF = SimpleNamespace(
    nn=SimpleNamespace(conv2d=conv2d, depthwise_conv2d=depthwise_conv2d, relu=torch.relu),
    reduce_mean=reduce_mean,
    sigmoid=torch.sigmoid,
    matmul=lambda x, weight: x @ torch.from_numpy(np.ascontiguousarray(weight)),
)


@pytest.mark.parametrize("row", [[0, 20, 3], [44, 17, 28], [1, 39, 12]])
def test_the_network_that_is_estimated_computes_what_torch_s_does(
    script: ModuleType, row: list[int]
) -> None:
    space = BloxSpace()
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(3)
        network = space.build_network(row, width=script.WIDTH, classes=script.CLASSES).eval()
        image = torch.randn(1, 3, script.SIDE, script.SIDE)
    layers = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]

    def weights(shape: tuple[int, ...]) -> tuple[Any, Any]:
        layer = layers.pop(0)
        assert tuple(layer.weight.shape) == tuple(shape)
        return layer.weight.detach().numpy(), layer.bias.detach()

    with torch.inference_mode():
        found = script.Network(space.check([row])[0], weights, TF)(image.movedim(1, -1))
        expected = network(image)
    assert not layers
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


def test_weights_are_drawn_as_torch_draws_them(script: ModuleType) -> None:
    drawn = script.Drawn(np.random.default_rng(0))
    weight, bias = drawn((64, 32, 3, 3))
    layer = torch.nn.Conv2d(32, 64, 3)
    with torch.no_grad():
        assert np.abs(weight).max() == pytest.approx(float(layer.weight.abs().max()), rel=0.01)
        assert weight.std() == pytest.approx(float(layer.weight.std()), rel=0.05)
    assert drawn.size == weight.size + bias.size
