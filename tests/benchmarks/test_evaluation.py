"""Evaluations of families of surrogates."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("sklearn")

from blox_env.benchmarks.evaluation import MIXTURE, ceiling, evaluate_families, score
from blox_env.benchmarks.grouping import group, noise_table
from blox_env.benchmarks.trainings import Trainings
from blox_env.spaces import BloxSpace

SPACE = BloxSpace()
NOISE = 0.006


@pytest.fixture(scope="module")
def raw() -> Trainings:
    """Uniform architectures, some with four seeds, and what two agents found."""
    rng = np.random.default_rng(0)
    x = np.unique(SPACE.sample(rng, 170), axis=0)[:160]
    depth = SPACE.features(x, "depth")
    merit = -depth[:, -5]
    truth = 0.6 + 0.03 * (merit - merit.mean()) / merit.std()
    times = np.where(np.arange(160) < 30, 4, np.where(np.arange(160) >= 110, 2, 1))
    row = np.repeat(np.arange(160), times)
    asked = np.where(
        row < 110, "uniform", np.where(row < 135, "round1:climber:d", "round1:breeder:d")
    )
    n = len(row)
    return Trainings(
        header={},
        x=x[row],
        seed=np.arange(n),
        val_acc=np.column_stack([truth[row] - 0.1, truth[row]]) + rng.normal(0, NOISE, (n, 2)),
        test_acc=truth[row] + rng.normal(0, NOISE, n),
        train_time_s=np.full(n, np.nan),
        asked_by=asked,
        ran_on=np.full(n, "cpu"),
    )


def test_every_family_is_scored_where_searches_end_and_elsewhere(raw: Trainings) -> None:
    found = evaluate_families(raw, SPACE, ["trees", "ridge"], sizes=[40, 80], folds=4)
    json.dumps(found, allow_nan=False)
    assert set(found["families"]) == {"trees", "ridge", MIXTURE}
    for name, scores in found["families"].items():
        assert scores["uniform"]["architectures"] == 110, name
        assert scores["found"]["architectures"] == 50, name
        assert scores["uniform"]["r2"] > 0.6, name
        # the best tenth has too few architectures for a figure
        assert scores["best"] is None, name
    assert set(found["agents"]) == {"climber", "breeder"}
    assert found["samples"]["40"]["ridge"]["architectures"] == 70
    assert found["samples"]["80"]["ridge"]["architectures"] == 30
    assert 0.8 < found["ceiling"]["uniform"]["r2"] < 1
    assert found["families"][MIXTURE]["uniform"]["r2"] < found["ceiling"]["uniform"]["r2"] + 0.03
    assert found["noise_test"]["1"]["architectures"] == 30
    # two trainings are nearer to the others' mean than one
    assert found["noise_test"]["2"]["table"] < found["noise_test"]["1"]["table"] * 1.1


def test_the_same_arguments_give_the_same_figures(raw: Trainings) -> None:
    one = evaluate_families(raw, SPACE, ["trees"], folds=3)
    assert one == evaluate_families(raw, SPACE, ["trees"], folds=3)
    assert MIXTURE not in one["families"]


def test_a_perfect_prediction_reaches_the_ceiling(raw: Trainings) -> None:
    grouped = group(raw, noise_table(raw))
    depth = SPACE.features(grouped.x, "depth")[:, -5]
    truth = 0.6 + 0.03 * (depth.mean() - depth) / depth.std()
    best = ceiling(grouped, truth, grouped.uniform, 0)
    reached = score(grouped, truth, grouped.uniform)
    assert best is not None
    assert reached is not None
    assert reached["r2"] == pytest.approx(best["r2"], abs=0.04)
    assert reached["sparse_kendall_tau"] == pytest.approx(best["sparse_kendall_tau"], abs=0.06)
    assert reached["mean_absolute_error"] == pytest.approx(best["mean_absolute_error"], rel=0.2)


def test_too_few_folds_are_named(raw: Trainings) -> None:
    with pytest.raises(ValueError, match="folds"):
        evaluate_families(raw, SPACE, ["trees"], folds=1)
