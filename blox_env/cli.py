"""The command ``blox-env``; ``python -m blox_env`` is the same."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

import blox_env

app = typer.Typer(
    help="Hardware-aware neural architecture search as a Gymnasium environment.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console()
errors = Console(stderr=True)

PLUGINS = "BLOX_ENV_PLUGINS"
INTERRUPTED = 130  # status after ctrl-C, typer's and the shell's
Workers = Annotated[
    int | None, typer.Option(help="How many at once; all cores if not given, 0 without Ray.")
]
Address = Annotated[str, typer.Option(help="Address of a Ray cluster.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", help="An option of the agent, as name=value.")
]
Device = Annotated[str, typer.Option(help="Name of a device, 'none' for no latency.")]


def main() -> None:
    """Run the command; bad input ends with one line instead of a traceback."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # kill is as clean as ctrl-C
    try:
        app()
    except (KeyboardInterrupt, SystemExit) as stop:
        if isinstance(stop, SystemExit) and stop.code != INTERRUPTED:
            raise
        goes_on = {"compare", "collect", "measure"} & set(sys.argv[1:])
        errors.print(
            "\nStopped." + (" The same command goes on where this one ended." if goes_on else "")
        )
        sys.exit(INTERRUPTED)
    except (ValueError, TypeError, OSError, ImportError, RuntimeError) as error:
        errors.print(f"[bold red]error:[/] {type(error).__name__}:", end=" ")
        errors.print(str(error), markup=False, highlight=False)
        sys.exit(1)


@app.callback()
def _plugins(
    plugin: Annotated[
        list[str] | None,
        typer.Option(help="Module to import first, such as one that registers a benchmark."),
    ] = None,
) -> None:
    """Hardware-aware neural architecture search as a Gymnasium environment."""
    sys.path.insert(0, os.getcwd())
    for module in [*filter(None, os.environ.get(PLUGINS, "").split(",")), *(plugin or [])]:
        importlib.import_module(module)


@app.command()
def info(
    store: Annotated[
        Path | None, typer.Argument(help="What import wrote: show what it has.")
    ] = None,
) -> None:
    """List what is there: benchmarks, devices, agents; or what an imported store has."""
    if store is not None:
        from blox_env.importers.progress import show_store  # noqa: PLC0415

        show_store(store, console)
        return
    table = Table("kind", "names", title=f"blox-env {blox_env.__version__}")
    table.add_row("benchmarks", ", ".join(blox_env.list_benchmarks()))
    table.add_row("devices", ", ".join(blox_env.list_devices()))
    table.add_row("agents", ", ".join(blox_env.list_agents()))
    console.print(table)


@app.command()
def search(
    agent: Annotated[str, typer.Option(help="Name of an agent.")] = "regularized-evolution",
    benchmark: Annotated[str, typer.Option(help="Name of a benchmark.")] = "digits",
    device: Device = "x86-ort-1t",
    reward: Annotated[str | None, typer.Option(help="Name of a reward formula.")] = None,
    target: Annotated[float | None, typer.Option(help="Latency target in ms.")] = None,
    budget: Annotated[int, typer.Option(help="Full trainings that the search may spend.")] = 500,
    seed: Annotated[int, typer.Option(help="Seed of the search.")] = 0,
    set_: Set = None,
    out: Annotated[Path | None, typer.Option(help="Write the history there, as CSV.")] = None,
) -> None:
    """Run one search and show the best architecture."""
    problem = blox_env.Problem(
        benchmark, _device(device), reward, latency_target_ms=target, budget=budget
    )
    from blox_env.agent import make_agent  # noqa: PLC0415
    from blox_env.search_view import best_table, watched_search  # noqa: PLC0415

    ready = make_agent(agent, _options(set_))
    history, ended = watched_search(problem, ready, agent, seed, console)
    console.print(best_table(problem, history))
    if out is not None:
        from blox_env.parallel import write_atomic  # noqa: PLC0415

        write_atomic(out, history.to_csv())
        console.print(f"history: {out}")
    if not ended:
        errors.print(f"{problem.spent:g} of {budget} evaluations were spent.")
        raise typer.Exit(INTERRUPTED)


@app.command()
def compare(
    agents: Annotated[str, typer.Option(help="Names of agents, comma-separated.")] = (
        "random-search,regularized-evolution,ppo"
    ),
    benchmarks: Annotated[str, typer.Option(help="Names of benchmarks.")] = "digits",
    devices: Annotated[str, typer.Option(help="Names of devices; 'none': no latency.")] = (
        "x86-ort-1t"
    ),
    seeds: Annotated[int, typer.Option(help="Searches of each kind.")] = 8,
    budget: Annotated[int, typer.Option(help="Full trainings that each search may spend.")] = 500,
    out: Annotated[Path, typer.Option(help="Folder for results.")] = Path("runs/compare"),
    reward: Annotated[str | None, typer.Option(help="Name of a reward formula.")] = None,
    target: Annotated[float | None, typer.Option(help="Latency target in ms.")] = None,
    noise: Annotated[str, typer.Option(help="'mean', or 'sampled' trainings.")] = "mean",
    seed: Annotated[int, typer.Option(help="Seed that all others come from.")] = 0,
    workers: Workers = None,
    address: Address = "local",
) -> None:
    """Run several agents with several seeds in parallel, then show and draw the results.

    Searches that have a result in the folder already are not run again.
    """
    from blox_env.experiment.live import compare_live  # noqa: PLC0415 (needs an extra)

    failed = compare_live(
        console,
        agents=_names(agents),
        benchmarks=_names(benchmarks),
        devices=[_device(name) for name in _names(devices)],
        seeds=seeds,
        budget=budget,
        out=out,
        reward=reward,
        latency_target_ms=target,
        noise=noise,
        seed=seed,
        workers=workers,
        address=address,
    )
    if failed:
        raise typer.Exit(1)


