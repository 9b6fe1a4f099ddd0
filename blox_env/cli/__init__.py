"""The command ``blox-env``; ``python -m blox_env`` is the same. One file a group of commands."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

import blox_env
from blox_env.cli import data, devices, experiments, rewards, searching
from blox_env.cli.common import INTERRUPTED, PLUGINS, console, errors

app = typer.Typer(
    help="Hardware-aware neural architecture search as a Gymnasium environment.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


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


def info(
    store: Annotated[
        Path | None, typer.Argument(help="What import wrote: show what it has.")
    ] = None,
) -> None:
    """List what is there: benchmarks, tasks, devices, agents; or what an imported store has."""
    if store is not None:
        from blox_env.cli.views.imports import show_store

        show_store(store, console)
        return
    from blox_env.networks.tasks import list_tasks

    table = Table("kind", "names", title=f"blox-env {blox_env.__version__}")
    table.add_row("benchmarks", ", ".join([*blox_env.list_benchmarks(), "live:TASK"]))
    table.add_row("tasks", ", ".join(list_tasks()))
    table.add_row("devices", ", ".join(blox_env.list_devices()))
    table.add_row("agents", ", ".join(blox_env.list_agents()))
    console.print(table)


# in the order in which help shows them
app.command()(searching.search)
app.command()(experiments.compare)
app.command()(experiments.report)
app.command()(experiments.validate)
app.command()(rewards.rewards)
app.command()(devices.measure)
app.command()(devices.devices)
app.command("import")(data.import_)
app.command()(data.collect)
app.command()(data.surrogate)
app.command()(info)
