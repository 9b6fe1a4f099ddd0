"""``search``: one search in a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import blox_env
from blox_env.cli.common import (
    INTERRUPTED,
    Data,
    Device,
    Json,
    Set,
    console,
    device_or_none,
    errors,
    limits_of,
    options_of,
    warn_of,
)
from blox_env.cli.screen import check_file
from blox_env.ground import defaults
from blox_env.ground.errors import check_positive_int, unknown_name

_SIZES = ("width", "classes", "in_channels", "image_size", "batch")


def search(
    agent: Annotated[str, typer.Option(help="Name of an agent.")] = "regularized-evolution",
    benchmark: Annotated[str, typer.Option(help="Name of a benchmark.")] = defaults.BENCHMARK,
    data: Data = None,
    device: Device = defaults.DEFAULT,
    reward: Annotated[str | None, typer.Option(help="Name of a reward formula.")] = None,
    target: Annotated[float | None, typer.Option(help="Latency target in ms.")] = None,
    constraint: Annotated[
        list[str] | None,
        typer.Option(
            help="A limit, as name=value: latency_ms, params, macs, flops, memory_mb, "
            "peak_activation_bytes. May be given several times."
        ),
    ] = None,
    budget: Annotated[int, typer.Option(help="Full trainings that the search may spend.")] = 500,
    seed: Annotated[int, typer.Option(help="Seed of the search.")] = 0,
    set_: Set = None,
    time_limit: Annotated[
        float | None, typer.Option(help="Seconds after which the search ends with what it has.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the history there, as CSV.")] = None,
    export: Annotated[
        list[Path] | None,
        typer.Option(help="Write the best network there, as .onnx or .pt2, weights random."),
    ] = None,
    network: Annotated[
        list[str] | None,
        typer.Option(
            help="A size of that network, as name=value: width, classes, in_channels, "
            "image_size, batch."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Run one search and show the best architecture."""
    from blox_env.export import check_target

    files = [check_target(path) for path in export or []]
    if out is not None:
        check_file(out, "--out")
    check_positive_int("--seed", seed, 0)
    check_positive_int("--budget", budget)
    sizes = _sizes(network)
    problem = blox_env.Problem(
        benchmark,
        device_or_none(device),
        reward,
        latency_target_ms=target,
        budget=budget,
        constraints=limits_of(constraint),
    )
    from blox_env.agent import make_agent
    from blox_env.cli.views.search import best_listing, no_device, unmet, watched_search

    if device == defaults.DEFAULT and problem.device is None:
        errors.say(f"no device: {no_device(problem)}")
    if not problem.candidates.complete:
        errors.say(f"note: {problem.candidates}; the search keeps to them")
    ready = make_agent(agent, options_of(set_))
    history, ended = watched_search(
        problem, ready, agent, seed, errors if json else console, time_limit
    )
    if out is not None:
        from blox_env.ground.files import write_atomic

        write_atomic(out, history.to_csv())
    best_listing(problem, history).show(console, as_json=json)
    told = errors if json else console
    warn_of(problem.device)
    asked = target is not None or problem.reward_name.startswith("constraint")
    for warning in unmet(history, target=asked):
        errors.say(f"warning: {warning}")
    if out is not None:
        told.say(f"history: {out}")
    for file in files:
        how = {"agent": agent, "seed": seed, "budget": budget, "evaluations": len(history)}
        row = history.x[history.best.row]
        blox_env.export_network(row, file, problem=problem, search=how, **sizes)
        told.say(f"network: {file}")
    if not ended:
        errors.print(f"{problem.spent:g} of {budget} evaluations were spent.")
        raise typer.Exit(INTERRUPTED)


def _sizes(pairs: list[str] | None) -> dict[str, int]:
    """``["width=16"]`` as arguments of :func:`blox_env.export_network`."""
    sizes = options_of(pairs, "--network")
    for name, value in sizes.items():
        if name not in _SIZES:
            raise ValueError(unknown_name("size of --network", name, _SIZES))
        check_positive_int(f"--network {name}", value)
    return sizes
