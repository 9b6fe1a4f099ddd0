"""Toys that are found by name."""

import pytest

from tests.experiment.made_up import BENCHMARKS, DEVICES


@pytest.fixture(scope="session")
def names():
    """The toys by name, for reports."""
    from blox_env.analysis import background

    with pytest.MonkeyPatch.context() as patch:
        known = background.load_benchmark, background.load_device
        patch.setattr(background, "load_benchmark", lambda n: BENCHMARKS.get(n) or known[0](n))
        patch.setattr(background, "load_device", lambda n: DEVICES.get(n) or known[1](n))
        yield
