"""The whole suite's options and hooks."""

import re
from pathlib import Path

import pytest
from hypothesis import settings

# Machines that run tests are noisy: no example fails for being slow.
settings.register_profile("blox-env", deadline=None)
settings.load_profile("blox-env")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--core-only",
        action="store_true",
        help="no extras here: skip files that import one, and tests marked 'extra'",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--core-only"):
        for item in items:
            if item.get_closest_marker("extra"):
                item.add_marker(pytest.mark.skip(reason="needs an extra"))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector):
    """With --core-only, a test file whose import fails for lack of another package is skipped."""
    report = yield
    if report.failed and collector.config.getoption("--core-only"):
        missing = re.search(r"(?:No module named|needs) '(\w+)", str(report.longrepr))
        if missing and missing[1] != "blox_env":
            report.outcome = "skipped"
            report.longrepr = (str(collector.path), 0, f"Skipped: needs {missing[1]}")
    return report


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of reference facts; tests that need it are skipped where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "reference"
    if not folder.is_dir():
        pytest.skip("the folder of reference facts is absent")
    return folder
