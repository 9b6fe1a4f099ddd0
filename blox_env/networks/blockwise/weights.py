"""Weights of networks in a file: plain arrays, and what they are of as JSON."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.files import write_atomic

Weights = dict[str, NDArray[Any]]
_FACTS = "facts"


def write_weights(path: str | Path, weights: Mapping[str, NDArray[Any]], facts: Any) -> None:
    """Write arrays and facts as one file that is there whole or not at all; equal ones are equal.

    Args:
        path: of the file.
        weights: the arrays by name.
        facts: what JSON can hold.
    """
    text = np.array(json.dumps(facts, sort_keys=True))
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **{_FACTS: text}, **dict(weights))
    write_atomic(path, buffer.getvalue())


def read_facts_of(path: str | Path) -> dict[str, Any]:
    """Contents of a file of weights.

    Raises:
        ValueError: names a file that is damaged.
    """
    return _read(path, only_facts=True)[1]


def read_weights(path: str | Path) -> tuple[Weights, dict[str, Any]]:
    """Arrays and facts of a file.

    Raises:
        ValueError: names a file that is damaged.
    """
    return _read(path)


def _read(path: str | Path, only_facts: bool = False) -> tuple[Weights, dict[str, Any]]:
    try:
        with np.load(path, allow_pickle=False) as opened:
            facts = json.loads(str(opened[_FACTS]))
            names = [] if only_facts else [name for name in opened.files if name != _FACTS]
            weights = {name: opened[name] for name in names}
    except (zipfile.BadZipFile, KeyError, EOFError, ValueError) as error:
        raise ValueError(f"{path} is no file of weights, or damaged: {error}") from error
    if not isinstance(facts, dict):
        raise ValueError(f"{path} is no file of weights: expected facts by name, got {facts!r}")
    return weights, facts


def weights_hash(weights: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 over names and values, 16 hex digits: equal weights, equal hash."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(weights[name]).tobytes())
    return digest.hexdigest()[:16]
