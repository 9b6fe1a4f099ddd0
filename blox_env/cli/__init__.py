"""The command ``blox-env``; ``python -m blox_env`` is the same. One file a group of commands."""

from __future__ import annotations

import importlib
import io
import os
import re
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

import blox_env
from blox_env.cli import data, devices, experiments, policies, rewards, searching, surrogates
from blox_env.cli.common import INTERRUPTED, PLUGINS, Json, console, errors
from blox_env.cli.screen import print_json

# Commands that may get "module:Class" of one's own, and what that looks like.
_RUNS_CODE = ("search", "compare", "rewards", "measure", "devices", "import")
_CODE = re.compile(r"(^|[=,])[A-Za-z_][\w.]*:[A-Za-z_]")

app = typer.Typer(
    help="Hardware-aware neural architecture search as a Gymnasium environment.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command; bad input ends with one line instead of a traceback."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # kill is as clean as ctrl-C
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # "?" where an encoding lacks a letter
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
        errors.print("[bold red]error:[/]", end=" ")
        errors.say(str(error) or type(error).__name__)
        sys.exit(1)


def _version(wanted: bool) -> None:
    if wanted:
        console.say(f"blox-env {blox_env.__version__}")
        raise typer.Exit


@app.callback()
def _plugins(
    context: typer.Context,
    plugin: Annotated[
        list[str] | None,
        typer.Option(help="Module to import first, such as one that registers a benchmark."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Hardware-aware neural architecture search as a Gymnasium environment."""
    modules = [*filter(None, os.environ.get(PLUGINS, "").split(",")), *(plugin or [])]
    if modules or (context.invoked_subcommand in _RUNS_CODE and any(map(_CODE.search, sys.argv))):
        sys.path.append(os.getcwd())  # last: a file there takes no library's place
    for module in modules:
        try:
            importlib.import_module(module)
        except Exception as error:
            raise ImportError(f"--plugin {module}: {type(error).__name__}: {error}") from error


def info(
    store: Annotated[
        Path | None, typer.Argument(help="What import wrote: show what it has.")
    ] = None,
    json: Json = False,
) -> None:
    """List what is there: benchmarks, devices, agents, policies; or what an imported store has."""
    if store is not None:
        from blox_env.cli.views.imports import show_store

        show_store(store, console)
        return
    from blox_env.networks.tasks import list_tasks

    kinds = {
        "benchmarks": [*blox_env.list_benchmarks(), "live:TASK"],
        "tasks": list_tasks(),
        "devices": blox_env.list_devices(),
        "agents": blox_env.list_agents(),
        "policies": blox_env.list_policies(),
    }
    if json:
        print_json(console, {"version": blox_env.__version__, **kinds})
        return
    console.say(f"blox-env {blox_env.__version__}")
    for kind, names in kinds.items():
        console.say(f"{kind}: {', '.join(names)}")


# in the order in which help shows them
app.command()(searching.search)
app.command()(experiments.compare)
app.command()(experiments.report)
app.command()(experiments.validate)
app.command()(experiments.leaderboard)
app.command()(rewards.rewards)
app.command()(policies.policy)
app.command()(devices.measure)
app.command()(devices.devices)
app.command("import")(data.import_)
app.command()(data.collect)
app.add_typer(surrogates.app, name="surrogate")
app.command()(info)
