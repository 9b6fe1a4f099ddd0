import io
from pathlib import Path

import pytest
from rich.console import Console

pytest.importorskip("pyarrow")

from blox_env.cli.views.verdicts import show
from blox_env.experiment.validate import SHOWN, Mismatch, Verdict


def shown(verdict):
    console = Console(file=io.StringIO(), width=100)
    show(console, verdict, f"{verdict.trials} trials")
    return console.file.getvalue()


def test_a_line_for_what_is_valid():
    text = shown(Verdict(Path("a.parquet"), trials=7, notes=("numpy was 1.0",)))
    assert text.startswith("valid  a.parquet (7 trials)")
    assert "numpy was 1.0" in text


def test_rows_that_are_wrong_and_how_many_more():
    wrong = tuple(Mismatch(row, "val_acc", 0.5, 0.25) for row in range(SHOWN + 3))
    text = shown(Verdict(Path("a.parquet"), trials=50, mismatches=wrong))
    assert text.startswith("INVALID  a.parquet")
    assert "and 3 more rows" in text
    assert text.count("val_acc") == SHOWN


def test_why_a_file_could_not_be_validated():
    assert "no such agent" in shown(Verdict(Path("a.parquet"), error="no such agent"))
