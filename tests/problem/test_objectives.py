import numpy as np
import pytest

from blox_env import BloxSpace, SearchSpace
from blox_env.problem.objectives import Objectives
from tests.toys import ToyBenchmark, ToyDevice

SPACE = BloxSpace()
X = SPACE.sample(np.random.default_rng(0), 5)


class Told(ToyBenchmark):
    """Tells FLOPs, of some architectures."""

    columns = ("flops",)
    known = True

    def column(self, name, x):
        numbers = self.space.index(x).astype(float)
        return numbers if self.known else np.full(len(numbers), np.nan)


def test_costs_count_with_a_minus():
    names = ("val_acc", "latency_ms", "params", "reward")
    objectives = Objectives(names, ToyBenchmark(), ToyDevice())
    one, two, three = np.full((3, 5), [[1.0], [2.0], [3.0]])
    values = objectives.values(X, reward=one, val_acc=two, latency_ms=three)
    np.testing.assert_array_equal(values[0], [2.0, -3.0, -SPACE.params(X)[0], 1.0])
    assert len(objectives) == values.shape[1] == 4


def test_sizes_come_from_the_space_or_from_the_benchmark():
    objectives = Objectives(("macs", "flops"), Told(), None)
    np.testing.assert_array_equal(objectives.size_of("macs", X), SPACE.macs(X))
    np.testing.assert_array_equal(objectives.size_of("flops", X), SPACE.index(X))


@pytest.mark.parametrize(
    ("names", "benchmark", "message"),
    [
        ("latency", ToyBenchmark(), "did you mean 'latency_ms'"),
        ((), ToyBenchmark(), "must be different names"),
        (("reward", "reward"), ToyBenchmark(), "must be different names"),
        ("latency_ms", ToyBenchmark(), "needs a device, got device=None"),
        ("flops", ToyBenchmark(), "tells it of every architecture"),
        ("params", ToyBenchmark(SearchSpace((3, 3))), "tells it of every architecture"),
    ],
)
def test_what_nothing_tells(names, benchmark, message):
    with pytest.raises(ValueError, match=message):
        Objectives(names, benchmark, None)


def test_a_column_with_gaps_is_no_objective():
    benchmark = Told()
    benchmark.known = False
    with pytest.raises(ValueError, match="tells it of every architecture"):
        Objectives("flops", benchmark, None)
    with pytest.raises(TypeError, match="must be a name or names"):
        Objectives(3, benchmark, None)
