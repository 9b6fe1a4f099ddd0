"""Placing a store: written in a folder beside its place, and moved there when it is complete."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from blox_env.ground.files import make_folder, naming, short_name, sync_folder, sync_tree
from blox_env.ground.folders import exchange, held, move_new
from blox_env.store.card import CARD
from blox_env.store.reader import MANIFEST, NUMBERS, read_manifest

MODEL, MODEL_FACTS = "model.onnx", "model.json"  # of a store that is a model, not columns
_MEMBER = re.compile(r"(accuracy|time)-\d+\.(txt|json)")  # files of a model of several members
_NEW, _OLD = "new", "old"
_LONGEST = 2**24  # bytes of such facts; a longer file is somebody else's


@contextlib.contextmanager
def new_folder(target: Path, *, replace: bool = False) -> Iterator[Path]:
    """A folder to write in that becomes ``target`` when the block ends well, and else goes away.

    One process at a time writes to a target, and what is there when the block ends decides: nothing
    is replaced that appeared meanwhile. When this returns, all is on the disk. A process that is
    killed leaves only a hidden folder beside ``target``, which the next one removes; no file goes
    away that is not of a store.

    Args:
        target: a path that is not there yet; a link is followed.
        replace: a store that is there may be replaced.

    Raises:
        ValueError: when something is there that may not be replaced.
        RuntimeError: when another process is writing to the same target.
        OSError: names the file.
    """
    target = Path(os.path.realpath(target))
    _check_free(target, replace)
    make_folder(target.parent)
    work = target.parent / f".{short_name(target.name)}.importing"
    with held(work, f"another import to {target}"):
        _sweep(work, target)
        _check_free(target, replace)
        new = work / _NEW
        with naming(new):
            new.mkdir()
        try:
            yield new
            sync_tree(new)
            _check_free(target, replace)
            old = _appear(new, target, work / _OLD)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        sync_folder(target.parent)
        if old is not None:
            _remove(old)


def _appear(new: Path, target: Path, aside: Path) -> Path | None:
    """Move the new store to its place; returns where the one is now that was there."""
    if os.path.lexists(target):
        return exchange(new, target, aside)
    try:
        move_new(new, target)
    except FileExistsError:
        raise ValueError(f"{target} is there since a moment ago: choose another place") from None
    return None


def _check_free(target: Path, replace: bool) -> None:
    """Raise for a target at which something is that may not be replaced."""
    if not os.path.lexists(target):
        return
    if not (target / MANIFEST).is_file() and not _is_model(target):
        raise ValueError(f"{target} is there and is no store: choose another place")
    if not replace:
        raise ValueError(f"{target} is there: choose another place, or replace it (--replace)")
    if (other := _not_of_a_store(target)) is not None:
        raise ValueError(
            f"{target} cannot be replaced: it holds {other}, which is not of the store; "
            "move that away"
        )


def _not_of_a_store(folder: Path) -> str | None:
    """A file in a store that is not the store's, None if there is none."""
    known: set[str] | None = {MODEL, MODEL_FACTS, CARD}
    if not _is_model(folder):
        try:
            manifest = read_manifest(folder)
            known = {f"{key}.npy" for key in (NUMBERS, *manifest["columns"])} | {MANIFEST, CARD}
        except ValueError:  # damaged
            known = None
    for place, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        for name in (*names, *links):
            path = Path(place, name).relative_to(folder).as_posix()
            if _MEMBER.fullmatch(path) and _is_model(folder):
                continue
            if path not in known if known is not None else not _may_be_ours(path):
                return path
    return None


def _is_model(folder: Path) -> bool:
    """Tell a store that is a model by its facts, which name the checksum of the model."""
    path = folder / MODEL_FACTS
    try:
        if (folder / MANIFEST).exists() or path.stat().st_size > _LONGEST:
            return False
        facts = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(facts, dict) and {"kind", "space", "model_sha256"} <= facts.keys()


def _may_be_ours(path: str) -> bool:
    """Tell what may be a file of a store, by its path in it."""
    kept = path in (MANIFEST, CARD, MODEL, MODEL_FACTS) or path.endswith(".npy")
    return kept or _MEMBER.fullmatch(path) is not None


def _sweep(work: Path, target: Path) -> None:
    """Clear up after a process that was killed; bring back the store that it had moved."""
    if (work / _OLD).is_dir() and not os.path.lexists(target):
        os.rename(work / _OLD, target)
    for name in (_OLD, _NEW):
        _remove(work / name)
        if os.path.lexists(work / name):
            raise ValueError(f"{work / name} holds files that are not of a store: move it away")


def _remove(folder: Path) -> None:
    """Remove the files of a store, and the folders that are empty then; never anything else."""
    for place, _, names in os.walk(folder, topdown=False):
        for name in names:
            path = os.path.join(place, name)
            if _may_be_ours(os.path.relpath(path, folder)):
                with contextlib.suppress(OSError):
                    os.unlink(path)
        with contextlib.suppress(OSError):
            os.rmdir(place)
