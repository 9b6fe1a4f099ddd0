import os
import signal
import subprocess
import sys
import time

from typer.testing import CliRunner

import blox_env
from blox_env.cli import app


def call(*arguments, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "blox_env", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )


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


def test_a_time_limit_keeps_what_was_found_and_is_said():
    blox_env.register_benchmark("toy", "tests.toys:ToyBenchmark")
    command = "search --agent regularized-evolution --benchmark toy --device none --budget 90000"
    done = CliRunner().invoke(app, [*command.split(), "--time-limit", "2"])
    assert done.exit_code == 0, done.output
    assert "validation accuracy" in done.output
    assert "the time limit is over" in done.output
