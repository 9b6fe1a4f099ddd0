"""Records of blockwise learning, as docs/blockwise.json holds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import blox_env
from blox_env.analysis.blockwise import by_key, truth_of
from blox_env.benchmarks import trainings
from blox_env.benchmarks.trainings import Trainings
from blox_env.networks.signatures import MEASURES, Signatures

DOCS = Path(__file__).resolve().parent
SEEDS = 20
TIMES = (50, 100)  # simulated time, in mean trainings

Records = dict[str, Any]


def trainings_of(name: str) -> Trainings:
    """The trainings that a benchmark was made from."""
    folder = Path(blox_env.__file__).parent / "data" / "benchmarks" / name
    return trainings.read(folder / "trainings.csv")


def signatures_of(entry: Records) -> Signatures:
    """Signatures of one teacher's entry."""
    return Signatures(*(np.array(entry[name]) for name in (*MEASURES, "seconds")))


def tuned_of(records: Records, teacher: str, kind: str, epochs: int) -> dict[Any, Records]:
    """Networks of one teacher, kind and length.

    Args:
        records: of a benchmark.
        teacher: its name.
        kind: of the training.
        epochs: of the training.
    """
    return by_key(records["networks"], teacher=teacher, kind=kind, epochs=epochs)


def truth(name: str, rows: list[Any]) -> np.ndarray:
    """Mean accuracy from scratch of architectures, from the collected trainings.

    Args:
        name: of the benchmark.
        rows: the architectures.
    """
    known = trainings_of(name)
    return truth_of(blox_env.BloxSpace(), known.x, known.val_acc[:, -1], rows)


def lengths(records: Records) -> list[tuple[str, int]]:
    """Teachers and numbers of epochs that networks were fine-tuned for."""
    return sorted(
        {(n["teacher"], n["epochs"]) for n in records["networks"] if n["kind"] == "fine-tuned"}
    )
