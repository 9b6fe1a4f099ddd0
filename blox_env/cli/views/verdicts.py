"""Validation as a terminal shows it: a line a file, and the rows that are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from blox_env.cli.screen import Screen, print_table
from blox_env.cli.views.progress import progress_bar
from blox_env.experiment.validate import SHOWN, Verdict, validate_run
from blox_env.experiment.validate_folder import validate_folder
from blox_env.ground.parallel import run_tasks


def validate_live(
    console: Screen,
    paths: Sequence[Path],
    *,
    folders: Sequence[Path] = (),
    workers: int | None = 0,
) -> int:
    """Validate run files and show what comes out; number of those that are not valid.

    Args:
        console: where it is shown.
        paths: run files.
        folders: of experiments, whose run files are compared with their plans.
        workers: how many files at once on Ray; 0 validates them here.
    """
    invalid = 0
    with progress_bar() as bar:
        shown = bar.add_task("validating", total=len(paths), note="")
        for outcome in run_tasks(validate_run, list(paths), workers=workers):
            verdict: Verdict = outcome.result or Verdict(paths[outcome.index], error=outcome.error)
            invalid += not verdict.valid
            bar.update(shown, advance=1, note=f"{invalid} not valid" if invalid else "")
            show(console, verdict)
    plans = [validate_folder(folder) for folder in folders]
    for verdict in plans:
        show(console, verdict, "run set, seeds and digests")
    count = f"{len(paths)} run file{'s' if len(paths) > 1 else ''}"
    if invalid:
        console.print(f"[bold red]{invalid} of {count} not valid[/]", highlight=False)
    else:
        console.print(f"{count} valid: every trial confirmed", highlight=False)
    if bad := sum(not verdict.valid for verdict in plans):
        console.print(f"[bold red]{bad} of {len(plans)} plans not kept[/]", highlight=False)
    return invalid + bad


def show(console: Console, verdict: Verdict, what: str = "") -> None:
    """One file: ``valid``, or what is wrong with it.

    Args:
        console: where it is shown.
        verdict: of the file.
        what: was validated; the trials if not given.
    """
    what = what or f"{verdict.trials} trials"
    state = Text("valid  ", "green") if verdict.valid else Text("INVALID  ", "bold red")
    console.print(state.append(f"{verdict.path} ({what})", ""), soft_wrap=True)
    for note in verdict.notes:
        console.print(f"  note: {note}", markup=False, soft_wrap=True)
    if verdict.error is not None:
        console.print(f"  {verdict.error}", markup=False, highlight=False)
    if not verdict.mismatches:
        return
    table = Table("row", "column", "expected", "got", box=SIMPLE_HEAD, pad_edge=False)
    rows = verdict.rows()
    for mismatch in verdict.mismatches:
        if mismatch.row is None or mismatch.row in rows[:SHOWN]:
            place = "" if mismatch.row is None else str(mismatch.row)
            cells = (mismatch.column, str(mismatch.expected), str(mismatch.got))
            table.add_row(place, *map(Text, cells))
    print_table(console, table)
    if len(rows) > SHOWN:
        console.print(f"  and {len(rows) - SHOWN} more rows")
