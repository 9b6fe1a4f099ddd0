"""What trainings with one seed have in common."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from blox_env.benchmarks.levels import SHARED, seed_levels, take_off
from blox_env.benchmarks.trainings import Trainings


def trainings(
    row: NDArray[np.int64], seed: NDArray[np.int64], level: NDArray[np.float64], noise: float
) -> Trainings:
    """Trainings of architectures that differ, with a level that depends on the seed."""
    rng = np.random.default_rng(7)
    value = 0.5 + 0.001 * row + level
    curve = np.column_stack([value - 0.1, value]) + rng.normal(0, noise, (len(row), 2))
    n = len(row)
    return Trainings(
        header={},
        x=np.column_stack([row, row, row]),
        seed=seed,
        val_acc=curve,
        test_acc=value + rng.normal(0, noise, n),
        train_time_s=np.full(n, np.nan),
        asked_by=np.full(n, "uniform"),
        ran_on=np.full(n, "cpu"),
    )


def test_levels_of_shared_seeds_are_found_and_taken_off() -> None:
    row = np.repeat(np.arange(40), 3)
    seed = np.tile([4, 5, 9], 40)
    true = {4: 0.02, 5: 0.0, 9: -0.02}
    raw = trainings(row, seed, np.vectorize(true.get)(seed), 0.002)
    levels = seed_levels(raw)
    assert levels.seed.tolist() == [4, 5, 9]
    # only differences between seeds can be seen: they are around their own mean
    assert levels.level[:, 1] == pytest.approx([0.02, 0, -0.02], abs=0.002)
    assert 0.01 < levels.std[1] < 0.03
    even = take_off(raw, levels)
    by_seed = [even.val_acc[seed == s, -1].mean() for s in (4, 5, 9)]
    assert np.ptp(by_seed) < 0.002
    assert np.ptp([even.test_acc[seed == s].mean() for s in (4, 5, 9)]) < 0.002
    assert raw.val_acc[0, -1] == pytest.approx(0.52, abs=0.01)  # the trainings given are unchanged


def test_a_table_of_one_lucky_seed_is_levelled_by_own_seeds() -> None:
    """Most architectures have seed 0, some also a seed of their own, whose mean is the truth."""
    row = np.concatenate([np.arange(300), np.arange(80)])
    seed = np.concatenate([np.zeros(300, int), np.arange(1000, 1080)])
    raw = trainings(row, seed, 0.03 * (seed == 0), 0.004)
    levels = seed_levels(raw)
    assert levels.seed.tolist() == [0]
    assert levels.level[0, -1] == pytest.approx(0.03, abs=0.003)
    even = take_off(raw, levels)
    assert even.val_acc[:300, -1].mean() == pytest.approx(0.5 + 0.1495, abs=0.004)
    assert (even.val_acc[300:] == raw.val_acc[300:]).all()


def test_without_levels_nothing_is_invented() -> None:
    rng = np.random.default_rng(3)
    row, seed = np.repeat(np.arange(60), 2), np.tile([0, 1], 60)
    raw = trainings(row, seed, np.zeros(120), 0.01)
    levels = seed_levels(raw)
    assert (np.abs(levels.level) < 3 * 0.01 / np.sqrt(60)).all()
    single = trainings(rng.permutation(60), np.zeros(60, int), np.zeros(60), 0.01)
    assert (seed_levels(single).level == 0).all()
    assert (take_off(single, seed_levels(single)).val_acc == single.val_acc).all()


def test_seeds_of_few_architectures_are_left_alone() -> None:
    row = np.repeat(np.arange(30), 2)
    seed = np.arange(60)
    seed[:SHARED] = 7
    raw = trainings(row, seed, np.zeros(60), 0.01)
    assert seed_levels(raw).seed.tolist() == [7]
    own = trainings(row, np.arange(100, 160), np.zeros(60), 0.01)
    assert len(seed_levels(own).seed) == 0
    assert take_off(own, seed_levels(own)) is own


def test_facts_tell_the_last_validation_accuracy() -> None:
    row, seed = np.repeat(np.arange(40), 2), np.tile([0, 1], 40)
    levels = seed_levels(trainings(row, seed, 0.02 * seed, 0.001))
    facts = levels.facts()
    assert facts["std_of_seeds"] == levels.std[1]
    assert [line["level"] for line in facts["levels"]] == levels.level[:, 1].tolist()
