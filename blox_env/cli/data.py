"""``collect`` and ``import``: where benchmarks come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from blox_env.cli.common import Address, Data, Workers, console, errors


def collect(
    out: Annotated[Path, typer.Option(help="Folder of result files, one each training.")],
    task: Annotated[str, typer.Option(help="Name of a task.")] = "digits",
    space: Annotated[str, typer.Option(help="Space to draw from: blox or bloxxl.")] = "blox",
    architectures: Annotated[
        int, typer.Option(help="How many, drawn uniformly; with --found-on at most so many.")
    ] = 700,
    repeated: Annotated[int, typer.Option(help="How many of them with several seeds.")] = 100,
    seeds: Annotated[int, typer.Option(help="Seeds of those.")] = 3,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 0,
    data: Data = None,
    found_on: Annotated[
        str | None,
        typer.Option(help="Train what agents find on this benchmark, not uniform ones."),
    ] = None,
    round_name: Annotated[
        str, typer.Option("--round", help="What such trainings are tagged with.")
    ] = "round1",
    devices: Annotated[
        str | None,
        typer.Option(help="Devices that agents search on, all embedded ones if not given."),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, or cuda: many networks at once.")] = "cpu",
    pack: Annotated[Path | None, typer.Option(help="Join all results in this CSV file.")] = None,
    workers: Workers = None,
    address: Address = "local",
) -> None:
    """Train architectures in parallel; a killed run goes on where it was."""
    from blox_env.benchmarks import collect as collecting
    from blox_env.cli.views.progress import shown

    listed: tuple[tuple[tuple[int, ...], int, str], ...] = ()
    if found_on is not None:
        from blox_env.experiment.rounds import found_trainings

        with console.status("searching"):
            listed = found_trainings(
                found_on,
                round_name,
                seeds=seeds,
                seed=seed,
                devices=None if devices is None else devices.split(","),
                limit=architectures,
            )
    plan = collecting.Plan(task, architectures, repeated, seeds, seed, listed=listed, space=space)
    with shown("training") as tell:
        summary = collecting.collect(
            plan, out, device=device, workers=workers, address=address, tell=tell
        )
    for name, message in summary["failed"]:
        errors.print(f"{name} failed:\n{message}", markup=False)
    console.print(
        f"{summary['done']} trainings in {summary['wall_s']:.0f} s "
        f"({summary['per_core_hour']:.0f} a core-hour), {summary['before']} were there, "
        f"{len(summary['failed'])} failed"
    )
    if pack is not None:
        count = collecting.pack_results(out, pack, task)
        console.print(f"{count} trainings in {pack}")
    if summary["failed"]:
        raise typer.Exit(1)


def import_(
    sources: Annotated[
        list[Path], typer.Argument(help="Files or folders: a release, a table of your own.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the store.")],
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="csv, nats-topology, hw-nas-bench or module:function; by the files if not given.",
        ),
    ] = None,
    space: Annotated[
        str | None, typer.Option(help="Space of a table, by its rows if not given.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(help="Which one, of files that hold several: cifar100.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What the benchmark is called.")] = None,
    latency_unit: Annotated[
        str | None, typer.Option(help="ms, s or us; ms is assumed if not given.")
    ] = None,
    prefer: Annotated[
        str | None, typer.Option(help="Format to read where there are several: blox, pickle, csv.")
    ] = None,
    replace: Annotated[bool, typer.Option(help="Replace a store that is there.")] = False,
) -> None:
    """Read a release or a table of your own and write a store with benchmark and devices.

    Releases of Blox, NAS-Bench-Macro, NAS-Bench-301 (YAHPO Gym), NATS-Bench (topology) and
    HW-NAS-Bench, the last two also together. A table is a CSV file with the columns architecture
    and val_acc, and if you like test_acc, seed, latency_ms:DEVICE.
    """
    from blox_env.cli.views.imports import progress_after, show_report
    from blox_env.importers.importing import import_files

    with progress_after(errors) as progress:
        report = import_files(
            sources,
            out,
            name=name,
            latency_unit=latency_unit,
            prefer=prefer,
            replace=replace,
            progress=progress,
            form=format_,
            space=space,
            dataset=dataset,
        )
    show_report(report, console)
