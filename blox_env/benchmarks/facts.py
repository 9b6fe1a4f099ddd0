"""The JSON file that says what a benchmark's folder holds, read and checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def read_facts(path: Path, fields: Mapping[str, type], schema: int) -> dict[str, Any]:
    """Read a file of facts; the fields ``schema`` and ``epochs`` are compared as well.

    Args:
        path: of the file.
        fields: that it has to have, and their types.
        schema: that it has to be of.

    Raises:
        ValueError: where it is missing, damaged or of another schema.
    """
    try:
        facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{path.parent} is not a benchmark: {path.name} is missing") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    for field, kind in fields.items():
        if not isinstance(facts, dict) or field not in facts:
            raise ValueError(f"{path}: the field {field!r} is missing")
        if not isinstance(facts[field], kind):
            raise ValueError(f"{path}: {field} must be {kind.__name__}, got {facts[field]!r}")
    if facts["schema"] != schema:
        raise ValueError(f"{path}: expected schema {schema}, got {facts['schema']!r}")
    if facts["epochs"] < 1:
        raise ValueError(f"{path}: epochs must be at least 1, got {facts['epochs']}")
    return facts
