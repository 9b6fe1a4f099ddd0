"""Kills a collection at random moments and compares what is left in the end: `make faults`."""

import json
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from blox_env.benchmarks.collect import Plan, collect

pytestmark = pytest.mark.faults
KILLS = 10
PLAN = Plan(architectures=40, repeated=20, seeds=2, seed=3, recipe={"epochs": 1, "batch": 350})
SCRIPT = f"""
import sys
from blox_env.benchmarks.collect import Plan, collect
collect({PLAN!r}, sys.argv[1], workers=int(sys.argv[2]))
"""
PATIENCE = 120  # seconds in which what is orphaned has to end; two of Ray's look once a minute


def rows(folder):
    """What is in every result but its times."""
    found = {path.name: json.loads(path.read_text()) for path in folder.glob("[0-9]*-s*.json")}
    return {
        name: {key: value for key, value in result.items() if not key.endswith("_s")}
        for name, result in found.items()
    }


def family(process):
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def test_killed_at_random_moments_ends_with_the_rows_of_an_undisturbed_run(tmp_path):
    """Every other kill hits a run on Ray, a third of them at any time, also before trainings."""
    calm, disturbed = tmp_path / "calm", tmp_path / "disturbed"
    collect(PLAN, calm, workers=0)
    expected = rows(calm)
    assert len(expected) == len(PLAN.trainings()) == 60
    rng = np.random.default_rng(0)
    training, orphans = 0, []
    for number in range(KILLS):
        before, more = len(rows(disturbed)), int(rng.integers(1, 5))
        process = subprocess.Popen([sys.executable, "-c", SCRIPT, disturbed, str(number % 2 * 2)])
        until = time.monotonic() + rng.uniform(0, 5)
        while process.poll() is None:
            if number % 3 == 0 and time.monotonic() > until:
                break
            if number % 3 and len(rows(disturbed)) >= before + more:
                break
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.2))
        orphans += family(process)
        training += process.poll() is None and len(rows(disturbed)) > before
        process.kill()  # the driver alone: Ray has to notice
        process.wait()
        there = rows(disturbed)  # every file is whole
        assert there == {name: expected[name] for name in there}
        sys.stderr.write(f"kill {number + 1}: {len(there)} of {len(expected)} rows\n")
    assert training >= KILLS / 2
    assert len(there) < len(expected)
    collect(PLAN, disturbed, workers=2)
    assert rows(disturbed) == expected
    _, alive = psutil.wait_procs(orphans, timeout=PATIENCE)
    assert [process.name() for process in alive] == []
