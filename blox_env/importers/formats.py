"""The importer of a file: the one that is asked for, else by the looks of the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from blox_env.ground import registry
from blox_env.importers.contents import Contents, Wishes
from blox_env.importers.nats import META

RELEASE = "blox-release"  # what has no importer here, a Blox release or NAS-Bench-Macro
_HEADER = b"---"  # how every file of a Blox release begins


def format_of(path: Path) -> str:
    """Name of the importer for a file or folder, :data:`RELEASE` for files of a Blox release."""
    if path.is_dir():
        return "nats-topology" if (path / META).is_file() else RELEASE
    known = path.suffix in (".csv", ".pickle") and not path.name.startswith("blox-")
    if not known or not path.is_file():
        return RELEASE
    with path.open("rb") as file:
        if file.read(len(_HEADER)) == _HEADER:
            return RELEASE
    return "csv" if path.suffix == ".csv" else "hw-nas-bench"


def read_others(
    paths: Sequence[Path], wishes: Wishes, form: str | None = None
) -> list[Contents] | None:
    """Findings of the importers of other files; None where all are files of a release.

    Args:
        paths: files and folders.
        wishes: what was asked beyond them.
        form: name of the importer for all of them, or ``"module:function"``.

    Raises:
        ValueError: for an unknown name, or files of a release together with others.
    """
    groups: dict[str, list[Path]] = {}
    for path in paths:
        groups.setdefault(form or format_of(path), []).append(path)
    if set(groups) == {RELEASE}:
        return None
    if RELEASE in groups:
        others = next(each for name, each in groups.items() if name != RELEASE)
        raise ValueError(f"{groups[RELEASE][0]} cannot be imported together with {others[0]}")
    found = []
    for name, group in groups.items():
        made = registry.resolve("importer", name)(group, wishes)
        found += made if isinstance(made, list) else [made]
    return found
