"""Accuracy of architectures: tables, surrogates, imported releases, trainings on request."""

from blox_env.benchmarks.base import Benchmark, Evaluation, load_benchmark

__all__ = ["Benchmark", "Evaluation", "load_benchmark"]
