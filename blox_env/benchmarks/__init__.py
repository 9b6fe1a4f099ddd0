"""Where accuracy comes from."""

from blox_env.benchmarks.base import Benchmark, Evaluation, load_benchmark

__all__ = ["Benchmark", "Evaluation", "load_benchmark"]
