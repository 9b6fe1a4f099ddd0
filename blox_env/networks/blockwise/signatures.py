"""Signatures of the blocks in a folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from blox_env.networks.blockwise.weights import read_facts_of
from blox_env.networks.signatures import MEASURES, Signatures
from blox_env.spaces.blox import BLOCKS, STAGES


def read_signatures(folder: str | Path) -> Signatures:
    """Signatures of all blocks in a folder that :func:`distil_all` filled, as far as it came.

    Args:
        folder: of the blocks of one teacher.
    """
    tables = {name: np.full((STAGES, len(BLOCKS)), np.nan) for name in (*MEASURES, "seconds")}
    for file in sorted(Path(folder).glob("stage*-block*.npz")):
        facts = read_facts_of(file)
        place = facts["stage"], facts["block"]
        for name in MEASURES:
            value = facts[name]
            tables[name][place] = value[-1] if isinstance(value, list) else value
        timed = Path(folder) / "seconds" / f"{file.stem}.json"
        tables["seconds"][place] = json.loads(timed.read_text())
    return Signatures(**tables)
