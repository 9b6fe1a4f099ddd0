"""Networks before their first step."""

import pytest

torch = pytest.importorskip("torch")

from blox_env.networks.initial import new_network
from blox_env.networks.tasks import load_task

pytestmark = pytest.mark.extra


def weights(seed, gain=1.0, state=0):
    torch.manual_seed(state)
    network = new_network(
        (1, 2, 20), load_task("digits"), torch.Generator().manual_seed(seed), gain
    )
    return torch.cat([p.flatten() for p in network.parameters()])


def test_weights_depend_on_the_generator_alone():
    with torch.random.fork_rng(devices=[]):
        assert torch.equal(weights(0, state=1), weights(0, state=2))
        assert not torch.equal(weights(0), weights(1))


def test_residual_branches_start_at_the_gain():
    with torch.random.fork_rng(devices=[]):
        low, high = weights(0, 0.25), weights(0, 1.0)
    changed = low != high
    assert changed.any()
    assert set(low[changed].tolist()) == {0.25}
    assert set(high[changed].tolist()) == {1.0}
