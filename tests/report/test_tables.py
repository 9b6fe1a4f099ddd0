import numpy as np
import pytest

from blox_env.analysis.scores import REGRET, on_one, yardstick
from blox_env.analysis.statistics import summary
from blox_env.report import tables
from tests.experiment.made_up import make_run

RUNS = [
    make_run([level + 0.01 * seed], latency=[5], agent=agent, seed=seed)
    for agent, level in (("good", 0.8), ("bad", 0.1))
    for seed in range(6)
]
TO = yardstick(RUNS)


def columns(grid):
    names = [heading.text for heading in grid.headings]
    return [dict(zip(names, row, strict=True)) for row in grid.rows]


def test_estimates_have_an_agent_a_row():
    grid = tables.estimates(RUNS, TO)
    assert [row["agent"].text for row in columns(grid)] == ["bad", "good"]
    assert [row["runs"].values for row in columns(grid)] == [(6,), (6,)]
    middle, low, high = columns(grid)[1]["simple regret"].values
    assert low <= middle <= high
    assert middle == pytest.approx(np.mean([0.19, 0.18, 0.17, 0.16]), abs=1e-9)


def test_probabilities_of_a_pair_add_up_to_one():
    pooled = on_one(RUNS, REGRET, TO)
    cells = {row["agent"].text: row for row in columns(tables.matrix(pooled))}
    assert cells["good"]["good"].text == "·"
    better, worse = cells["good"]["bad"].values[0], cells["bad"]["good"].values[0]
    assert (better, worse) == (1.0, 0.0)
    assert [row["agent"].text for row in columns(tables.pairs(pooled))] == ["bad", "good"]


def test_descriptive_numbers_are_those_of_the_summary():
    rows = summary(RUNS)
    grid = tables.descriptive(rows)
    for row, shown in zip(rows, columns(grid), strict=True):
        assert shown["validation accuracy"].values[0] == pytest.approx(row.val_acc.median)


def test_every_run_has_its_row():
    grid = tables.every_run(RUNS, TO.best)
    shown = columns(grid)
    assert len(shown) == len(RUNS)
    assert shown[0]["regret"].values == pytest.approx((0.2,))
    assert shown[0]["agent"].text == "good"
