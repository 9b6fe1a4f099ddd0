import math

import pytest

from blox_env.analysis.statistics import summary
from blox_env.report.columns import COLUMNS, notes, problem_title, sources, words
from tests.experiment.made_up import make_run

SHOWN = {column.field: column for column in COLUMNS}


@pytest.fixture
def row():
    runs = [make_run([0.5, 0.25 * (1 + seed)], seed=seed) for seed in range(3)]
    (row,) = summary(runs)
    return row


def test_numbers_are_in_the_units_of_the_heading(row):
    assert SHOWN["val_acc"].number(0.1234) == "12.34"
    assert SHOWN["val_acc"].number(math.nan) == "–"
    assert SHOWN["val_acc"].median(row) == "50.00"
    low, high = SHOWN["val_acc"].quartiles(row).split(" – ")
    assert float(low) <= 50 <= float(high)


def test_quartiles_that_say_nothing_are_left_out(row):
    assert SHOWN["evaluations"].quartiles(row) == ""


def test_the_notes_say_what_regret_is_to(row):
    assert "the best of the whole table." in notes([row])
    assert "Noise was sampled" not in notes([row])
    sampled = summary([make_run([0.5], noise="sampled", optimum=None)])
    assert "the best that any run found" in notes(sampled)
    assert "Noise was sampled" in notes(sampled)


def test_words_for_a_problem_and_its_sources(row):
    assert problem_title(row) == "benchmark toy, board, reward mnasnet"
    assert words({"trained": 1200, "surrogate": 1}) == "1,200 trained, 1 surrogate"
    assert words({}) == "source not recorded"
    assert sources([row, row], "acc_sources") == words(
        {name: 2 * count for name, count in row.acc_sources.items()}
    )
