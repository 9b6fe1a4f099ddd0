from blox_env import load_benchmark
from blox_env.benchmarks.digits import digits


def test_the_embedded_benchmark_is_whole_and_says_what_it_is():
    benchmark = digits()
    benchmark.verify()
    assert benchmark.name == "digits"
    assert "8×8 handwritten digits" in benchmark.description
    assert benchmark.checksum() == load_benchmark("digits").checksum()
