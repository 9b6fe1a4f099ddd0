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
COMMAND = [
    *(sys.executable, "-m", "blox_env", "compare", "--seeds", "6", "--budget", "300"),
    *("--agents", "random-search,regularized-evolution", "--workers", "2", "--out"),
]


def files(folder):
    return {p.name: p.read_bytes() for p in folder.glob("runs/*.parquet")}


def test_killed_and_resumed_equals_undisturbed(tmp_path):
    subprocess.run([*COMMAND, str(tmp_path / "calm")], check=True, capture_output=True)
    rng = np.random.default_rng(0)
    for _ in range(KILLS):
        process = subprocess.Popen(
            [*COMMAND, str(tmp_path / "killed")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(rng.uniform(1, 15))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    subprocess.run([*COMMAND, str(tmp_path / "killed")], check=True, capture_output=True)
    assert files(tmp_path / "killed") == files(tmp_path / "calm")
    assert len(files(tmp_path / "calm")) == 12
