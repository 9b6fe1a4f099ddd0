"""Benchmarks in folders that are models which ``blox-env import`` took over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blox_env.benchmarks import nasbench301, yahpo
from blox_env.benchmarks.base import Benchmark
from blox_env.store.placing import MODEL_FACTS


def from_folder(folder: str | Path) -> Benchmark:
    """The benchmark in a folder, by what its facts say."""
    if _kind(Path(folder)) == nasbench301.KIND:
        return nasbench301.NASBench301Benchmark(folder)
    return yahpo.YahpoBenchmark(folder)


def facts_of(folder: Path) -> dict[str, Any]:
    """The checked facts of a folder.

    Raises:
        ValueError: where they are missing or damaged; names the file.
    """
    if _kind(folder) == nasbench301.KIND:
        return nasbench301.read_facts(folder)
    return yahpo.read_facts(folder)


def _kind(folder: Path) -> object:
    """The word for what it is, None where that cannot be read; then reading says why."""
    try:
        facts = json.loads((folder / MODEL_FACTS).read_bytes())
    except (ValueError, RecursionError, OSError):
        return None
    return facts.get("kind") if isinstance(facts, Mapping) else None
