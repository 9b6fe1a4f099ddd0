from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from blox_env.analysis.statistics import (
    Spread,
    by_problem,
    full_trainings,
    reference,
    regret_curves,
    summary,
)
from tests.experiment.made_up import make_run


def test_regret_is_the_distance_to_the_optimum_so_far():
    evaluations, regret = regret_curves([make_run([0.25, 0.5, 0.25, 1.0])])
    assert_array_equal(evaluations, [1, 2, 3, 4])
    assert_array_equal(regret, [[0.75, 0.5, 0.5, 0.0]])


def test_a_search_that_ended_early_keeps_its_value_up_to_its_budget():
    runs = [make_run([0.5, 0.75], budget=4), make_run([0.25, 0.25, 0.5, 0.5, 0.5, 1.0])]
    evaluations, regret = regret_curves(runs)
    assert_array_equal(evaluations, [1, 2, 3, 4, 5, 6])
    assert_array_equal(regret[0], [0.5, 0.25, 0.25, 0.25, np.nan, np.nan])
    assert_array_equal(regret[1], [0.75, 0.75, 0.5, 0.5, 0.5, 0.0])


def test_parts_of_trainings_cost_their_part():
    run = make_run([0.25, 0.5, 0.75, 1.0], cost=[0.5, 0.5, 0.0, 1.5], budget=3)
    _, regret = regret_curves([run])
    assert_array_equal(regret, [[0.25, 0.25, 0.0]])


def test_rewards_of_partial_trainings_do_not_count():
    run = make_run([0.9, 0.5, 0.75], epochs=[1, 4, 4], cost=[0.25, 1, 1.75], budget=3)
    assert_array_equal(
        full_trainings(run), [True, True, True]
    )  # nothing says how long full ones are
    known = make_run([0.9, 0.5, 0.75], epochs=[1, 4, 4], cost=[0.25, 1, 1.75], budget=3)
    known = replace(known, facts=replace(known.facts, epochs=4))
    assert_array_equal(full_trainings(known), [False, True, True])
    assert_array_equal(regret_curves([known])[1], [[np.nan, 0.5, 0.25]])


def test_costs_that_add_up_with_rounding_errors():
    run = make_run(np.linspace(0.01, 0.6, 30), cost=[0.1] * 30, budget=3)
    _, regret = regret_curves([run], best=0.6)
    assert regret[0, 0] == pytest.approx(0.6 - np.linspace(0.01, 0.6, 30)[9])
    assert regret[0, 2] == 0


def test_rounding_errors_are_no_regret():
    run = make_run([0.1 + 0.2], optimum=0.3)
    assert regret_curves([run])[1].tolist() == [[0.0]]
    assert summary([run])[0].regret == Spread(0.0, 0.0, 0.0)


def test_without_an_optimum_regret_is_to_the_best_of_all_runs():
    runs = [make_run([0.5], optimum=None), make_run([0.75], agent="b", optimum=None)]
    assert reference(runs) == (0.75, False)
    rows = summary(runs)
    assert [row.regret.median for row in rows] == [0.25, 0.0]
    assert not any(row.optimum_known for row in rows)


def test_summary_has_medians_and_quartiles_over_seeds():
    runs = [
        make_run(values, seed=seed, meta={"wall_s": wall})
        for seed, (values, wall) in enumerate(
            [([0.25, 0.5], 1.0), ([0.25, 0.75], 2.0), ([0.5, 1.0], 3.0)]
        )
    ]
    (row,) = summary(runs)
    assert (row.agent, row.benchmark, row.device, row.runs) == ("a", "toy", "board", 3)
    assert row.val_acc == Spread(0.75, 0.625, 0.875)
    assert row.test_acc == Spread(0.5, 0.375, 0.625)
    assert row.latency_ms == Spread(7.5, 6.25, 8.75)
    assert row.regret == Spread(0.25, 0.125, 0.375)
    assert row.evaluations == Spread(2.0, 2.0, 2.0)
    assert row.train_hours == Spread(1.0, 1.0, 1.0)
    assert row.wall_s == Spread(2.0, 1.5, 2.5)
    assert row.acc_sources == {"surrogate": 3}
    assert row.latency_sources == {}
    assert row.optimum_known


def test_sources_of_the_best_are_counted():
    runs = [make_run([1.0, 0.5], measured=True), make_run([0.5, 1.0], seed=1, measured=False)]
    (row,) = summary(runs)
    assert row.acc_sources == {"surrogate": 1, "trained": 1}
    assert row.latency_sources == {"measured": 1, "predicted": 1}


def test_what_is_not_known_is_nan():
    run = make_run([0.5])
    run.columns["latency_ms"][:] = np.nan
    (row,) = summary([run])
    for spread in (row.wall_s, row.latency_ms):
        assert np.isnan([spread.median, spread.low, spread.high]).all()
    assert Spread.of([1.0, np.nan]) == Spread(1.0, 1.0, 1.0)


def test_problems_and_agents_are_sorted_whatever_the_order_of_the_runs():
    runs = [
        make_run([0.5], agent=agent, device=device)
        for agent in ("b", "a")
        for device in ("phone", None)
    ]
    names = [(row.device, row.agent) for row in summary(runs)]
    assert names == [(None, "a"), (None, "b"), ("phone", "a"), ("phone", "b")]


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("reward", "tunas"),
        ("latency_target_ms", 6.0),
        ("noise", "sampled"),
        ("checksums", {}),
        ("simulated_workers", 4),
    ],
)
def test_runs_that_cannot_be_compared(fact, value):
    runs = [make_run([0.5]), make_run([0.5], agent="b", repeat=3, **{fact: value})]
    with pytest.raises(ValueError, match=f"cannot be compared: {fact} is .* for b, repeat 3"):
        by_problem(runs)
