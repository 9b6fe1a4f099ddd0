"""Peak activation memory against the liveness of tensors in a traced network."""

import operator

import numpy as np
import pytest
import torch
from torch import fx, nn
from torch.fx.passes.shape_prop import ShapeProp

from blox_env import BloxSpace
from blox_env.networks.blox import BloxNetwork

SPACE = BloxSpace()
ELEMENTWISE = (nn.BatchNorm2d, nn.ReLU, nn.Sigmoid, operator.add, operator.mul)
NEW = (nn.Conv2d, nn.AdaptiveAvgPool2d, nn.Linear)
VIEWS = (nn.Flatten,)


def traced_peak(row, side, **sizes):
    """Most bytes alive at once, node by node of the graph that ``forward()`` makes."""
    traced = fx.symbolic_trace(BloxNetwork(row, **sizes).eval())
    with torch.no_grad():
        ShapeProp(traced).propagate(torch.zeros(1, sizes["in_channels"], side, side))
    nodes = list(traced.graph.nodes)
    last = {node: k for k, node in enumerate(nodes) for node in node.all_input_nodes}
    buffers, live, peak = {}, {}, 0  # node -> its buffer; buffer -> (bytes, nodes that need it)
    for k, node in enumerate(nodes):
        if node.op == "output":
            break
        what = node.target if node.op == "call_function" else None
        if node.op == "call_module":
            what = type(traced.get_submodule(node.target))
        size = node.meta["tensor_meta"].shape.numel() * node.meta["tensor_meta"].dtype.itemsize
        over = None
        if what in ELEMENTWISE or what in VIEWS:
            for operand in node.all_input_nodes:
                needed = max(last[other] for other in live[buffers[operand]][1])
                if live[buffers[operand]][0] == size and needed == k:
                    over = buffers[operand]
        else:
            assert what in NEW or node.op == "placeholder", node
        buffers[node] = node if over is None else over
        live.setdefault(buffers[node], (size, []))[1].append(node)
        peak = max(peak, sum(size for size, _ in live.values()))
        live = {
            buffer: (size, readers)
            for buffer, (size, readers) in live.items()
            if max(last[reader] for reader in readers) > k
        }
    return peak


def agree(x, side, **sizes):
    found = SPACE.peak_activation_bytes(x, image_size=side, **sizes)
    assert found.dtype == np.int64
    for row, peak in zip(x, found, strict=True):
        assert traced_peak(row, side, **sizes) == peak, row
    return set(found.tolist())


SMALL = {"width": 4, "classes": 10, "in_channels": 1}


def test_closed_form_equals_the_liveness_of_traced_networks():
    every_block = np.arange(45)[:, None].repeat(3, axis=1)
    x = np.concatenate([every_block, SPACE.sample(np.random.default_rng(0), 5)])
    a = 4 * 4 * 16**2  # bytes of a block's input
    assert agree(x, 16, **SMALL) == {2 * a, 3 * a, 4 * a, 5 * a, 6 * a}


def test_at_full_size():
    agree([[0, 44, 12], [33, 3, 7]], 32, width=32, classes=100, in_channels=3)


def test_a_later_stage_counts_after_a_slim_first_one():
    x = np.zeros((9, 3), dtype=int)
    x[:, 1] = np.arange(0, 45, 5)
    assert len(agree(x, 16, **SMALL)) > 1


@pytest.mark.parametrize(
    ("sizes", "side"),
    [
        ({"width": 2, "classes": 5000, "in_channels": 1}, 8),  # the classifier
        ({"width": 2, "classes": 3, "in_channels": 40}, 16),  # the image
        ({"width": 6, "classes": 10, "in_channels": 1}, 8),  # squeeze-excitation on 2 × 2
    ],
)
def test_other_sizes(sizes, side):
    agree(SPACE.sample(np.random.default_rng(1), 4), side, **sizes)
