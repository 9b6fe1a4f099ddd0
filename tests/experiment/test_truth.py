"""Runs hold what is true of their trials, and where latencies are from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyarrow")

import blox_env
from blox_env.analysis.background import with_measured
from blox_env.analysis.statistics import summary
from blox_env.experiment.results import TRUTH, read_runs, truth_of
from blox_env.experiment.validate import validate_run
from blox_env.problem import Problem
from tests.toys import ToyBenchmark


class Live(ToyBenchmark):
    """Asking costs trainings."""

    trains = True


def test_a_run_on_single_trainings_holds_true_rewards_and_is_confirmed(tmp_path: Path) -> None:
    blox_env.compare(
        ["random-search"], ["digits"], [None], out=tmp_path, seeds=3, budget=60, noise="sampled",
        workers=0,
    )  # fmt: skip
    problem = Problem("digits", None)
    best = problem.optimum()[1]
    runs = read_runs(tmp_path)
    for run in runs:
        np.testing.assert_array_equal(run.columns[TRUTH], problem.peek(run.x).reward)
        assert (run.columns[TRUTH] <= best).all()
        assert (run.columns[TRUTH] != run.columns["reward"]).any()
    assert all(validate_run(path).valid for path in tmp_path.glob("runs/*.parquet"))
    row = summary(runs)[0]
    assert row.regret.low >= 0
    assert row.seen_regret.median < row.regret.median


def test_means_are_not_asked_of_what_would_train() -> None:
    for benchmark, noise in ((Live(), "sampled"), (ToyBenchmark(), "mean")):
        problem = Problem(benchmark, None, budget=3, noise=noise)
        blox_env.search(problem, "random-search", seed=0)
        assert truth_of(problem) is None


def test_latencies_of_an_estimated_device_are_not_called_measured_or_predicted(
    tmp_path: Path,
) -> None:
    blox_env.compare(
        ["random-search"], ["digits"], ["ethos-u55-128"], out=tmp_path, seeds=2, budget=5, workers=0
    )
    runs = read_runs(tmp_path)
    assert all("ethos-u-vela" in str(run.facts.latency_source) for run in runs)
    (words,) = summary(runs)[0].latency_sources
    assert "estimate" in words
    assert all(validate_run(path).valid for path in tmp_path.glob("runs/*.parquet"))
    lacking = replace(runs[0], facts=replace(runs[0].facts, latency_source=None, measured=None))
    device = blox_env.load_device("ethos-u55-128")
    assert with_measured(lacking, device).facts == runs[0].facts
