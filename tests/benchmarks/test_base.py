import numpy as np
import pytest

from blox_env import load_benchmark
from blox_env.benchmarks.base import Benchmark, Evaluation
from tests.toys import ToyBenchmark


def test_epochs_are_checked():
    benchmark = ToyBenchmark()
    assert benchmark.check_epochs(None) == benchmark.check_epochs(10) == 10
    with pytest.raises(ValueError, match=r"epochs must be in 1 … 10, got 11"):
        benchmark.check_epochs(11)
    benchmark.provides = frozenset()
    with pytest.raises(ValueError, match="has no learning curves: epochs must be None"):
        benchmark.check_epochs(3)


def test_what_a_benchmark_need_not_know():
    benchmark = ToyBenchmark()
    assert (benchmark.description, dict(benchmark.card), benchmark.columns) == ("", {}, ())
    with pytest.raises(ValueError, match="unknown column 'flops'"):
        benchmark.column("flops", [[0, 0, 0]])
    assert benchmark.checksum() == "tests.toys.ToyBenchmark"


def test_evaluations_are_frozen():
    one = np.ones(1)
    evaluation = Evaluation(one, one, one, one, np.array(["trained"]))
    assert evaluation.source.tolist() == ["trained"]
    with pytest.raises(AttributeError, match="val_acc"):
        evaluation.val_acc = one * 2


def test_names_and_what_they_give():
    benchmark = ToyBenchmark()
    assert load_benchmark(benchmark) is benchmark
    assert load_benchmark("digits") is load_benchmark("digits")
    with pytest.raises(TypeError, match="must give a Benchmark"):
        load_benchmark("tests.toys:ToyDevice")


def test_the_interface_is_abstract():
    with pytest.raises(TypeError, match="evaluate"):
        Benchmark()
