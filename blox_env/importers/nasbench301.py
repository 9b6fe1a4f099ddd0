"""Folders of NAS-Bench-301's own models, ``nb_models_*/xgb_v*`` and ``lgb_*``: boosted trees.

Each member is a folder with ``surrogate_model.model``, a pickled booster, beside
``model_config.json`` and ``data_config.json``. Nothing of the pickle is run: the booster's bytes
are taken out, and its library reads them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from blox_env.benchmarks.boosters import SUFFIX, opened, text_of
from blox_env.benchmarks.nasbench301 import KIND, PARTS, SCHEMA, NASBench301Benchmark, digest
from blox_env.ground.booster_pickle import load_booster
from blox_env.ground.files import write_new
from blox_env.spaces.darts import DartsSpace
from blox_env.spaces.darts.configspace import COLUMNS, array_tables
from blox_env.store.placing import MODEL_FACTS

MEMBER, CONFIG, DATA = "surrogate_model.model", "model_config.json", "data_config.json"
_LIBRARIES = {"xgb": "xgboost", "lgb": "lightgbm"}
_TIME = "_time"  # how models of the seconds of a training are called
_LONGEST = {MEMBER: 2**28, CONFIG: 2**20, DATA: 2**20}  # bytes
_MOST = 100  # members
_RANGE = {"accuracy": (0.0, 100.0), "time": (0.0, 1e7)}  # percent, seconds
_SOME = 64  # cells for which every member is asked at the import
_WHAT = (
    "models of NAS-Bench-301 (Zela et al., ICLR 2022), imported: CIFAR-10 validation accuracy of "
    "DARTS cells after 98 epochs, the mean of {} members. They predict, nothing was trained here"
)


def is_nasbench301(paths: Sequence[Path]) -> bool:
    """Tell folders of these models by the names of their files."""
    return bool(paths) and all(path.is_dir() and _found(path) for path in paths)


def import_nasbench301(
    sources: Sequence[Path], folder: Path, name: str | None = None
) -> dict[str, Any]:
    """Write the members as texts of their libraries, with what is known of them; returns that.

    Args:
        sources: a folder of models of the accuracy, and if wanted one of models of the time.
        folder: an empty one to write to.
        name: of the benchmark.

    Raises:
        ValueError: for a file that is missing, too large or not what it should be; names it.
    """
    members: dict[str, list[dict[str, str]]] = {part: [] for part in PARTS}
    origins, found = [], []
    for source in sources:
        places = _found(source)
        if len(places) > _MOST:
            raise ValueError(f"{source}: expected at most {_MOST} members, got {len(places)}")
        kinds = {path: _kind(path.parent) for path in places}
        if len(set(kinds.values())) > 1:
            several = ", ".join(sorted({kind for kind, _ in kinds.values()}))
            raise ValueError(f"{source} has members of several models ({several}): name one folder")
        kind, part = kinds[places[0]]
        if members[part]:
            raise ValueError(f"{source}: there is a model of the {part} already")
        for number, path in enumerate(places):
            content = _read(path)
            text, library = _text(path, content, kind, part)
            file = f"{part}-{number}{SUFFIX[library]}"
            write_new(folder / file, [text.encode()])
            sha256 = hashlib.sha256(text.encode()).hexdigest()
            members[part].append({"file": file, "library": library, "sha256": sha256})
            origins.append(
                {
                    "file": path.relative_to(source.parent).as_posix(),
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "bytes": len(content),
                }
            )
        found.append(f"{source.name}: NAS-Bench-301's {kind}, {len(places)} members")
    if not members["accuracy"]:
        raise ValueError(
            f"{sources[0]}: models of the time need models of the accuracy beside them"
        )
    facts = {
        "schema": SCHEMA,
        "kind": KIND,
        "name": name or "nb301-models",
        "space": "darts",
        "description": _WHAT.format(len(members["accuracy"])),
        "model_sha256": digest(members),
        "members": members,
        "devices": {},
        "found": found,
        "sources": origins,
    }
    write_new(folder / MODEL_FACTS, [json.dumps(facts, indent=1).encode()])
    NASBench301Benchmark(folder)
    return facts


def _found(folder: Path) -> list[Path]:
    """Files of members in a folder and those below it, in order."""
    if (folder / MEMBER).is_file():
        return [folder / MEMBER]
    below = [path for depth in ("*", "*/*") for path in folder.glob(f"{depth}/{MEMBER}")]
    return sorted(below, key=lambda path: (len(path.parent.name), str(path)))


def _read(path: Path) -> bytes:
    longest = _LONGEST[path.name]
    if not path.is_file():
        raise ValueError(f"{path.parent}: {path.name} is missing beside {MEMBER}")
    if path.stat().st_size > longest:
        raise ValueError(f"{path}: expected at most {longest} bytes")
    return path.read_bytes()


def _json(path: Path) -> Mapping[str, Any]:
    try:
        facts = json.loads(_read(path))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{path}: {error}") from None
    if not isinstance(facts, Mapping):
        raise ValueError(f"{path}: expected settings by name")
    return facts


def _kind(folder: Path) -> tuple[str, str]:
    """Name of a member's model, and what it predicts: one of :data:`PARTS`."""
    _json(folder / DATA)
    config = _json(folder / CONFIG)
    kind = config.get("model")
    family = str(kind).removesuffix(_TIME)
    if family not in _LIBRARIES:
        known = ", ".join(f"{name} and {name}{_TIME}" for name in _LIBRARIES)
        raise ValueError(f"{folder / CONFIG}: models {known} are read, got {str(kind)[:50]!r}")
    if config.get("param:bananas_enc"):
        raise ValueError(
            f"{folder / CONFIG}: models on ConfigSpace's arrays are read, got param:bananas_enc"
        )
    return str(kind), "time" if str(kind).endswith(_TIME) else "accuracy"


def _text(path: Path, content: bytes, kind: str, part: str) -> tuple[str, str]:
    """The text of a member and its library, where it predicts what its folder says."""
    library = _LIBRARIES[kind.removesuffix(_TIME)]
    try:
        booster = load_booster(content)
        if booster.library != library:
            raise ValueError(f"expected a booster of {library}, got one of {booster.library}")
        text = text_of(booster, len(COLUMNS))
        said = opened(library, text, len(COLUMNS))(_some_arrays())
        low, high = _RANGE[part]
        if not (np.isfinite(said).all() and (said > low).all() and (said < high).all()):
            raise ValueError(
                f"expected predictions of the {part} between {low:g} and {high:g}, got "
                f"{said.min():.4g} … {said.max():.4g}"
            )
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return text, library


def _some_arrays() -> Any:
    base, tables = array_tables()
    rows = DartsSpace().sample(np.random.default_rng(0), _SOME)
    return base + sum(table[rows[:, slot]] for slot, table in enumerate(tables))
