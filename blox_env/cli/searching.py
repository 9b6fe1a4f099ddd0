"""``search``: one search in a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import blox_env
from blox_env.cli.common import (
    INTERRUPTED,
    Device,
    Set,
    console,
    device_or_none,
    errors,
    options_of,
)


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
        benchmark, device_or_none(device), reward, latency_target_ms=target, budget=budget
    )
    from blox_env.agent import make_agent  # noqa: PLC0415
    from blox_env.search_view import best_table, watched_search  # noqa: PLC0415

    ready = make_agent(agent, options_of(set_))
    history, ended = watched_search(problem, ready, agent, seed, console)
    console.print(best_table(problem, history))
    if out is not None:
        from blox_env.parallel import write_atomic  # noqa: PLC0415

        write_atomic(out, history.to_csv())
        console.print(f"history: {out}")
    if not ended:
        errors.print(f"{problem.spent:g} of {budget} evaluations were spent.")
        raise typer.Exit(INTERRUPTED)
