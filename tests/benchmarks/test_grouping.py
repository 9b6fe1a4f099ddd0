"""Trainings by architecture, on trainings with a known truth."""

from dataclasses import replace

import numpy as np
import pytest

from blox_env.benchmarks.grouping import group, noise_table
from tests.benchmarks.test_build import EPOCHS, NOISE, made_up

pytestmark = pytest.mark.extra


def test_noise_table_has_the_size_of_the_noise():
    table = noise_table(made_up())
    assert table.shape == (180, EPOCHS + 2)
    assert (np.diff(table[:, 0]) >= 0).all()
    assert np.sqrt((table[:, EPOCHS] ** 2).mean()) == pytest.approx(NOISE, rel=0.2)


def test_grouping_counts_and_averages():
    raw = made_up()
    grouped = group(raw, noise_table(raw))
    assert sorted(grouped.count.tolist()) == [1] * 90 + [3] * 60
    one = int(np.flatnonzero(grouped.count == 3)[0])
    rows = (raw.x == grouped.x[one]).all(axis=1)
    np.testing.assert_allclose(grouped.mean[one, 1:], raw.val_acc[rows].mean(axis=0))
    assert grouped.mean[one, 0] == pytest.approx(raw.test_acc[rows].mean())


def test_without_repeats_the_noise_is_unknown():
    raw = made_up(repeated=0)
    with pytest.raises(ValueError, match="no architecture was trained twice"):
        group(raw, noise_table(raw))


def test_what_optimisers_found_is_told_from_what_was_drawn():
    raw = made_up()
    first = (raw.x == raw.x[0]).all(axis=1)
    second = (raw.x == raw.x[1]).all(axis=1)
    asked = np.full(len(raw), "uniform", dtype="<U40")
    asked[first] = "round1:local-search:accuracy"  # every training of it
    asked[np.flatnonzero(second)[0]] = "round1:top"  # one of three: it had been drawn before
    grouped = group(replace(raw, asked_by=asked), noise_table(raw))
    assert grouped.x[grouped.found].tolist() == [raw.x[0].tolist()]
    assert grouped.uniform.sum() == len(grouped.x) - 1
