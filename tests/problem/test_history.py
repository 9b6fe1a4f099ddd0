import numpy as np
import pytest

from blox_env import Problem, SearchSpace
from blox_env.problem.history import History, Trials
from tests.toys import ToyBenchmark, ToyDevice

SMALL = SearchSpace((4, 3), name="small")


def problem(**arguments):
    space = arguments.pop("space", SMALL)
    return Problem(ToyBenchmark(space), ToyDevice(space), **{"budget": 5, **arguments})


def test_history_columns_and_incumbent():
    p = problem()
    p.evaluate([[0, 0], [1, 1], [2, 2]])
    history = p.history
    assert history.incumbent().tolist() == np.maximum.accumulate(history.reward).tolist()
    assert history.best.row == int(np.argmax(history.reward))
    with pytest.raises(ValueError, match="read-only"):
        history.x[0, 0] = 1


def test_pandas_has_a_row_a_trial():
    pytest.importorskip("pandas")
    p = problem()
    p.evaluate([[0, 0], [1, 1]])
    frame = p.history.to_pandas()
    assert list(frame.columns[:2]) == ["x0", "x1"]
    assert frame["reward"].tolist() == p.history.reward.tolist()


def test_nan_never_wins():
    history = History(2)
    values = np.array([0.5, np.nan, 0.4])
    ones = np.ones(3, bool)
    trials = Trials(
        np.zeros((3, 2), np.int64), values, values, values, values, np.full(3, "trained"),
        ones, ones, np.ones(3),
    )  # fmt: skip
    history.append(trials, np.arange(3), 1, 0)
    assert history.best() == 0
    assert history.incumbent().tolist() == [0.5, 0.5, 0.5]
    history.append(trials, np.array([1]), 1, 3)
    assert history.best() == 0
