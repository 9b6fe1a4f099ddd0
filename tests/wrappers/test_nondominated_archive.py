import numpy as np
import pytest

from blox_env import (
    BloxEnv,
    BloxVectorEnv,
    MOBloxEnv,
    MOBloxVectorEnv,
    wrappers,
)
from blox_env.problem.pareto import front
from tests.wrappers.building import TOYS, build


@pytest.mark.parametrize("batch", [1, 7, 50])
def test_archive_is_the_front_of_all_that_was_built(batch):
    env = wrappers.NondominatedArchiveVector(
        BloxVectorEnv(batch, **TOYS, granularity="whole", autoreset_mode="SameStep")
    )
    env.reset(seed=0)
    rng = np.random.default_rng(batch)
    rows = rng.integers(45, size=(350, 3))
    for part in rows.reshape(-1, batch, 3):
        env.step(part)
    trials = env.unwrapped.problem.peek(np.unique(rows, axis=0))
    values = np.column_stack([trials.val_acc, -trials.latency_ms])
    best = front(values, maximise=True)
    order = np.argsort(-values[best][:, 0], kind="stable")
    np.testing.assert_array_equal(env.archive.values, values[best][order])
    assert {*map(tuple, env.archive.x)} == {*map(tuple, trials.x[best])}
    reference = [0.5, -5.0]
    pytest.importorskip("moocore")
    assert env.archive.hypervolume(reference) > 0
    assert wrappers.Archive().hypervolume(reference) == 0


def test_archive_takes_the_objectives_of_the_environment():
    env = wrappers.NondominatedArchive(MOBloxEnv(**TOYS, objectives=("params", "val_acc")))
    _, reward, *_ = build(env)
    np.testing.assert_allclose(env.archive.values[0], reward, rtol=1e-6)
    other = wrappers.NondominatedArchive(BloxEnv(**TOYS), ["val_acc", "macs"], env.archive)
    assert other.archive is env.archive


def test_the_whole_table_gives_the_front_of_the_environment():
    mo = MOBloxEnv(**TOYS)
    env = wrappers.NondominatedArchiveVector(MOBloxVectorEnv(45**2, **TOYS, granularity="whole"))
    every = mo.problem.space.all()
    for part in np.array_split(every, 45):
        env.reset()
        env.step(part)
    np.testing.assert_allclose(
        np.unique(env.archive.values, axis=0)[::-1], mo.pareto_front(1.0), rtol=1e-6
    )