@app.command()
def report(folder: Annotated[Path, typer.Argument(help="What compare wrote.")]) -> None:
    """Draw the pictures and write the report of results that are there."""
    from blox_env.experiment.report import write_report  # noqa: PLC0415 (needs an extra)

    for path in write_report(folder):
        console.print(str(path))


@app.command()
def collect(
    out: Annotated[Path, typer.Option(help="Folder of result files, one each training.")],
    task: Annotated[str, typer.Option(help="Name of a task.")] = "digits",
    architectures: Annotated[int, typer.Option(help="How many, drawn uniformly.")] = 700,
    repeated: Annotated[int, typer.Option(help="How many of them with several seeds.")] = 100,
    seeds: Annotated[int, typer.Option(help="Seeds of those.")] = 3,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 0,
    pack: Annotated[Path | None, typer.Option(help="Join all results in this CSV file.")] = None,
    workers: Workers = None,
    address: Address = "local",
) -> None:
    """Train architectures in parallel; a killed run goes on where it was."""
    from blox_env.experiment import collect as collecting  # noqa: PLC0415 (needs an extra)

    plan = collecting.Plan(task, architectures, repeated, seeds, seed)
    summary = collecting.collect(plan, out, workers=workers, address=address)
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


@app.command()
def surrogate(
    trainings: Annotated[Path, typer.Option(help="What collect packed.")],
    out: Annotated[Path, typer.Option(help="Folder of the benchmark.")],
    name: Annotated[str, typer.Option(help="What the benchmark is called.")] = "my-digits",
    seed: Annotated[int, typer.Option(help="Seed of the folds.")] = 0,
) -> None:
    """Fit a surrogate on trainings and write a benchmark with its data card."""
    from blox_env.benchmarks.build import build_benchmark  # noqa: PLC0415 (needs an extra)

    with console.status("fitting the surrogate"):
        card = build_benchmark(trainings, out, blox_env.BloxSpace(), name=name, seed=seed)
    console.print_json(json.dumps({k: card[k] for k in ("trainings", "held_out", "table")}))


@app.command("import")
def import_(
    sources: Annotated[list[Path], typer.Argument(help="Folder or files of a release.")],
    out: Annotated[Path, typer.Option(help="Folder of the store.")],
    name: Annotated[str | None, typer.Option(help="What the benchmark is called.")] = None,
    latency_unit: Annotated[
        str | None, typer.Option(help="ms, s or us; ms is assumed if not given.")
    ] = None,
    prefer: Annotated[
        str | None, typer.Option(help="Format to read where there are several: blox, pickle, csv.")
    ] = None,
    replace: Annotated[bool, typer.Option(help="Replace a store that is there.")] = False,
) -> None:
    """Read a Blox release or NAS-Bench-Macro and write a store with benchmark and devices."""
    from blox_env.importers.importing import import_files  # noqa: PLC0415
    from blox_env.importers.progress import progress_after, show_report  # noqa: PLC0415

    with progress_after(errors) as progress:
        report = import_files(
            sources,
            out,
            name=name,
            latency_unit=latency_unit,
            prefer=prefer,
            replace=replace,
            progress=progress,
        )
    show_report(report, console)


@app.command()
def measure(
    out: Annotated[Path, typer.Option(help="Folder of raw measurements.")],
    device: Annotated[str, typer.Option(help="What the device is called.")] = "this-machine",
    networks: Annotated[int, typer.Option(help="How many networks.")] = 640,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 0,
    force: Annotated[bool, typer.Option(help="Measure on a busy machine, too.")] = False,
    build: Annotated[Path | None, typer.Option(help="Fit a predictor, write a device.")] = None,
) -> None:
    """Measure latency on this machine; a killed run goes on where it was."""
    from blox_env.devices.build import build_device  # noqa: PLC0415 (needs an extra)
    from blox_env.devices.measure import run_measurement  # noqa: PLC0415

    run_measurement(device, networks, out, seed=seed, force=force)
    if build is not None:
        build_device(out, build)
        console.print(f"device: {build}")


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise ValueError(f"expected comma-separated names, got {text!r}")
    return names


def _device(name: str) -> str | None:
    return None if name == "none" else name


def _options(pairs: list[str] | None) -> dict[str, Any]:
    """``["population=50"]`` as a dict; values are JSON where they can be, else text."""
    options: dict[str, Any] = {}
    for pair in pairs or []:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"--set must be name=value, got {pair!r}")
        parse: Callable[[str], Any] = json.loads
        try:
            options[name] = parse(value)
        except json.JSONDecodeError:
            options[name] = value
    return options
