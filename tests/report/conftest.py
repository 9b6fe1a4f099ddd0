"""A report of made-up runs, written once."""

import pytest

from tests.analysis.conftest import names
from tests.experiment.made_up import write_runs

__all__ = ["names"]

AGENTS = ("random-search", "second", "third-agent")


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
