"""The embedded benchmarks: width-8 Blox networks really trained, predicted where they were not."""

from __future__ import annotations

from pathlib import Path

from blox_env.benchmarks.model import ModelBenchmark
from blox_env.benchmarks.table import TableBenchmark, from_folder

FOLDER = Path(__file__).parents[1] / "data" / "benchmarks"


def cifar10() -> TableBenchmark:
    """CIFAR-10 at 16 × 16 pixels; see its card for what its numbers are worth."""
    return from_folder(FOLDER / "cifar10")


def digits() -> TableBenchmark:
    """Noisy 8 × 8 digits; see its card for what its numbers are worth."""
    return from_folder(FOLDER / "digits")


def bloxxl_digits() -> ModelBenchmark:
    """The digits of :func:`digits` on the 45^12 networks of BloxXL: a model of trainings."""
    return ModelBenchmark(FOLDER / "bloxxl-digits")
