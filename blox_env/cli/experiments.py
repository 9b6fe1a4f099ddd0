"""``compare``, ``report``, ``validate``: many searches, and what follows from them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from blox_env.cli.common import Address, Data, Workers, console, device_or_none, names


def compare(
    agents: Annotated[str, typer.Option(help="Names of agents, comma-separated.")] = (
        "random-search,regularized-evolution,ppo"
    ),
    benchmarks: Annotated[str, typer.Option(help="Names of benchmarks.")] = "digits",
    devices: Annotated[str, typer.Option(help="Names of devices; 'none': no latency.")] = (
        "x86-ort-1t"
    ),
    seeds: Annotated[int, typer.Option(help="Searches of each kind.")] = 8,
    data: Data = None,
    budget: Annotated[int, typer.Option(help="Full trainings that each search may spend.")] = 500,
    out: Annotated[Path, typer.Option(help="Folder for results.")] = Path("runs/compare"),
    reward: Annotated[str | None, typer.Option(help="Name of a reward formula.")] = None,
    target: Annotated[float | None, typer.Option(help="Latency target in ms.")] = None,
    noise: Annotated[str, typer.Option(help="'mean', or 'sampled' trainings.")] = "mean",
    seed: Annotated[int, typer.Option(help="Seed that all others come from.")] = 0,
    simulated_workers: Annotated[
        int, typer.Option(help="Trainings that each search does at once, in simulated time.")
    ] = 1,
    simulated_hours: Annotated[
        float | None, typer.Option(help="Limit of each search in simulated time.")
    ] = None,
    workers: Workers = None,
    address: Address = "local",
) -> None:
    """Run several agents with several seeds in parallel, then show and draw the results.

    Searches that have a result in the folder already are not run again.
    """
    from blox_env.cli.views.comparison import compare_live

    failed = compare_live(
        console,
        agents=names(agents),
        benchmarks=names(benchmarks),
        devices=[device_or_none(name) for name in names(devices)],
        seeds=seeds,
        budget=budget,
        out=out,
        reward=reward,
        latency_target_ms=target,
        noise=noise,
        seed=seed,
        simulated_workers=simulated_workers,
        simulated_hours=simulated_hours,
        workers=workers,
        address=address,
    )
    if failed:
        raise typer.Exit(1)


def report(folder: Annotated[Path, typer.Argument(help="What compare wrote.")]) -> None:
    """Draw the pictures and write the report of results that are there."""
    from blox_env.report import write_report, written

    console.print(written(write_report(folder)), highlight=False)


def validate(
    runs: Annotated[list[Path], typer.Argument(help="Run files, or folders of compare.")],
    workers: Annotated[
        int | None, typer.Option(help="How many at once on Ray; 0 validates them here.")
    ] = 0,
) -> None:
    """Run searches again and confirm every trial of their run files.

    The status is 1 when one of them is not what the data and the agents give.
    """
    from blox_env.cli.views.verdicts import validate_live
    from blox_env.experiment.validate import run_files

    if validate_live(console, run_files(runs), workers=workers):
        raise typer.Exit(1)
