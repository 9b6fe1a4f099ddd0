"""Under noise, what counts is what is true of what a search took for the best."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from blox_env.analysis.curves import regret_along
from blox_env.analysis.statistics import best_so_far, final_regret, regret_curves, summary
from blox_env.report.columns import notes
from tests.experiment.made_up import make_run

SEEN = [0.5, 0.9, 0.7, 0.95, 0.95]
TRUE = [0.6, 0.4, 0.8, 0.7, 0.9]


def run(**changes):
    return make_run(SEEN, extra={"true_reward": np.array(TRUE)}, noise="sampled", **changes)


def test_the_search_chooses_and_the_truth_counts() -> None:
    # the first of equals stays the best, as in a history
    np.testing.assert_array_equal(best_so_far(run()), [0.6, 0.4, 0.4, 0.7, 0.7])
    np.testing.assert_allclose(regret_curves([run()])[1], [[0.4, 0.6, 0.6, 0.3, 0.3]])
    where = np.array([5.0, 4.0, 3.0, 2.0, 1.0])  # the last trial ended first
    along = regret_along(run(), where, np.array([0.5, 1.0, 2.5, 9.0]), 1.0)
    np.testing.assert_allclose(along, [math.nan, 0.1, 0.1, 0.1])
    assert final_regret(run(), 1.0) == pytest.approx(0.3)
    assert final_regret(run(), 1.0, seen=True) == pytest.approx(0.05)


def test_runs_that_do_not_tell_keep_what_was_seen() -> None:
    np.testing.assert_array_equal(best_so_far(make_run(SEEN)), [0.5, 0.9, 0.9, 0.95, 0.95])
    part = make_run([0.9, 0.5], epochs=[1, 4])
    part = replace(part, facts=replace(part.facts, epochs=4))
    np.testing.assert_array_equal(best_so_far(part), [-np.inf, 0.5])


def test_the_report_says_both() -> None:
    rows = summary([run()])
    assert rows[0].regret.median == pytest.approx(0.3)
    assert rows[0].seen_regret.median == pytest.approx(0.05)
    assert "Regret is by means, which the searches did not see" in notes(rows)
    assert "in the median: a 0.05." in notes(rows)
