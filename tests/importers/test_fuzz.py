"""Mutated release files: refused with the file's name or imported whole, and nothing else happens.

An input is made from its format and number alone; a failure says the number.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INPUTS = 20_000  # of each format


def fuzz(form, count, folder):
    pytest.importorskip("resource")  # limits of memory
    done = subprocess.run(
        [sys.executable, "-m", "tests.importers.fuzz_child", form, "0", str(count), str(folder)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["failures"] == []
    assert not found["code_ran"]
    assert found["peak_mb"] < 1024
    assert found["refused"] + found["imported"] == count
    assert found["refused"] > found["imported"]
    return found


@pytest.mark.fuzz
@pytest.mark.parametrize("form", ["csv", "pickle", "custom", "json"])
def test_mutated_files(form, tmp_path):
    found = fuzz(form, INPUTS, tmp_path)
    sys.stdout.write(f"{form}: {found}\n")


def test_some_mutated_files(tmp_path):
    """A taste of the above in the fast suite."""
    for form in ("csv", "pickle", "custom"):
        (tmp_path / form).mkdir()
        fuzz(form, 40, tmp_path / form)
