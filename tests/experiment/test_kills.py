"""Small comparisons in processes that are killed, and that race.

The processes are forks of this one, which saves what starting Python takes; tests/test_faults.py
kills the command itself, on Ray.
"""

import os
import signal
import sys
import time

import numpy as np
import pytest

pytest.importorskip("pyarrow")
if not hasattr(os, "fork"):
    pytest.skip("needs fork", allow_module_level=True)

import blox_env
from blox_env.experiment.results import read_runs
from blox_env.experiment.runner import compare
from blox_env.experiment.validate_folder import validate_folder

pytestmark = [pytest.mark.faults, pytest.mark.extra]
KILLS = 100
ROUNDS = 10
SMALL = {
    "agents": ["random-search", "regularized-evolution"],
    "benchmarks": ["toy"],
    "devices": ["toy-device"],
    "seeds": 12,
    "budget": 12,
    "options": {"regularized-evolution": {"population": 4, "sample": 2}},
    "workers": 0,
}
DONE, REFUSED, FAILED = 0, 3, 4  # statuses of a process
blox_env.register_benchmark("toy", "tests.toys:ToyBenchmark")
blox_env.register_device("toy-device", "tests.toys:ToyDevice")


def results(folder):
    """All that a comparison wrote but sidecars, which hold real times."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".") and ".meta." not in path.name
    }


def start(folder, prepare=lambda: None, **changes):
    """A process that compares; its number."""
    child = os.fork()
    if child:
        return child
    status = FAILED
    try:
        prepare()
        status = DONE if not compare(**{**SMALL, **changes}, out=folder).failed else FAILED
    except (RuntimeError, ValueError) as error:
        known = ("another comparison is at work", "is of another experiment")
        status = REFUSED if any(text in str(error) for text in known) else FAILED
    finally:
        os._exit(status)


def status_of(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """What an undisturbed comparison writes, and the seconds that it takes."""
    compare(**SMALL, out=tmp_path_factory.mktemp("warm"))  # forks need not load anew
    folder = tmp_path_factory.mktemp("calm")
    began = time.monotonic()
    assert status_of(start(folder)) == DONE
    assert len(list(folder.glob("runs/*.parquet"))) == 24
    return results(folder), time.monotonic() - began


def test_a_hundred_kills_end_in_equal_files(tmp_path, calm):
    expected, seconds = calm
    rng = np.random.default_rng(0)
    kills = folders = 0
    stages = set()
    while kills < KILLS:
        folder = tmp_path / f"out-{folders}"
        folders += 1
        ended = False
        while not ended and kills < KILLS:
            child = start(folder)
            time.sleep(rng.uniform(0, seconds))
            os.kill(child, signal.SIGKILL)
            ended = status_of(child) == DONE  # it was faster
            kills += not ended
            there = results(folder)
            stages.add(len(there))
            whole = {name: data for name, data in there.items() if name.endswith(".parquet")}
            assert whole == {name: expected[name] for name in whole}
        assert status_of(start(folder)) == DONE
        assert results(folder) == expected
        assert validate_folder(folder).valid
    assert len(stages) > 10  # the kills were spread
    sys.stderr.write(f"{kills} kills in {folders} folders, at {len(stages)} stages\n")


def killed_at(number, event):
    """Die at an event of the interpreter, as often as it has happened."""
    left = [number]

    def hook(name, arguments):
        if name == event:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return lambda: sys.addaudithook(hook)


def test_kills_before_each_renaming(tmp_path, calm):
    """Temporary files become results by renaming: death lies before each of them once."""
    few = {"seeds": 2}
    assert status_of(start(tmp_path / "calm", **few)) == DONE
    expected = results(tmp_path / "calm")
    number, status = 0, None
    while status != DONE:
        folder = tmp_path / str(number)
        status = status_of(start(folder, killed_at(number, "os.rename"), **few))
        assert status in (DONE, -signal.SIGKILL)
        assert status_of(start(folder, **few)) == DONE
        assert results(folder) == expected
        number += 1
    assert number > 2 * 4  # runs and sidecars at least
    sys.stderr.write(f"killed before each of {number - 1} renamings\n")


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_on_one_folder(tmp_path, calm, processes):
    """One of them works; the others are refused, or find that everything is there."""
    expected, _ = calm
    counts = {DONE: 0, REFUSED: 0}
    for number in range(ROUNDS):
        folder = tmp_path / str(number)
        children = [start(folder) for _ in range(processes)]
        for child in children:
            counts[status_of(child)] += 1
        assert results(folder) == expected
        assert validate_folder(folder).valid
    assert counts[DONE] >= ROUNDS
    sys.stderr.write(f"{processes} processes, {ROUNDS} rounds: {counts}\n")


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_that_want_different_things_of_one_folder(tmp_path, calm, processes):
    for number in range(ROUNDS):
        folder = tmp_path / str(number)
        budgets = [10 + each % 2 for each in range(processes)]
        children = [start(folder, budget=budget) for budget in budgets]
        statuses = [status_of(child) for child in children]
        assert set(statuses) <= {DONE, REFUSED}
        assert DONE in statuses
        won = {budget for budget, status in zip(budgets, statuses, strict=True) if status == DONE}
        assert len(won) == 1
        assert {run.facts.budget for run in read_runs(folder)} == won
        assert validate_folder(folder).valid
