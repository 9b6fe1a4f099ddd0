from __future__ import annotations

from blox_env.devices.runtimes import load_runtime
from tests.devices.runtimes.networks import network, torch


def test_equal_seeds_give_equal_networks() -> None:
    runtime = load_runtime("torch-cpu")
    for a, b in zip(network(runtime).parameters(), network(runtime).parameters(), strict=True):
        assert torch.equal(a, b)
