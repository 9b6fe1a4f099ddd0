import csv

import pytest
from typer.testing import CliRunner

pytest.importorskip("matplotlib")

from blox_env.cli import app


def test_a_table_and_a_picture_are_written(tmp_path):
    command = ["rewards", "--targets", "0.25,3.5ms", "--rewards", "tunas,linear(weight=0.2)"]
    done = CliRunner().invoke(app, [*command, "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader((tmp_path / "rewards.csv").read_text().splitlines()))
    assert {row["reward"] for row in rows} == {"tunas", "linear(weight=0.2)"}
    assert (tmp_path / "rewards.png").read_bytes().startswith(b"\x89PNG")
    assert "3.50 ms" in done.output
