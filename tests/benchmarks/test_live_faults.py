"""Kills processes that share a live cache at random moments: `make faults`."""

import json
import os
import subprocess
import time
from collections import Counter

import numpy as np
import pytest

from blox_env.benchmarks.live import LiveBenchmark
from blox_env.benchmarks.live_cache import FILE, TrainingCache
from tests.benchmarks.live_child import LOG, RECIPE, SECONDS, begun, made_up
from tests.benchmarks.test_live import CHILD, ROOT

pytestmark = pytest.mark.faults
KILLS = 10
ROWS = [[a, b, c] for a in range(6) for b in range(5) for c in range(4)]  # with two seeds each


def test_processes_killed_at_random_lose_only_what_they_were_in(tmp_path, monkeypatch):
    monkeypatch.setenv(LOG, str(tmp_path / "log"))
    monkeypatch.setenv(SECONDS, "0.1")
    rng = np.random.default_rng(0)
    orders = [[ROWS[i] for i in rng.permutation(len(ROWS))] for _ in range(2)]

    def start(number):
        command = [*CHILD, str(tmp_path), json.dumps(orders[number])]
        return subprocess.Popen(command, cwd=ROOT, env=os.environ, stdout=subprocess.DEVNULL)

    running = [start(0), start(1)]
    killed = 0
    while killed < KILLS:
        before = len(begun(tmp_path / "log"))
        while len(begun(tmp_path / "log")) < before + rng.integers(2, 12):
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.1))
        victim = int(rng.integers(2))
        if running[victim].poll() is None:
            running[victim].kill()
            running[victim].wait()
            killed += 1
            running[victim] = start(victim)
    assert [process.wait(timeout=300) for process in running] == [0, 0]
    counts = Counter(begun(tmp_path / "log"))
    assert len(counts) == 2 * len(ROWS)
    again = sum(counts.values()) - len(counts)
    assert again <= KILLS
    assert TrainingCache(tmp_path / FILE).count() == 2 * len(ROWS)
    value = LiveBenchmark(
        "digits", recipe=RECIPE, workers=0, cache=tmp_path, trainer=made_up, seeds=(0, 1)
    ).evaluate(ROWS)
    expected = [[made_up_last(row, seed) for seed in (0, 1)] for row in ROWS]
    np.testing.assert_allclose(value.val_acc, np.mean(expected, axis=1))
    assert sum(Counter(begun(tmp_path / "log")).values()) == sum(counts.values())


def made_up_last(row, seed):
    return np.random.default_rng([*row, seed]).random(RECIPE.epochs)[-1]
