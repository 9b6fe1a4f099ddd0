"""Folders of policies: a card, the same in words, and one file of arrays that is checked."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.errors import shown, unknown_name
from blox_env.ground.files import file_hash, json_text, write_files
from blox_env.policies.card import card_text
from blox_env.policies.policy import Layers, Policy
from blox_env.spaces import SPACES
from blox_env.store.arrays import UNREADABLE, arrays_bytes, read_arrays

CARD, WORDS, WEIGHTS = "card.json", "CARD.md", "weights.npz"
FORMAT = 1
LARGEST = 5_000_000  # bytes of weights; what is larger is no policy of this package
_WANTED = {
    "format": int,
    "name": str,
    "description": str,
    "space": str,
    "environment": dict,
    "goal": dict,
    "expects": dict,
    "network": dict,
    "files": dict,
}
_GOAL = {
    "latency_target": {"low_ms": float, "high_ms": float, "knots": int},
    "device": {"probes": int, "scale": float},
}


def read_policy(folder: str | os.PathLike[str]) -> Policy:
    """The policy in a folder that :func:`write_policy` wrote. Nothing in it is executed.

    Args:
        folder: with ``card.json`` and ``weights.npz``.

    Raises:
        FileNotFoundError: a file of the folder is missing.
        ValueError: a file is damaged or another one's; names it, what was expected and what came.
    """
    path = Path(folder) / CARD
    card = _read_card(path)
    space = SPACES[card["space"]]()
    weights = _read_weights(Path(folder) / WEIGHTS, card["files"].get(WEIGHTS))
    inputs = sum(space.options) + card["goal"].get("knots", card["goal"].get("probes", 0))
    hidden, where = card["network"], Path(folder) / WEIGHTS
    actor = _layers(where, weights, "actor", (inputs, *hidden["actor"], max(space.options)))
    critic = _layers(where, weights, "critic", (inputs, *hidden["critic"], 2))
    return Policy(card, space, actor, critic)


def write_policy(
    folder: str | os.PathLike[str], card: Mapping[str, Any], weights: Mapping[str, NDArray[Any]]
) -> Path:
    """Write a policy: its arrays in half precision, the card with their checksum, and in words.

    Args:
        folder: where to, made if it is not there.
        card: what it is; ``format`` and ``files`` are added.
        weights: ``actor0.weight``, ``actor0.bias`` and so on, ``critic0.weight`` …

    Returns:
        The folder.
    """
    data = arrays_bytes(
        {name: np.asarray(each, dtype=np.float16) for name, each in weights.items()}
    )
    whole = {"format": FORMAT, **card, "files": {WEIGHTS: hashlib.sha256(data).hexdigest()}}
    place = Path(folder)
    write_files(
        {
            place / WEIGHTS: data,
            place / WORDS: card_text(whole, len(data)),
            place / CARD: json_text(whole),
        }
    )
    return place


def _read_card(path: Path) -> dict[str, Any]:
    try:
        card: Any = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(
            f"{path}: expected JSON, got a file that does not parse: {error}"
        ) from None
    _fields(path, card, _WANTED, "")
    if card["format"] != FORMAT:
        raise ValueError(f"{path}: expected format {FORMAT}, got {shown(card['format'])}")
    if card["space"] not in SPACES:
        raise ValueError(f"{path}: {unknown_name('space', card['space'], SPACES)}")
    kind = card["goal"].get("kind")
    if not isinstance(kind, str) or kind not in _GOAL:
        raise ValueError(f"{path}: {unknown_name('goal.kind', kind, _GOAL)}")
    _fields(path, card["goal"], _GOAL[kind], "goal.")
    if kind == "latency_target" and not 0 < card["goal"]["low_ms"] < card["goal"]["high_ms"]:
        raise ValueError(f"{path}: expected 0 < goal.low_ms < goal.high_ms, got {card['goal']}")
    for key in ("actor", "critic"):
        _numbers(path, f"network.{key}", card["network"].get(key), int, None)
    for key in ("scale", "shift"):
        _numbers(path, f"expects.{key}", card["expects"].get(key), float, 2)
    return dict(card)


def _fields(path: Path, found: Any, wanted: Mapping[str, type], prefix: str) -> None:
    for key, kind in wanted.items():
        value = found.get(key) if isinstance(found, dict) else found
        if not _is(value, kind):
            raise ValueError(
                f"{path}: expected {prefix}{key} to be {kind.__name__}, got {shown(value)}"
            )


def _is(value: Any, kind: type) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int | float) if kind is float else isinstance(value, kind)


def _numbers(path: Path, name: str, value: Any, kind: type, count: int | None) -> None:
    fits = isinstance(value, list) and count in (None, len(value))
    if not fits or not all(_is(each, kind) and each == each and abs(each) < 1e6 for each in value):
        raise ValueError(f"{path}: expected {name} to be numbers, got {shown(value)}")


def _read_weights(path: Path, sha256: Any) -> dict[str, NDArray[Any]]:
    size = path.stat().st_size
    if size > LARGEST:
        raise ValueError(f"{path}: expected at most {LARGEST} bytes, got {size}")
    if (got := file_hash(path)) != sha256:
        raise ValueError(
            f"{path} is damaged: expected the SHA-256 {shown(sha256)} of {CARD}, got {got} "
            f"({size} bytes)"
        )
    try:
        return read_arrays(path)
    except (*UNREADABLE, KeyError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: expected arrays that numpy reads, got: {error}") from None


def _layers(
    path: Path, weights: Mapping[str, NDArray[Any]], part: str, sizes: tuple[int, ...]
) -> Layers:
    """The layers of a part, checked.

    Args:
        path: of the file.
        weights: its arrays.
        part: ``"actor"`` or ``"critic"``.
        sizes: of the inputs, of every hidden layer, of the outputs.
    """
    found = []
    for at, (before, after) in enumerate(itertools.pairwise(sizes)):
        pair = []
        for name, shape in (
            (f"{part}{at}.weight", (before, after)),
            (f"{part}{at}.bias", (after,)),
        ):
            array = weights.get(name)
            if array is None or array.shape != shape or array.dtype != np.float16:
                got = "nothing" if array is None else f"{array.dtype} of shape {array.shape}"
                raise ValueError(f"{path}: expected {name} as float16 of shape {shape}, got {got}")
            if not np.isfinite(array).all():
                raise ValueError(f"{path}: expected finite numbers in {name}")
            wide = array.astype(np.float32)
            wide.setflags(write=False)
            pair.append(wide)
        found.append((pair[0], pair[1]))
    return found
