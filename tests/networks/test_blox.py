import json

import numpy as np
import pytest
import torch

import blox_env
from blox_env import BloxSpace
from blox_env.networks.blox import BloxNetwork

SPACE = BloxSpace()


def count(network):
    return sum(p.numel() for p in network.parameters())


def test_parameters_equal_the_closed_form_on_all_references(reference):
    for row in json.loads((reference / "blox-params-macs.json").read_text()):
        network = BloxNetwork(SPACE.from_arch_vec(row["arch_vec"]))
        assert count(network) == row["params"]


@pytest.mark.parametrize(("width", "classes", "channels"), [(8, 10, 1), (6, 3, 2)])
def test_other_sizes(width, classes, channels):
    x = SPACE.sample(np.random.default_rng(0), 6)
    expected = SPACE.params(x, width=width, classes=classes, in_channels=channels)
    for row, params in zip(x, expected, strict=True):
        network = BloxNetwork(row, width=width, classes=classes, in_channels=channels)
        assert count(network) == params
        assert network(torch.zeros(2, channels, 16, 16)).shape == (2, classes)


def test_macs_equal_those_counted_while_running():
    from torch.utils.flop_counter import FlopCounterMode

    for row in SPACE.sample(np.random.default_rng(1), 3):
        network = BloxNetwork(row).eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(torch.zeros(1, 3, 32, 32))
        assert counter.get_total_flops() == 2 * SPACE.macs(row)[0]


@pytest.mark.parametrize("number", [b for b in range(45) if not BloxSpace.blocks[b].single])
def test_block_computes_what_its_formula_says(number):
    from blox_env.networks.blox import BlockModule

    block = BloxSpace.blocks[number]
    module = BlockModule(block, 4).double().eval()
    x = torch.randn(2, 4, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    first = module.op1(x)
    source = first * block.prev + x * block.input
    expected = module.op2(source) + first * block.skip
    torch.testing.assert_close(module(x), expected)


def test_build_network_gives_the_network_of_a_row():
    network = blox_env.build_network([1, 2, 3])
    assert network.row == (1, 2, 3)
    assert count(network) == SPACE.params([[1, 2, 3]])[0]


@pytest.mark.parametrize(
    ("row", "arguments", "message"),
    [
        ([0, 0, 45], {}, "slot 2"),
        ([[0, 0, 0], [1, 1, 1]], {}, "one architecture"),
        ([0, 0, 0], {"width": 0}, "width must be at least 1, got 0"),
        ([0, 0, 0], {"width": 7}, "multiple of 2"),
        ([0, 0, 0], {"classes": 0}, "classes must be at least 1"),
    ],
)
def test_bad_arguments(row, arguments, message):
    with pytest.raises(ValueError, match=message):
        BloxNetwork(row, **arguments)


def test_several_blocks_a_stage():
    from torch.utils.flop_counter import FlopCounterMode

    from blox_env.spaces import BloxXLSpace

    space = BloxXLSpace()
    for row in space.sample(np.random.default_rng(2), 3):
        network = space.build_network(row, width=4, classes=10).eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            assert network(torch.zeros(1, 3, 16, 16)).shape == (1, 10)
        assert counter.get_total_flops() == 2 * space.macs(row, width=4, classes=10, image_size=16)
        assert count(network) == space.params(row, width=4, classes=10)
        assert network.row == tuple(row.tolist())


@pytest.mark.parametrize("row", [[0, 1], [0, 1, 2, 3], [], 3, [[0, 1, 2]]])
def test_rows_that_fill_no_stages(row):
    with pytest.raises(ValueError, match="a multiple of 3 blocks"):
        BloxNetwork(row)
