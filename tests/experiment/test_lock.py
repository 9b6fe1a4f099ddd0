import subprocess
import sys
import time

import pytest

pytest.importorskip("fcntl")

from blox_env.experiment.lock import locked
from blox_env.experiment.runner import compare

HOLD = """
import sys, time
from pathlib import Path
from blox_env.experiment.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_at_a_time(tmp_path):
    with locked(tmp_path / "out"):
        message = "another comparison is at work in"
        with pytest.raises(RuntimeError, match=message), locked(tmp_path / "out"):
            pass
        with locked(tmp_path / "other"):
            pass
    with locked(tmp_path / "out"):
        pass


def test_a_killed_process_holds_nothing(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(RuntimeError, match="another comparison"):
        compare(["random-search"], seeds=1, budget=5, out=tmp_path, workers=0)
    assert not (tmp_path / "plan.json").exists()
    holder.kill()
    holder.wait()
    deadline = time.monotonic() + 5
    while True:
        try:
            with locked(tmp_path):
                return
        except RuntimeError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
