"""Kills an experiment at random moments and compares what is left in the end: `make faults`."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

pytestmark = pytest.mark.faults
KILLS = 10
SEARCHES = 40
COMMAND = [
    *(sys.executable, "-m", "blox_env", "compare", "--seeds", str(SEARCHES // 2)),
    *("--budget", "2000", "--agents", "random-search,regularized-evolution"),
    *("--workers", "2", "--out"),
]


def files(folder):
    return {p.name: p.read_bytes() for p in folder.glob("runs/*.parquet")}


def test_killed_and_resumed_equals_undisturbed(tmp_path):
    subprocess.run([*COMMAND, str(tmp_path / "calm")], check=True, capture_output=True)
    rng = np.random.default_rng(0)
    goals = np.sort(rng.choice(np.arange(1, SEARCHES - 2), KILLS, replace=False))
    folder = tmp_path / "killed"
    in_the_middle = 0
    for goal in goals:
        process = subprocess.Popen(
            [*COMMAND, str(folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        while process.poll() is None and len(files(folder)) < goal:
            time.sleep(0.01)
        in_the_middle += process.poll() is None and len(files(folder)) < SEARCHES
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert in_the_middle >= KILLS / 2
    subprocess.run([*COMMAND, str(folder)], check=True, capture_output=True)
    assert files(folder) == files(tmp_path / "calm")
    assert len(files(tmp_path / "calm")) == SEARCHES
