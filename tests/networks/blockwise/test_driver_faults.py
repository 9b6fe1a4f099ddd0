"""Kills the distillation of all 135 blocks at random moments: `make faults`."""

import subprocess
import sys
import time

import numpy as np
import pytest

from blox_env.networks.blockwise import distil_all, lesson_for, random_teacher
from blox_env.networks.recipe import recipe_for

pytestmark = pytest.mark.faults
KILLS = 10
SCRIPT = """
import sys
from blox_env.networks.blockwise import distil_all, lesson_for
from blox_env.networks.recipe import recipe_for
lesson = lesson_for(recipe_for("digits", epochs=1, batch=700), checked=100)
distil_all(sys.argv[1], sys.argv[2], lesson, seed=5, workers=int(sys.argv[3]))
"""


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.npz")}


def test_killed_at_random_moments_ends_with_the_bytes_of_an_undisturbed_run(tmp_path):
    """Every other kill hits a run on Ray, a third of them at any time, also before blocks."""
    teacher, calm, disturbed = (tmp_path / name for name in ("teacher.npz", "calm", "disturbed"))
    random_teacher((3, 20, 0), "digits", seed=0).save(teacher)
    lesson = lesson_for(recipe_for("digits", epochs=1, batch=700), checked=100)
    distil_all(teacher, calm, lesson, seed=5, workers=0)
    expected = contents(calm)
    assert len(expected) == 135
    rng = np.random.default_rng(0)
    under_way = 0
    for number in range(KILLS):
        before, more = len(contents(disturbed)), int(rng.integers(1, 9))
        workers = str(number % 2 * 2)
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(teacher), str(disturbed), workers]
        )
        until = time.monotonic() + rng.uniform(0, 8)
        while process.poll() is None:
            if number % 3 == 0 and time.monotonic() > until:
                break
            if number % 3 and len(contents(disturbed)) >= before + more:
                break
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.3))
        under_way += process.poll() is None and len(contents(disturbed)) > before
        process.kill()  # the driver alone: Ray has to notice
        process.wait()
        there = contents(disturbed)  # every file is whole
        assert there == {name: expected[name] for name in there}
        sys.stderr.write(f"kill {number + 1}: {len(there)} of {len(expected)} blocks\n")
    assert under_way >= KILLS / 2
    assert len(there) < len(expected)
    distil_all(teacher, disturbed, lesson, seed=5, workers=0)
    assert contents(disturbed) == expected
