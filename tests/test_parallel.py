import json
import os
from pathlib import Path

import pytest

from blox_env.parallel import run_tasks, spawn_seeds, write_atomic, write_json


def square(x):
    if x == 3:
        raise ValueError("three is not wanted")
    return x * x


def die_once(folder):
    """Kills its own process the first time."""
    marker = Path(folder) / "tried"
    if not marker.exists():
        marker.touch()
        os._exit(1)
    return "survived"


def die_always(_):
    os._exit(1)


def dispatch(payload):
    name, argument = payload
    return globals()[name](argument)


def test_errors_are_reported_and_stop_nothing():
    outcomes = {o.index: o for o in run_tasks(square, [1, 2, 3, 4], workers=0)}
    assert {i: o.result for i, o in outcomes.items() if o.error is None} == {0: 1, 1: 4, 3: 16}
    assert "three is not wanted" in outcomes[2].error


@pytest.mark.extra
def test_on_ray_too_and_dead_workers_are_tried_again(tmp_path):
    pytest.importorskip("ray")
    payloads = [
        ("square", 2),
        ("die_once", str(tmp_path)),
        ("square", 3),
        ("die_always", None),
        ("square", 5),
    ]
    outcomes = {o.index: o for o in run_tasks(dispatch, payloads, workers=2, retries=1)}
    assert len(outcomes) == 5
    assert [outcomes[i].result for i in (0, 1, 4)] == [4, "survived", 25]
    assert "three is not wanted" in outcomes[2].error
    assert "WorkerCrashed" in outcomes[3].error


@pytest.mark.parametrize("workers", [-1, 1.5])
def test_bad_number_of_workers(workers):
    with pytest.raises((ValueError, TypeError), match="workers must be"):
        list(run_tasks(square, [1], workers=workers))


def test_files_appear_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "file.json"
    write_json(path, {"b": 1, "a": [1, 2]})
    assert json.loads(path.read_text()) == {"a": [1, 2], "b": 1}
    before = path.read_bytes()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomic(path, b"other")
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["file.json"]


def test_spawned_seeds_are_nested_and_distinct():
    few, many = spawn_seeds(5, 3), spawn_seeds(5, 100)
    assert many[:3] == few
    assert len(set(many)) == 100
    assert spawn_seeds(6, 3) != few
    assert all(0 <= s < 2**31 for s in many)
