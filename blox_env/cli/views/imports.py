"""Views of ``blox-env import`` and ``blox-env info STORE``."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from blox_env.benchmarks.imported_model import facts_of
from blox_env.cli.screen import print_table
from blox_env.cli.views.progress import progress_bar
from blox_env.importers.importing import Progress as Tell
from blox_env.importers.importing import Report
from blox_env.store.placing import MODEL_FACTS
from blox_env.store.reader import read_manifest

PATIENCE_S = 2.0  # what takes no longer needs no bar


@contextmanager
def progress_after(console: Console, patience_s: float = PATIENCE_S) -> Iterator[Tell]:
    """A bar that appears when the block takes longer; gives what is to be told how far it is.

    Args:
        console: to draw on.
        patience_s: seconds that need no bar.
    """
    started = time.monotonic()
    bar = progress_bar(console, estimate=False, count=False)
    task = bar.add_task("", total=1.0, note="")
    running = False

    def tell(what: str, done: float) -> None:
        nonlocal running
        if not running and time.monotonic() - started > patience_s:
            bar.start()
            running = True
        bar.update(task, description=escape(what), completed=done)

    try:
        yield tell
    finally:
        if running:
            bar.stop()


def show_report(report: Report, console: Console) -> None:
    """Show the files found, what is missing and its consequences.

    Args:
        report: of the import.
        console: to draw on.
    """
    table = Table("", "", title=f"imported into {escape(str(report.folder))}", show_header=False)
    for title, lines in (
        ("found", report.found),
        ("missing", report.missing or ["nothing"]),
        ("note", report.notes),
    ):
        for i, line in enumerate(lines):
            table.add_row(title if i == 0 else "", escape(line))
    print_table(console, table)
    place = report.folder
    uses = [f"benchmark={str(place)!r}"]
    uses += [f"device={str(place / 'devices' / name)!r}" for name in report.manifest["devices"]]
    console.print("use: " + ", ".join(uses), markup=False, highlight=False, soft_wrap=True)


def show_store(folder: Path, console: Console) -> None:
    """Show the contents of a store, from its manifest.

    Args:
        folder: the store.
        console: to draw on.
    """
    if (folder / MODEL_FACTS).is_file():
        facts = facts_of(folder)
        words = {"name": "benchmark", "description": "what it is", "space": "space"}
        _show_rows(folder, [(words[key], facts[key]) for key in words], console)
        return
    manifest = read_manifest(folder)
    columns = sorted({key.partition("/")[2] for key in manifest["columns"] if "seed-" in key})
    rows = [
        ("benchmark", manifest["name"]),
        ("what it is", manifest["description"]),
        ("space", manifest["space"]),
        ("architectures", str(manifest.get("rows"))),
        ("epochs", str(manifest["epochs"])),
        ("seeds", ", ".join(map(str, manifest["seeds"])) or "none"),
        ("devices", ", ".join(sorted(manifest["devices"])) or "none"),
        ("columns of trainings", ", ".join(columns) or "none"),
        *(("missing", line) for line in manifest["missing"]),
    ]
    _show_rows(folder, rows, console)


def _show_rows(folder: Path, rows: Iterable[tuple[str, object]], console: Console) -> None:
    """Show what a folder has, a line a thing."""
    table = Table("", "", title=escape(str(folder)), show_header=False)
    for what, value in rows:
        table.add_row(what, escape(str(value)))
    print_table(console, table)
