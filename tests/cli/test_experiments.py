import shutil
from inspect import signature

import pytest
from typer.testing import CliRunner

pytest.importorskip("pyarrow")
pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")

from blox_env import compare
from blox_env.analysis.leaderboard import SEEDS
from blox_env.cli import app
from blox_env.cli.experiments import leaderboard

RUNNER = CliRunner()


def test_compare_report_validate(tmp_path):
    out = tmp_path / "runs"
    command = ["compare", "--agents", "random-search", "--benchmarks", "digits", "--devices"]
    compared = RUNNER.invoke(
        app,
        [*command, "none", "--seeds", "2", "--budget", "5", "--workers", "0", "--out", str(out)],
    )
    assert compared.exit_code == 0, compared.output
    assert len(list(out.glob("runs/*.parquet"))) == 2
    report = RUNNER.invoke(app, ["report", str(out)])
    assert report.exit_code == 0, report.output
    assert (out / "report.html").is_file()
    validated = RUNNER.invoke(app, ["validate", str(out)])
    assert "2 run files valid" in validated.output
    next(out.glob("runs/*.parquet")).write_bytes(b"damaged")
    assert RUNNER.invoke(app, ["validate", str(out)]).exit_code == 1


@pytest.mark.parametrize("option", ["--seeds", "--budget"])
def test_the_option_that_is_wrong_is_named(tmp_path, option):
    done = RUNNER.invoke(app, ["compare", option, "0", "--out", str(tmp_path)])
    assert isinstance(done.exception, ValueError)
    assert option in str(done.exception)


def test_leaderboard_of_folders_that_are_valid(tmp_path):
    page = tmp_path / "page.html"
    for name, seed in (("honest", 0), ("chosen", 7)):
        what = ["random-search"], ["digits"], [None]
        out = str(tmp_path / name)
        compare(*what, seeds=2, budget=3, workers=0, seed=seed, out=out)
    shutil.copytree(tmp_path / "honest", tmp_path / "damaged")
    next((tmp_path / "damaged").glob("runs/*.parquet")).write_bytes(b"damaged")
    folders = [str(tmp_path / name) for name in ("honest", "chosen", "damaged")]
    options = ["--seeds", "2", "--out", str(page)]
    done = RUNNER.invoke(app, ["leaderboard", *folders, *options])
    assert done.exit_code == 1, done.output
    text = page.read_text(encoding="utf-8")
    assert text.count('<td class="text">honest</td>') == 1
    assert "chosen: its seed was chosen" in text
    assert "damaged: not valid" in text
    assert RUNNER.invoke(app, ["leaderboard", folders[0], *options]).exit_code == 0
    assert signature(leaderboard).parameters["seeds"].default == SEEDS
