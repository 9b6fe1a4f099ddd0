import numpy as np
import pytest

from blox_env import Problem, SearchSpace
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
    assert history.best() == int(np.argmax(history.reward))
    with pytest.raises(ValueError, match="read-only"):
        history.x[0, 0] = 1


def test_pandas_has_a_row_a_trial():
    pytest.importorskip("pandas")
    p = problem()
    p.evaluate([[0, 0], [1, 1]])
    frame = p.history.to_pandas()
    assert list(frame.columns[:2]) == ["x0", "x1"]
    assert frame["reward"].tolist() == p.history.reward.tolist()
