"""Run files with one random byte changed: read as they were, or not at all (`make fuzz`)."""

import numpy as np
import pytest

pytest.importorskip("pyarrow")

from blox_env.experiment.results import read_facts, read_run
from tests.experiment.made_up import write_runs

pytestmark = pytest.mark.fuzz
COPIES = 10_000


def test_no_changed_byte_is_silently_wrong(tmp_path):
    write_runs(tmp_path, agents=("first",), seeds=1)
    path = next(tmp_path.glob("runs/*.parquet"))
    whole = path.read_bytes()
    true = read_run(path)
    rng = np.random.default_rng(0)
    refused, read = 0, []
    for place, change in zip(
        rng.integers(len(whole), size=COPIES), rng.integers(1, 256, size=COPIES), strict=True
    ):
        changed = bytearray(whole)
        changed[place] ^= change
        path.write_bytes(bytes(changed))
        try:
            run = read_run(path)
        except ValueError as error:
            refused += str(path) in str(error)
            continue
        read.append(place)
        assert run.facts == true.facts == read_facts(path)
        np.testing.assert_array_equal(run.x, true.x)
        assert run.columns.keys() == true.columns.keys()
        for name, column in run.columns.items():
            np.testing.assert_array_equal(column, true.columns[name])
    assert len(read) + refused == COPIES  # an error names the file
    assert refused > COPIES / 2
