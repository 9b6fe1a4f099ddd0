"""A report of made-up runs, written once."""

import pytest

from tests.experiment.made_up import BENCHMARKS, DEVICES, write_runs

AGENTS = ("random-search", "second", "third-agent")


@pytest.fixture(scope="session")
def names():
    """The toys by name, for reports."""
    from blox_env.report import ground

    with pytest.MonkeyPatch.context() as patch:
        known = ground.load_benchmark, ground.load_device
        patch.setattr(ground, "load_benchmark", lambda n: BENCHMARKS.get(n) or known[0](n))
        patch.setattr(ground, "load_device", lambda n: DEVICES.get(n) or known[1](n))
        yield


@pytest.fixture(scope="session")
def folder(tmp_path_factory, names):
    """Three agents with six runs each on one problem whose architectures can be drawn."""
    from blox_env.report import write_report

    folder = tmp_path_factory.mktemp("experiment")
    write_runs(folder, AGENTS, "blox-board", seeds=6, benchmark="blox-toy")
    write_report(folder)
    return folder


@pytest.fixture(scope="session")
def two_problems(tmp_path_factory, names):
    """Two agents on two problems, one of them without a device, in a space that is not Blox."""
    from blox_env.report import write_report

    folder = tmp_path_factory.mktemp("two-problems")
    write_runs(folder)
    write_runs(folder, device=None)
    write_report(folder)
    return folder
