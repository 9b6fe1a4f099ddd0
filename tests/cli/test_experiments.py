import pytest
from typer.testing import CliRunner

pytest.importorskip("pyarrow")
pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")

from blox_env.cli import app

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
