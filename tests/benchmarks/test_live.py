import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import blox_env
from blox_env.benchmarks.live import LiveBenchmark, from_name, train_network
from blox_env.benchmarks.live_cache import FILE, TrainingCache
from blox_env.ground import registry
from blox_env.networks.recipe import Recipe
from blox_env.networks.tasks import load_task
from blox_env.testing import check_benchmark
from tests.benchmarks.live_child import LOG, RECIPE, SECONDS, begun, made_up

pytestmark = pytest.mark.extra
ROOT = Path(__file__).resolve().parents[2]
CHILD = [sys.executable, "-m", "tests.benchmarks.live_child"]
ROWS = [[a, b, 7] for a in range(4) for b in range(3)]


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.setenv(LOG, str(tmp_path / "log"))
    return tmp_path / "log"


def live(folder, **changes):
    arguments = {"recipe": RECIPE, "workers": 0, "cache": folder, "trainer": made_up}
    return LiveBenchmark("digits", **(arguments | changes))


def start(folder, rows, **environment):
    return subprocess.Popen(
        [*CHILD, str(folder), json.dumps(rows)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_it_keeps_what_a_benchmark_promises(tmp_path, log):
    check_benchmark(live(tmp_path), n=12)
    check_benchmark(live(tmp_path, seeds=(0, 3)), n=12)
    assert max(Counter(begun(log)).values()) == 1


def test_values_are_means_over_the_seeds(tmp_path, log):
    benchmark = live(tmp_path, seeds=(0, 1, 2))
    x = np.array(ROWS)
    single = [benchmark.evaluate(x, seed=s, best=True, epochs=3) for s in (0, 1, 2)]
    each = np.array([value.val_acc for value in single])
    both = benchmark.evaluate(x, best=True, epochs=3)
    np.testing.assert_allclose(both.val_acc, each.mean(axis=0))
    np.testing.assert_allclose(both.val_std, each.std(axis=0, ddof=1) / np.sqrt(3))
    assert (single[0].val_std == 0).all()
    assert set(both.source) == {"trained"}
    np.testing.assert_allclose(both.train_time_s, 6.0)
    assert np.isnan(both.test_acc).all()
    np.testing.assert_allclose(
        benchmark.evaluate(x).test_acc,
        np.mean([benchmark.evaluate(x, seed=s).test_acc for s in (0, 1, 2)], axis=0),
    )
    assert Counter(begun(log)) == Counter(
        {f"{a}-{b}-7 s{s}": 1 for a, b, _ in ROWS for s in range(3)}
    )


def test_two_processes_on_one_cache_lose_nothing_and_train_nothing_twice(tmp_path, log):
    orders = [ROWS, ROWS[5:] + ROWS[:5]]
    processes = [start(tmp_path, rows, **{SECONDS: "0.05"}) for rows in orders]
    answers = [json.loads(process.communicate(timeout=120)[0]) for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    expected = live(tmp_path / "alone", seeds=(0, 1)).evaluate(ROWS).val_acc
    by_row = dict(zip(map(tuple, ROWS), expected.tolist(), strict=True))
    for rows, answer in zip(orders, answers, strict=True):
        assert answer == [by_row[tuple(row)] for row in rows]
    lines = log.read_text().splitlines()
    shared = [line for line in lines if not line.endswith(f" {os.getpid()}")]
    assert len({line.split()[-1] for line in shared}) > 1  # more than one of them trained
    assert Counter(line.rpartition(" ")[0] for line in shared if line[0] == "b") == Counter(
        {f"begin {a}-{b}-7 s{s}": 1 for a, b, _ in ROWS for s in (0, 1)}
    )
    assert TrainingCache(tmp_path / FILE).count() == 2 * len(ROWS)


def test_a_killed_process_loses_only_the_training_it_was_in(tmp_path, log):
    process = start(tmp_path, ROWS, **{SECONDS: "0.3"})
    deadline = time.monotonic() + 60
    while len(begun(log)) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    before = begun(log)
    done = TrainingCache(tmp_path / FILE).count()
    assert len(before) - 1 <= done <= len(before)
    live(tmp_path, seeds=(0, 1)).evaluate(ROWS)
    counts = Counter(begun(log))
    assert len(counts) == 2 * len(ROWS)
    assert sum(counts.values()) - len(counts) == len(before) - done  # what was lost


def test_trainings_of_a_batch_run_on_ray(tmp_path, log):
    benchmark = live(tmp_path, workers=2)
    value = benchmark.evaluate(ROWS)
    assert len({line.split()[-1] for line in log.read_text().splitlines()} - {str(os.getpid())}) > 0
    np.testing.assert_array_equal(value.val_acc, live(tmp_path / "alone").evaluate(ROWS).val_acc)
    assert len(begun(log)) == 2 * len(ROWS)


def test_a_failed_training_is_an_error_and_the_others_are_kept(tmp_path, log):
    benchmark = live(tmp_path)
    for _ in range(2):  # its claim is given up
        with pytest.raises(RuntimeError, match=r"(?s)44-44-44 with seed 0:.*44-44-44 always fails"):
            benchmark.evaluate([*ROWS, [44, 44, 44]])
    benchmark.evaluate(ROWS)
    assert Counter(begun(log)).pop("44-44-44 s0") == 2
    assert len(begun(log)) == len(ROWS) + 2


def test_trainings_of_other_recipes_do_not_mix(tmp_path, log):
    first, second = live(tmp_path), live(tmp_path, recipe=Recipe(epochs=4, peak_lr=0.2))
    first.evaluate(ROWS[:2])
    second.evaluate(ROWS[:2])
    assert first.checksum() != second.checksum()
    assert len(begun(log)) == 4


def test_it_travels_to_other_processes(tmp_path, log):
    benchmark = live(tmp_path)
    value = benchmark.evaluate(ROWS)
    copy = pickle.loads(pickle.dumps(benchmark))
    np.testing.assert_array_equal(copy.evaluate(ROWS).val_acc, value.val_acc)
    assert len(begun(log)) == len(ROWS)


def test_a_damaged_cache_is_named(tmp_path, log):
    (tmp_path / FILE).write_bytes(b"SQLite format 3\0" + bytes(4080))
    with pytest.raises(ValueError, match=FILE):
        live(tmp_path).evaluate(ROWS)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("live:digit", "unknown task 'digit', .* did you mean 'digits'"),
        ("live:", "unknown task ''"),
        ("live:digits(epoch=3)", "unknown setting .* 'epoch', .* did you mean 'epochs'"),
        ("live:digits(seeds=0)", "seeds must be at least 1"),
        ("live:digits(epochs=3", r"benchmark must be NAME or NAME\(setting=value"),
    ],
)
def test_wrong_names(name, message):
    with pytest.raises(ValueError, match=message):
        blox_env.load_benchmark(name)


def test_names_say_what_differs():
    assert blox_env.load_benchmark("live:digits").name == "live:digits"
    made = from_name("live:digits( peak_lr=0.2,seeds=2, epochs=3,workers=0)")
    assert made.name == "live:digits(epochs=3, peak_lr=0.2, seeds=2)"
    assert (made.epochs, made.seeds, made.workers) == (3, (0, 1), 0)
    assert from_name(made.name).checksum() == made.checksum()
    some = LiveBenchmark("digits", seeds=(4, 7))
    assert some.name == "live:digits(seeds=4-7)"
    assert from_name(some.name).seeds == (4, 7)


def test_real_trainings_in_a_problem_and_an_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("BLOX_ENV_CACHE", str(tmp_path))
    name = "live:digits(batch=350, epochs=1, workers=0)"
    problem = blox_env.Problem(name, "x86-ort-1t", budget=2)
    history = blox_env.search(problem, "random-search", seed=0)
    assert len(history) == 2
    from blox_env.networks.training import train

    result = train(history.x[0], load_task("digits"), Recipe(epochs=1, batch=350), seed=0)
    assert history.val_acc[0] == result.val_acc[0]
    assert train_network(history.x[0], "digits", Recipe(epochs=1, batch=350), 0).test_acc == (
        result.test_acc
    )
    env = gym.make("blox_env/Blox-v0", benchmark=name, device=None, granularity="whole")
    assert name in env.spec.to_json()
    env.reset(seed=0)
    *_, info = env.step(history.x[0])
    assert info["val_acc"] == history.val_acc[0]
    assert TrainingCache(tmp_path / FILE).count() == 2


def test_its_names_are_no_code_to_be_loaded():
    assert not registry.is_code("benchmark", "live:digits(epochs=2)")
    assert not registry.is_code("benchmark", "digits")
    assert registry.is_code("benchmark", "os:system")
    assert registry.is_code("device", "live:digits")


def test_experiments_on_it_are_compared_and_validated(tmp_path, monkeypatch):
    from blox_env.experiment.validate import run_files, validate_run

    monkeypatch.setenv("BLOX_ENV_CACHE", str(tmp_path / "cache"))
    name = "live:digits(batch=700, epochs=1)"
    arguments = {"seeds": 1, "budget": 2, "workers": 0, "out": tmp_path / "runs"}
    blox_env.compare(["random-search"], [name], [None], **arguments)
    trained = TrainingCache(tmp_path / "cache" / FILE).count()
    assert trained == 2
    (path,) = run_files([tmp_path / "runs"])
    assert validate_run(path).valid
    assert TrainingCache(tmp_path / "cache" / FILE).count() == trained
