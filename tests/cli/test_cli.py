import os
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from blox_env.cli import app
from blox_env.cli.common import names, options_of

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


def test_search_shows_the_best_and_writes_the_history(tmp_path):
    options = [
        "--set",
        "population=10",
        "--set",
        "sample=3",
        "--out",
        str(tmp_path / "history.csv"),
    ]
    done = call("search", "--budget", "30", "--seed", "3", *options)
    assert done.returncode == 0, done.stderr
    assert "best of 30 evaluations" in done.stdout
    assert len((tmp_path / "history.csv").read_text().splitlines()) == 31


def test_option_values_are_json_or_text():
    assert options_of(["a=1", "b=0.5", "c=true", "d=word", "e=x=y"]) == {
        "a": 1,
        "b": 0.5,
        "c": True,
        "d": "word",
        "e": "x=y",
    }


def test_commas_in_brackets_belong_to_a_name():
    assert names("a, b(c=1, d=2),e(f=3) ,") == ["a", "b(c=1, d=2)", "e(f=3)"]
    with pytest.raises(ValueError, match="comma-separated names"):
        names(" , ")


SLOW = """
import time
from pathlib import Path
import blox_env
from tests.toys import ToyBenchmark

class Slow(ToyBenchmark):
    def evaluate(self, x, **arguments):
        value = super().evaluate(x, **arguments)
        time.sleep(0.02 if self.calls > 3 else 0)
        if self.calls == 20:
            Path("running").touch()
        return value

blox_env.register_benchmark("slow", "slow:Slow")
"""


def test_ctrl_c_keeps_what_was_found(tmp_path, request):
    (tmp_path / "slow.py").write_text(SLOW)
    command = "--plugin slow search --agent random-search --benchmark slow --device none"
    running = subprocess.Popen(
        [sys.executable, "-m", "blox_env", *command.split(), "--out", "found.csv"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(request.config.rootpath)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "running").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGTERM)  # what a shell's background jobs do not ignore
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert "validation accuracy" in out
    assert "of 500 evaluations were spent" in err
    assert len((tmp_path / "found.csv").read_text().splitlines()) >= 20
