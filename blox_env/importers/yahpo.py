"""YAHPO Gym's folder ``nb301``: a model of NAS-Bench-301's trainings, and what its inputs mean."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from blox_env.benchmarks.yahpo import SCHEMA, open_model
from blox_env.ground.files import write_new
from blox_env.spaces.darts.notation import setting_table
from blox_env.store.placing import MODEL, MODEL_FACTS

SOURCE_MODEL, SOURCE_SETTINGS = "model_v2.onnx", "encoding_v2.json"
_LONGEST = {SOURCE_MODEL: 64 * 2**20, SOURCE_SETTINGS: 2**20}  # bytes; the real ones: 2.8 M, 7 k
_WHAT = (
    "a model fitted on the trainings of NAS-Bench-301 (Zela et al., ICLR 2022) by YAHPO Gym "
    "(Pfisterer et al., AutoML 2022; Apache-2.0), imported: CIFAR-10 validation accuracy of DARTS "
    "cells after 1 to 98 epochs. It predicts, nothing was trained here, and it knows no noise"
)


def is_yahpo(paths: list[Path]) -> bool:
    """Tell YAHPO's folder by the names of its files."""
    return len(paths) == 1 and (paths[0] / SOURCE_MODEL).is_file()


def import_yahpo(source: Path, folder: Path, name: str | None = None) -> dict[str, Any]:
    """Copy the model into a folder with what it says of itself; returns that.

    Args:
        source: YAHPO's folder.
        folder: an empty one to write to.
        name: of the benchmark.

    Raises:
        ValueError: for a file that is missing, too large or not what it should be; names it.
    """
    content = {}
    for file, longest in _LONGEST.items():
        path = source / file
        if not path.is_file():
            raise ValueError(f"{source}: {file} is missing beside {SOURCE_MODEL}")
        if path.stat().st_size > longest:
            raise ValueError(f"{path}: expected at most {longest} bytes")
        content[file] = path.read_bytes()
    try:
        settings = json.loads(content[SOURCE_SETTINGS])
        setting_table(settings)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{source / SOURCE_SETTINGS}: {error}") from None
    open_model(content[SOURCE_MODEL], source / SOURCE_MODEL)
    digests = {file: hashlib.sha256(data).hexdigest() for file, data in content.items()}
    facts = {
        "schema": SCHEMA,
        "kind": "yahpo-nb301",
        "name": name or "nb301",
        "space": "darts",
        "description": _WHAT,
        "model_sha256": digests[SOURCE_MODEL],
        "settings": settings,
        "devices": {},
        "sources": [
            {"file": file, "sha256": digests[file], "bytes": len(content[file])} for file in content
        ],
    }
    write_new(folder / MODEL, [content[SOURCE_MODEL]])
    write_new(folder / MODEL_FACTS, [json.dumps(facts, indent=1).encode()])
    return facts
