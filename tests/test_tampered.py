"""Tampered folders are noticed, and docs/validation.md says so."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyarrow")
pytestmark = pytest.mark.extra

from pyarrow import parquet

from blox_env.experiment.validate import ULPS, validate_run
from docs import tampered, tampering

DOCS = Path(__file__).resolve().parents[1] / "docs"


def test_every_tampered_folder_is_noticed_and_the_page_says_so(tmp_path):
    found = {each.done: each for each in tampered.results(tmp_path)}
    assert len(found) > 50
    assert [each.done for each in found.values() if each.valid] == ["nothing", *tampered.BEYOND]
    assert all(each.said for each in found.values() if not each.valid)
    lines = (DOCS / "validation.md").read_text().partition(tampered.BEGIN)[2].splitlines()
    cells = [line.split(" | ")[:2] for line in lines if line.startswith("| ")][2:]
    written = {done.removeprefix("| "): verdict == "valid" for done, verdict in cells}
    assert written == {each.done: each.valid for each in found.values()}, (
        "run `python -m docs.tampered`"
    )


@pytest.mark.parametrize("ulps", [1, ULPS, -ULPS, 40])
def test_derived_numbers_of_another_processor_are_no_fault(tmp_path, ulps):
    """As if other instructions had rounded otherwise, in every row."""
    tampering.make_honest(tmp_path)
    path = tampering.run_file(tmp_path)
    rewards = parquet.read_table(path)["reward"].to_numpy()
    tampering.seal(path, tampering.cells(path, "reward", rewards + ulps * np.spacing(rewards)))
    verdict = validate_run(path)
    assert verdict.valid == (abs(ulps) <= ULPS)
    if verdict.valid:
        assert [note for note in verdict.notes if note.startswith("reward: equal but for")]
