"""Every row of docs/trainers.md trains, where its library is."""

import importlib.util
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.clients
FILE = Path(__file__).parents[2] / "perf" / "trainers.py"


def loaded():
    spec = importlib.util.spec_from_file_location("trainers", FILE)
    module = sys.modules.setdefault("trainers", importlib.util.module_from_spec(spec))
    spec.loader.exec_module(module)
    return module


trainers = loaded()


@pytest.mark.parametrize("row", trainers.ROWS, ids=lambda row: row.key)
def test_row(row):
    if missing := row.missing():
        pytest.skip(f"needs {', '.join(missing)}")
    found = trainers.measure(row, seconds=0)
    assert found["steps"] >= row.chunk
    assert found["seconds"] > 0
    assert all(found["versions"].values())
