import subprocess
import sys

import pytest
from typer.testing import CliRunner

from blox_env.cli import app

RUNNER = CliRunner()


def call(*arguments, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "blox_env", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )


def test_info_lists_what_is_there():
    result = RUNNER.invoke(app, ["info"])
    assert result.exit_code == 0
    for name in ("digits", "x86-ort-1t", "random-search", "regularized-evolution", "ppo"):
        assert name in result.stdout.replace("\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["search", "--agent", "random-serch"], "did you mean 'random-search'"),
        (["search", "--benchmark", "digit"], "did you mean 'digits'"),
        (["search", "--device", "x86"], "unknown device 'x86'"),
        (["search", "--budget", "0"], "budget must be at least 1, got 0"),
        (["search", "--set", "population"], "--set must be name=value"),
        (["search", "--set", "populatio=3"], "did you mean 'population'"),
    ],
)
def test_bad_input_is_one_line_and_status_one(arguments, message):
    done = call(*arguments)
    assert done.returncode == 1
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_unknown_option_is_a_usage_error():
    done = call("search", "--bugdet", "3")
    assert done.returncode == 2
    assert "--budget" in done.stderr
