import numpy as np
import pytest

torch = pytest.importorskip("torch")

from blox_env.networks.darts import DartsNetwork, FactorizedReduce
from blox_env.spaces.darts import DartsSpace

SPACE = DartsSpace()
ROWS = SPACE.sample(np.random.default_rng(0), 8)


def counted(network, images):
    """Parameters, and multiply-adds of convolutions and the linear layer of one image."""
    macs = []

    def count(module, _, out):
        pixels = out[0].numel() // out.shape[1] if out.ndim == 4 else 1
        macs.append(module.weight.numel() * pixels)

    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
            module.register_forward_hook(count)
    with torch.no_grad():
        out = network.eval()(images)
    assert out.shape == (1, 10)
    return sum(p.numel() for p in network.parameters()), sum(macs)


@pytest.mark.parametrize("number", range(len(ROWS)))
def test_sizes_equal_those_in_closed_form(number):
    row = ROWS[number]
    layers, side = [(8, 32), (5, 15), (2, 16), (1, 9)][number % 4]
    network = SPACE.build_network(row, width=4, layers=layers)
    params, macs = counted(network, torch.zeros(1, 3, side, side))
    assert SPACE.size_of("params", row, width=4, layers=layers).tolist() == [params]
    made = SPACE.size_of("macs", row, width=4, layers=layers, image_size=side)
    assert made.tolist() == [macs]


def test_defaults_are_those_of_nas_bench_301():
    network = DartsNetwork(ROWS[0].tolist())
    assert sum(p.numel() for p in network.parameters()) == SPACE.size_of("params", ROWS[0])[0]
    assert len(network.cells) == 8


def test_every_parameter_gets_a_gradient():
    network = DartsNetwork(ROWS[1].tolist(), width=4, layers=3)
    network(torch.randn(2, 3, 8, 8)).square().sum().backward()
    used = [p.grad is not None for p in network.parameters()]
    # nodes all leave the cell, so that nothing is left over
    assert all(used)


@pytest.mark.parametrize("side", [7, 8])
def test_halves_are_rounded_up(side):
    assert FactorizedReduce(4, 6)(torch.zeros(1, 4, side, side)).shape == (1, 6, 4, 4)


@pytest.mark.parametrize(("change", "message"), [({"width": 5}, "even"), ({"layers": 0}, "layers")])
def test_bad_argument(change, message):
    with pytest.raises(ValueError, match=message):
        DartsNetwork(ROWS[0].tolist(), **change)
