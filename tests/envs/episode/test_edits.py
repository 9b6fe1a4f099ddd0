import itertools

import numpy as np
import pytest

from blox_env import SearchSpace
from blox_env.envs.config import EnvConfig
from blox_env.envs.episode.rules import Rules
from tests.toys import ToyBenchmark, ToyDevice

SPACE = SearchSpace((4, 2, 3))


@pytest.mark.parametrize("budget", [None, 2.06])
def test_edits_set_one_slot_and_stay_within_the_budget(budget):
    device = ToyDevice(SPACE)
    config = EnvConfig(ToyBenchmark(SPACE), device, latency_budget_ms=budget)
    edits = Rules(config, edits=True).moves
    rows = SPACE.all()
    if budget is not None:
        rows = rows[device.latency_ms(rows) <= budget]
    actions = list(itertools.chain(*([(s, v) for v in range(n)] for s, n in enumerate((4, 2, 3)))))
    assert edits.action_space().n == len(actions) == 9
    masks = edits.allowed(rows)
    for row, mask in zip(rows, masks, strict=True):
        for number, (slot, value) in enumerate(actions):
            changed = row.copy()
            changed[slot] = value
            made = edits.apply(row[None], np.array([number]))[0]
            assert made.tolist() == changed.tolist()
            fits = budget is None or device.latency_ms(changed)[0] <= budget
            assert mask[number] == (fits or (changed == row).all())
