import json
import os
import signal
import subprocess
import sys
import time

import pytest

from blox_env.benchmarks import trainings
from blox_env.benchmarks.collect import Plan, collect, pack_results, result_name

pytestmark = pytest.mark.extra
TINY = {"epochs": 1, "batch": 700}
PLAN = Plan(architectures=3, repeated=1, seeds=2, seed=5, recipe=TINY)
SCRIPT = """
import sys
from blox_env.benchmarks import collect
from blox_env.benchmarks.collect import Plan
plan = Plan(architectures=40, repeated=0, seeds=1, seed=5, recipe={"epochs": 1, "batch": 700})
collect.collect(plan, sys.argv[1], workers=0)
"""


def contents(folder):
    results = {p.name: json.loads(p.read_text()) for p in folder.glob("*.json")}
    return {
        name: {k: v for k, v in value.items() if not k.endswith("time_s")}
        for name, value in results.items()
    }


def test_plan_is_nested_and_repeats_the_first():
    small, large = Plan(architectures=20).trainings(), Plan(architectures=30).trainings()
    assert set(small) < set(large)
    plan = Plan(architectures=150, repeated=100, seeds=3).trainings()
    assert len(plan) == len(set(plan)) == 100 * 3 + 50
    assert len({row for row, _ in plan}) == 150


def test_what_is_there_is_not_trained_again(tmp_path):
    first = collect(PLAN, tmp_path, workers=0)
    assert (first["done"], first["before"], first["failed"]) == (4, 0, [])
    assert first["per_core_hour"] > 0
    victim = tmp_path / result_name(*PLAN.trainings()[2])
    kept = {p: p.stat().st_mtime_ns for p in tmp_path.glob("*.json") if p != victim}
    before = contents(tmp_path)
    victim.unlink()
    second = collect(PLAN, tmp_path, workers=0)
    assert (second["done"], second["before"]) == (1, 3)
    assert contents(tmp_path) == before
    assert {p: p.stat().st_mtime_ns for p in kept} == kept


def test_workers_give_the_same_results_as_none(tmp_path):
    collect(PLAN, tmp_path / "here", workers=0)
    collect(PLAN, tmp_path / "ray", workers=2)
    assert contents(tmp_path / "here") == contents(tmp_path / "ray")


def test_a_failing_training_is_reported_and_stops_nothing(tmp_path):
    bad = Plan(architectures=2, repeated=0, recipe={**TINY, "batch": 0})
    summary = collect(bad, tmp_path, workers=0)
    assert summary["done"] == 0
    assert len(summary["failed"]) == 2
    assert "ZeroDivisionError" in summary["failed"][0][1]


def test_killed_at_any_moment_leaves_only_whole_files(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path)])
    deadline = time.monotonic() + 120
    while len(list(tmp_path.glob("*-s*.json"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    found = list(tmp_path.glob("*-s*.json"))
    assert found
    for path in found:
        assert json.loads(path.read_text())["schema"] == 1


def test_packed_results_read_back_without_loss(tmp_path):
    collect(PLAN, tmp_path, workers=0)
    target = tmp_path / "trainings.csv"
    assert pack_results(tmp_path, target, "digits") == 4
    text = target.read_text()
    pack_results(tmp_path, target, "digits")
    assert target.read_text() == text
    raw = trainings.read(target)
    assert len(raw) == 4
    for row, seed, val, test in zip(raw.x, raw.seed, raw.val_acc, raw.test_acc, strict=True):
        result = json.loads((tmp_path / result_name(tuple(row.tolist()), seed)).read_text())
        assert (val * raw.header["val_images"]).round().tolist() == result["val_correct"]
        assert round(test * raw.header["test_images"]) == result["test_correct"]


def test_results_of_different_recipes_do_not_mix(tmp_path):
    collect(PLAN, tmp_path, workers=0)
    other = Plan(architectures=4, repeated=1, seeds=2, seed=5, recipe={**TINY, "peak_lr": 0.2})
    with pytest.raises(ValueError, match="recipe"):
        collect(other, tmp_path, workers=0)


def test_damaged_trainings_are_named(tmp_path):
    path = tmp_path / "trainings.csv"
    path.write_text("nonsense\n")
    with pytest.raises(ValueError, match=r"trainings\.csv is not a file of trainings"):
        trainings.read(path)


def test_environment_is_not_changed(tmp_path):
    before = dict(os.environ)
    collect(PLAN, tmp_path, workers=0)
    assert dict(os.environ) == before


def test_full_recipes_do_not_train_in_lockstep(tmp_path):
    plan = Plan(architectures=1, repeated=0, recipe={"cutout": 4})
    with pytest.raises(ValueError, match=r"do not train in lockstep: use .*train_augmented"):
        collect(plan, tmp_path, device="cuda")


def test_a_space_without_an_index():
    small = Plan(architectures=5, repeated=0, space="bloxxl").trainings()
    large = Plan(architectures=9, repeated=2, space="bloxxl").trainings()
    assert {row for row, _ in small} < {row for row, _ in large}
    assert all(len(row) == 12 for row, _ in large)
    assert len(large) == 9 + 2 * 2
    with pytest.raises(ValueError, match=r"blox-xl.*bloxxl"):
        Plan(space="blox-xl").trainings()
