"""``compare``, ``report``, ``validate``, ``leaderboard``: many searches, what follows from them."""

from __future__ import annotations

import inspect
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from blox_env.cli.common import Address, Data, Json, Workers, console, errors, warn_of
from blox_env.cli.screen import check_folder, print_json
from blox_env.cli.settings import settings_from, settings_parameters


def compare(
    *,
    out: Annotated[Path, typer.Option(help="Folder for results.")] = Path("runs/compare"),
    workers: Workers = None,
    address: Address = "local",
    data: Data = None,
    json: Json = False,
    time_limit: Annotated[
        float | None, typer.Option(help="Seconds after which a search has failed.")
    ] = None,
    **given: Any,
) -> None:
    """Run several agents with several seeds in parallel, then show and draw the results.

    Searches that have a result in the folder already are not run again.
    """
    from blox_env.analysis.statistics import summary
    from blox_env.cli.views.comparison import compare_live
    from blox_env.experiment.results import read_runs

    settings = settings_from(given)
    check_folder(out, "--out")
    for device in dict.fromkeys(settings.devices):
        warn_of(device)
    failed = compare_live(
        errors if json else console,
        settings,
        out,
        workers=workers,
        address=address,
        time_limit_s=time_limit,
    )
    if json:
        print_json(console, [asdict(row) for row in summary(read_runs(out))])
    if failed:
        raise typer.Exit(1)


_own = inspect.signature(compare, eval_str=True).parameters
compare.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # what typer reads
    [
        *settings_parameters(),
        *(_own[name] for name in ("out", "workers", "address", "data", "time_limit", "json")),
    ]
)


def report(folder: Annotated[Path, typer.Argument(help="What compare wrote.")]) -> None:
    """Draw the pictures and write the report of results that are there."""
    from blox_env.report import write_report, written

    console.say(written(write_report(folder)))


def validate(
    runs: Annotated[list[Path], typer.Argument(help="Run files, or folders of compare.")],
    workers: Annotated[
        int | None, typer.Option(help="How many at once on Ray; 0 validates them here.")
    ] = 0,
) -> None:
    """Run searches again and confirm every trial of their run files.

    Of a folder, the run files are also compared with its plan. The status is 1 when one of them is
    not what the data and the agents give, or the plan was not kept.
    """
    from blox_env.cli.views.verdicts import validate_live
    from blox_env.experiment.validate import run_files

    folders = [path for path in runs if (path / "runs").is_dir()]
    if validate_live(console, run_files(runs), folders=folders, workers=workers):
        raise typer.Exit(1)


def leaderboard(
    folders: Annotated[list[Path], typer.Argument(help="Folders of compare.")],
    out: Annotated[Path, typer.Option(help="The page.")] = Path("leaderboard.html"),
    seeds: Annotated[int, typer.Option(help="Searches that an agent has to have.")] = 20,
    workers: Annotated[
        int | None, typer.Option(help="How many at once on Ray; 0 validates them here.")
    ] = 0,
) -> None:
    """Validate folders of several people and write one page with the places of their agents.

    A folder that is not valid does not count, is named on the page, and makes the status 1.
    """
    from blox_env.analysis.leaderboard import boards
    from blox_env.cli.views.verdicts import validate_live
    from blox_env.experiment.planfile import FILE, read_plan
    from blox_env.experiment.results import read_runs
    from blox_env.experiment.validate import run_files
    from blox_env.report.leaderboard import write_leaderboard

    refused, valid = {}, {}
    for folder in dict.fromkeys(folders):
        console.say(f"{folder}:")
        name = (
            f"{folder.name} ({folder})"
            if [f.name for f in folders].count(folder.name) > 1
            else folder.name
        )
        if validate_live(console, run_files([folder]), folders=[folder], workers=workers):
            refused[name] = "not valid, see blox-env validate"
        elif (read_plan(folder / FILE) or {})["seed"] != 0:
            refused[name] = "its seed was chosen: the protocol wants seed 0"
        else:
            valid[name] = read_runs(folder)
    found, left_out = boards(valid, seeds=seeds)
    write_leaderboard(out, found, seeds=seeds, refused=refused, left_out=left_out)
    console.say(f"leaderboard: {out}")
    if refused:
        raise typer.Exit(1)
