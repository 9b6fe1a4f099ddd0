"""The embedded benchmark ``digits``: width-8 Blox networks really trained on noisy 8×8 digits."""

from __future__ import annotations

from pathlib import Path

from blox_env.benchmarks.table import TableBenchmark, from_folder

FOLDER = Path(__file__).parents[1] / "data" / "benchmarks" / "digits"


def digits() -> TableBenchmark:
    """Trained where trainings were collected, predicted by a surrogate elsewhere; see its card."""
    return from_folder(FOLDER)
