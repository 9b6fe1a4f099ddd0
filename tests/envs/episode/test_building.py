"""One episode in plain numbers against the same in arrays."""

import numpy as np
import pytest

from blox_env import BloxEnv
from blox_env.envs.config import EnvConfig
from blox_env.envs.episode.rules import Rules
from tests.toys import BoundedDevice, ToyBenchmark, ToyDevice, huge_space


@pytest.mark.parametrize("granularity", ["block", "operation"])
@pytest.mark.parametrize("budget", [None, 2.6])
def test_plain_numbers_do_what_arrays_do(granularity, budget):
    config = EnvConfig(
        ToyBenchmark(), ToyDevice(), granularity=granularity, latency_budget_ms=budget
    )
    moves = Rules(config).moves
    rng = np.random.default_rng(0)
    ends = {"refused": 0, "complete": 0}
    for _ in range(200):
        one, many = moves.position(1), moves.position(1)
        for position in (one, many):
            moves.begin(position, slice(None), None)
        over = False
        while not over:
            allowed = np.flatnonzero(moves.masks(many)[0])
            action = rng.choice(allowed) if rng.random() < 0.9 else rng.integers(moves.actions)
            quick = moves.glide(one, int(action))
            moved = moves.advance(many, np.array([action]), None)
            for name in ("cells", "nodes", "places"):
                np.testing.assert_array_equal(getattr(one, name), getattr(many, name))
            np.testing.assert_array_equal(moves.masks(one), moves.masks(many))
            if moved.refused is not None:
                assert quick.refused.tolist() == moved.refused.tolist() == [0]
                ends["refused"], over = ends["refused"] + 1, True
            elif moved.complete is not None:
                np.testing.assert_array_equal(quick.rows, moved.rows)
                ends["complete"], over = ends["complete"] + 1, True
            else:
                assert quick is None
    free = granularity == "block" and budget is None
    assert ends["complete"] > 10
    assert (ends["refused"] == 0) if free else (ends["refused"] > 10)


def test_idle_episodes_stay_where_they_are():
    moves = Rules(EnvConfig(ToyBenchmark(), None)).moves
    position = moves.position(3)
    moves.begin(position, slice(None), None)
    before = position.cells.copy()
    moves.advance(position, np.array([1, 2, 3]), np.array([False, True, False]))
    assert (position.cells != before).any(axis=1).tolist() == [True, False, True]
    assert moves.filled(position).tolist() == [1, 0, 1]


def test_what_bounds_allow_may_be_refused_in_the_end():
    class Slower(BoundedDevice):
        def latency_ms(self, x):
            return 0.5 + super().latency_ms(x)

    space = huge_space()
    env = BloxEnv(ToyBenchmark(space), Slower(space), latency_budget_ms=2.3)
    env.reset()
    over = False
    while not over:
        *_, over, _, info = env.step(0)
    assert info["invalid"]
    assert np.isnan(info["val_acc"])
