"""``blox-env import``: files of a release -> a store, and a report of what was found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from blox_env.ground.errors import unknown_name
from blox_env.importers.contents import Wishes, write
from blox_env.importers.files import Source, Table, find, read_table
from blox_env.importers.formats import read_others
from blox_env.importers.macro import import_macro
from blox_env.importers.nasbench301 import import_nasbench301, is_nasbench301
from blox_env.importers.yahpo import import_yahpo, is_yahpo
from blox_env.spaces import BloxSpace
from blox_env.store.card import write_card
from blox_env.store.columns import COLUMNS, is_name
from blox_env.store.placing import new_folder
from blox_env.store.writer import StoreWriter

UNITS = {"ms": 1.0, "s": 1000.0, "us": 0.001}  # in milliseconds
ASSUMED = "ms"
_MEANING = {
    "base": "no validation and test accuracy, no training time: val_acc is NaN",
    "ext": "no training accuracy, top-5 accuracy and losses: these columns are NaN",
    "info": "no parameters and FLOPs of the release: these columns are NaN",
    "env": "nothing about the machines that trained",
    "bench": "no latencies: the store has no devices",
}
Progress = Callable[[str, float], None]


@dataclass
class Report:
    """Findings of an import.

    Attributes:
        folder: the store.
        found: a line each file that was read.
        missing: a line each thing that is not there, and what that means.
        notes: a line each thing that one should know.
        manifest: what the store says about itself.
    """

    folder: Path
    found: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    manifest: dict[str, Any] = field(default_factory=dict)


def import_files(
    sources: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    name: str | None = None,
    latency_unit: str | None = None,
    prefer: str | None = None,
    replace: bool = False,
    progress: Progress | None = None,
    form: str | None = None,
    space: str | None = None,
    dataset: str | None = None,
) -> Report:
    """Read a release, other people's files or a table of one's own, and write it as a store.

    The store is there wholly or not at all.

    Args:
        sources: folders or files of a Blox release, the JSON file of NAS-Bench-Macro, the folder
            nb301 of YAHPO Gym, folders of NAS-Bench-301's models, or what the importers of
            :mod:`blox_env.importers.formats` read: tables, NATS-Bench, HW-NAS-Bench.
        out: folder of the store, which must not be there yet.
        name: what the benchmark is called in results.
        latency_unit: of the release's latencies, ``"ms"``, ``"s"`` or ``"us"``; milliseconds are
            assumed, and marked so, if not given, since upstream does not state it.
        prefer: format to read where a file is there in several: ``"blox"`` (the quickest),
            ``"pickle"`` or ``"csv"``.
        replace: a store that is there may be replaced.
        progress: called with what is being done and how much of all is done, a fraction.
        form: name of the importer, or ``"module:function"``; by the files if not given.
        space: name of the space of a table; by its architectures if not given.
        dataset: which one, of files that hold several.

    Raises:
        ValueError: for damaged or contradictory files; names file and row.
    """
    given = [sources] if isinstance(sources, str | Path) else list(sources)
    paths = [Path(path) for path in given]
    for path in paths:
        if not path.exists():
            raise ValueError(f"{path}: there is no such file or folder")
    if latency_unit is not None and latency_unit not in UNITS:
        raise ValueError(unknown_name("latency_unit", latency_unit, UNITS))
    if name is not None and not is_name(name):
        raise ValueError(f"name must be of letters, digits, '.', '_' and '-', got {name!r}")
    report = Report(Path(out))
    tell = progress or (lambda _what, _done: None)
    macro = [path for path in paths if path.suffix == ".json" and form is None]
    with new_folder(report.folder, replace=replace) as folder:
        if is_yahpo(paths):
            report.manifest = import_yahpo(paths[0], folder, name)
            report.found.append(f"{paths[0].name}: YAHPO Gym's model of NAS-Bench-301")
            return report
        if is_nasbench301(paths):
            report.manifest = import_nasbench301(paths, folder, name)
            report.found += report.manifest["found"]
            return report
        writer = StoreWriter(folder)
        if macro:
            if len(paths) > 1:
                raise ValueError(f"{macro[0]} cannot be imported together with other files")
            facts = import_macro(macro[0], writer, name)
            report.found.append(f"{macro[0].name}: NAS-Bench-Macro, {facts['rows']} architectures")
        elif (others := read_others(paths, Wishes(space, dataset, tell), form)) is not None:
            facts = {**write(others, writer), "kind": "imported"}
            facts["name"] = name or facts["name"]
            for each in others:
                report.found += each.found
                report.missing += each.missing
                report.notes += each.notes
        else:
            found, left_out = find(paths, prefer)
            facts = _import_blox(found, writer, report, tell, name, latency_unit)
            if left_out:
                names = ", ".join(path.name for path in left_out)
                report.notes.append(f"not read, there in another format too: {names}")
        facts["missing"] = report.missing
        tell("writing the store", 1.0)
        report.manifest = writer.finish(facts)
        write_card(folder, report.manifest)
    return report


def _import_blox(
    sources: list[Source],
    writer: StoreWriter,
    report: Report,
    tell: Progress,
    name: str | None,
    unit: str | None,
) -> dict[str, Any]:
    epochs, dataset = _agreed(sources)
    sizes = np.array([max(1, source.size) for source in sources], dtype=float)
    before = np.cumsum(sizes) - sizes
    devices: dict[str, Any] = {}
    origins, with_accuracy = [], []
    rows: dict[tuple[str, Any], int] = {}
    for i, source in enumerate(sources):

        def on(done: float, i: int = i, source: Source = source) -> None:
            tell(source.path.name, float((before[i] + done * sizes[i]) / sizes.sum()))

        on(0.0)
        table = read_table(source, on)
        rows[source.key] = len(table.numbers)
        _add(writer, source, table)
        if source.header.part == "base" and "val_top1" in table.columns:
            with_accuracy.append(table.numbers)
        if source.header.device is not None and "latency" in table.columns:
            devices[source.header.device] = _device(len(table.numbers), unit)
        origins.append(_origin(source, table))
        report.found.append(f"{source.path.name}: {source.words}, {len(table.numbers)} rows")
    space = BloxSpace()
    known = np.unique(np.concatenate(with_accuracy)) if with_accuracy else np.empty(0)
    seeds = sorted({s.header.seed for s in sources if s.header.seed is not None})
    _say_missing(report, rows, seeds, len(known), space.size)
    if devices and unit is None:
        report.notes.append("unit of latency: milliseconds, assumed; upstream does not state it")
    return {
        "name": name or "blox-release",
        "kind": "blox-release",
        "space": space.name,
        "epochs": epochs,
        "dataset": dataset or "",
        "description": "An imported Blox release (Chau et al., NeurIPS 2022)",
        "seeds": seeds,
        "devices": devices,
        "rows": len(known),
        "complete": len(known) == space.size,
        "sources": origins,
    }


def _agreed(sources: list[Source]) -> tuple[int, str | None]:
    """Epochs and dataset, on which all files have to agree."""
    agreed: dict[str, tuple[Any, Path]] = {}
    for source in sources:
        for what in ("epochs", "dataset"):
            value = getattr(source.header, what)
            if value is None:
                continue
            other, path = agreed.setdefault(what, (value, source.path))
            if other != value:
                raise ValueError(
                    f"{source.path}: {what} is {value!r}, but {other!r} in {path}: "
                    "files of one release agree"
                )
    return agreed.get("epochs", (1,))[0], agreed.get("dataset", (None,))[0]


def _add(writer: StoreWriter, source: Source, table: Table) -> None:
    header = source.header
    folder = {"info": "info", "bench": f"devices/{header.device}"}.get(
        header.part, f"seed-{header.seed}"
    )
    for name, (values, encoding) in table.columns.items():
        key = f"{folder}/{name}"
        writer.add(key, values, encoding, table.numbers, COLUMNS[name].examples)
    for name, texts in table.texts.items():
        writer.add_text(f"{folder}/env/{name}", texts, table.numbers)


def _device(measured: int, unit: str | None) -> dict[str, Any]:
    used = unit or ASSUMED
    words = "as assumed" if unit is None else "as given at the import"
    return {
        "unit": used,
        "unit_assumed": unit is None,
        "factor": UNITS[used],
        "measured": measured,
        "description": (
            f"measured by the authors of the release; unit {used}, {words}; batch size, threads "
            "and protocol are not in the release"
        ),
    }


def _origin(source: Source, table: Table) -> dict[str, Any]:
    return {
        "file": source.path.name,
        "bytes": source.size,
        "sha256": table.sha256,
        "part": source.words,
        "rows": len(table.numbers),
    }


def _say_missing(
    report: Report, rows: dict[tuple[str, Any], int], seeds: list[int], known: int, size: int
) -> None:
    parts = {part for part, _ in rows}
    say = report.missing.append
    for part, meaning in _MEANING.items():
        if part not in parts:
            say(f"{part}: {meaning}")
    for seed in seeds:
        for part in ("base", "ext", "env"):
            if part in parts and (part, seed) not in rows:
                say(f"{part} {seed}: {_MEANING[part]}, for seed {seed}")
    for (part, which), count in rows.items():
        most = max(rows.values())
        if count < most:
            label = part if which is None else f"{part} {which}"
            say(f"{label}: has {count} architectures of {most}; the others are NaN there")
    if 0 < known < size:
        say(
            f"architectures: {known} of {size} have an accuracy; evaluating another gives NaN, "
            "and known() is the mask"
        )
