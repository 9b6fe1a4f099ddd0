"""Arrays in the order and codes of NAS-Bench-301's configuration space."""

import json

import numpy as np

from blox_env.spaces.darts import DartsSpace
from blox_env.spaces.darts.configspace import COLUMNS, FIXED, array_tables


def test_columns_and_codes_are_those_of_the_configuration_space(reference):
    space = json.loads((reference / "nasbench301-configspace.json").read_text())
    known = {each["name"]: each for each in space["hyperparameters"]}
    assert list(known) == list(COLUMNS)
    base, tables = array_tables()
    darts = DartsSpace()
    rows = darts.sample(np.random.default_rng(0), 500)
    arrays = base + sum(table[rows[:, slot]] for slot, table in enumerate(tables))
    for row, array in zip(rows, arrays, strict=True):
        active = darts.to_configuration(row)
        for name, value in zip(COLUMNS, array, strict=True):
            if name in FIXED:
                assert value == FIXED[name]
            elif name in active:
                assert known[name]["choices"][int(value)] == active[name]
            else:
                assert value == -1


def test_settings_of_the_training_are_within_their_ranges():
    # ConfigSpace's own numbers of a batch of 96 in 64 … 128 and a momentum of 0.9 in 0.1 … 0.99
    batch = (np.log(96) - np.log(63.50001)) / (np.log(128.49999) - np.log(63.50001))
    np.testing.assert_allclose(FIXED["CreateImageDataLoader:batch_size"], batch, rtol=1e-14)
    assert round(FIXED["OptimizerSelector:sgd:momentum"], 6) == round(0.8 / 0.89, 6)
    scaled = [value for name, value in FIXED.items() if "sgd:" not in name]
    assert all(0 <= value <= 1 for value in scaled)
