"""Tampered folders are noticed, and docs/validation.md says so."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyarrow")
pytestmark = pytest.mark.extra

from blox_env.experiment.validate import ULPS, validate_run

DOCS = Path(__file__).resolve().parents[1] / "docs"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("tampered", DOCS / "tampered.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["tampered"] = module
    spec.loader.exec_module(module)
    return module


def test_every_tampered_folder_is_noticed_and_the_page_says_so(script, tmp_path):
    found = {each.done: each for each in script.results(tmp_path)}
    assert len(found) > 50
    assert [each.done for each in found.values() if each.valid] == ["nothing", *script.BEYOND]
    assert all(each.said for each in found.values() if not each.valid)
    lines = (DOCS / "validation.md").read_text().partition(script.BEGIN)[2].splitlines()
    cells = [line.split(" | ")[:2] for line in lines if line.startswith("| ")][2:]
    written = {done.removeprefix("| "): verdict == "valid" for done, verdict in cells}
    assert written == {each.done: each.valid for each in found.values()}, (
        "run `python docs/tampered.py`"
    )


@pytest.mark.parametrize("ulps", [1, ULPS, -ULPS, 40])
def test_derived_numbers_of_another_processor_are_no_fault(script, tmp_path, ulps):
    """As if other instructions had rounded otherwise, in every row."""
    script.make_honest(tmp_path)
    path = script.run_file(tmp_path)
    rewards = script.parquet.read_table(path)["reward"].to_numpy()
    script.seal(path, script.cells(path, "reward", rewards + ulps * np.spacing(rewards)))
    verdict = validate_run(path)
    assert verdict.valid == (abs(ulps) <= ULPS)
    if verdict.valid:
        assert [note for note in verdict.notes if note.startswith("reward: equal but for")]
