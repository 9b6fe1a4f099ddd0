"""``measure`` and ``devices``: where latencies come from, and how good they are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

import blox_env
from blox_env.cli.common import Json, console, errors, names, warn_of
from blox_env.cli.screen import Listing, check_folder
from blox_env.ground.errors import unknown_name

DRIVEN_BY = "ncnn, onnxruntime, onnxruntime-web, openvino, torch-cpu, torch-cuda, module:Class."


def measure(
    out: Annotated[Path | None, typer.Option(help="Folder of raw measurements.")] = None,
    device: Annotated[
        str | None, typer.Option(help="What the device is called; this-machine if not given.")
    ] = None,
    from_: Annotated[
        Path | None,
        typer.Option("--from", help="Measure nothing: a CSV file of architecture and latency_ms."),
    ] = None,
    space: Annotated[
        str | None,
        typer.Option(
            help="blox or bloxxl; with --from that of the file, by its rows if not given."
        ),
    ] = None,
    runtime: Annotated[str, typer.Option(help=DRIVEN_BY)] = "onnxruntime",
    threads: Annotated[int, typer.Option(help="Threads, each on a core of its own.")] = 1,
    batch: Annotated[int, typer.Option(help="Images an inference.")] = 1,
    precision: Annotated[
        str | None, typer.Option(help="float32; bfloat16 or int8, where the runtime has it.")
    ] = None,
    networks: Annotated[int, typer.Option(help="How many networks.")] = 640,
    budget: Annotated[
        int | None,
        typer.Option(help="So few networks, chosen and completed by what known devices tell."),
    ] = None,
    priors: Annotated[
        str | None, typer.Option(help="Those known devices; all for the space if not given.")
    ] = None,
    rounds: Annotated[int, typer.Option(help="Visits of every network, an even number.")] = 6,
    runs: Annotated[int, typer.Option(help="Timed inferences a visit.")] = 30,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 0,
    force: Annotated[bool, typer.Option(help="Measure on a busy machine, too.")] = False,
    build: Annotated[Path | None, typer.Option(help="Fit a predictor, write a device.")] = None,
    retest: Annotated[
        Path | None, typer.Option(help="A device made before: write into its card how it differs.")
    ] = None,
) -> None:
    """Measure latency on this machine; a killed run goes on where it was.

    The folder that --build writes is a device for every other command: --device FOLDER. With
    --from FILE it is made of timings that were measured elsewhere.
    """
    from blox_env.cli.views.progress import tracked
    from blox_env.devices.build import add_retest, build_device
    from blox_env.devices.measure import run_measurement
    from blox_env.devices.protocol import Protocol

    if from_ is not None:
        _from_table(from_, build, device, space, priors, measures=out or budget or retest)
        return
    if out is None:
        raise ValueError("--out: expected a folder of raw measurements")
    large = _large(space)
    if large is not None and budget is not None:
        raise ValueError(
            f"a budget needs a space that can be listed: expected --networks of {space}"
        )
    if priors is not None and budget is None and large is None:
        raise ValueError("priors help to measure few networks: expected a budget with them")
    known: list[Any] = []
    if large is not None and priors is not None:
        known = [blox_env.load_device(name) for name in names(priors)[:1]]
    if budget is not None:
        named = blox_env.list_devices("blox") if priors is None else names(priors)
        known = [blox_env.load_device(name) for name in named]
    settings: dict[str, Any] = {} if runtime == "torch-cuda" else {"threads": threads}
    with tracked() as track:
        run_measurement(
            device or "this-machine",
            networks if budget is None else budget,
            out,
            seed=seed,
            runtime=runtime,
            batch=batch,
            priors=known if large is None else (),
            space=large,
            force=force,
            protocol=Protocol(rounds=rounds, runs=runs),
            track=track,
            precision=precision,
            **settings,
        )
    if build is not None and large is not None:
        from blox_env.devices.slotwise_build import build_slotwise

        _tell(build_slotwise(out, build, prior=known[0] if known else None), build)
    elif build is not None:
        _tell(build_device(out, build, priors=known), build)
    if retest is not None:
        found = add_retest(retest, out)
        console.print(f"{retest}: differs by {found.mape:.1%}, Spearman {found.spearman:.3f}")


def _large(space: str | None) -> blox_env.SearchSpace | None:
    """The space of a name where it cannot be listed; None for Blox."""
    from blox_env.devices.slotwise import SPACES

    if space in (None, "blox"):
        return None
    if space not in SPACES:
        raise ValueError(unknown_name("space", space, ("blox", *SPACES)))
    return SPACES[space]()


def _from_table(
    path: Path,
    build: Path | None,
    device: str | None,
    space: str | None,
    priors: str | None,
    *,
    measures: object,
) -> None:
    """Make a device of a file of timings."""
    from blox_env.importers.timings import device_from_table

    if build is None or measures:
        raise ValueError("--from measures nothing: expected --build FOLDER, no --out or --budget")
    check_folder(build, "--build")
    known = None if priors is None else [] if priors == "none" else names(priors)
    with errors.status("fitting predictors"):
        made = device_from_table(path, build, name=device, space=space, priors=known)
    _tell(made, build)


def _tell(made: blox_env.Device, build: Path) -> None:
    """Say what a new device knows, and warn where that is little."""
    text = f"device: {build}, {made.card['measured']} networks measured"
    if "predictor" in made.card:
        held = made.card["predictor"]["held_out"]
        text += (
            ", the others predicted "
            f"(held out: error {held['mape']:.1%}, Spearman {held['spearman']:.3f})"
        )
    console.say(text)
    warn_of(made)


def devices(
    shown: Annotated[
        list[str] | None, typer.Argument(help="Names or folders; all registered if not given.")
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option(help="Draw accuracy against latency, a PNG each, there.")
    ] = None,
    benchmark: Annotated[str, typer.Option(help="Where the pictures' accuracy is from.")] = (
        "digits"
    ),
    json: Json = False,
) -> None:
    """List devices: what was measured, how far to trust it; and draw them."""
    headings = ("device", "median", "measured", "held-out error", "Spearman", "measured again")
    known = [blox_env.load_device(name) for name in shown or blox_env.list_devices()]
    rows, values = [], []
    for device in known:
        card = device.card
        cells = ["?"] * 3
        value = {"device": device.name, "median_ms": device.median_ms()}
        if "predictor" in card:
            held, noise = card["predictor"]["held_out"], card.get("noise", {})
            again = noise.get("another_occasion", noise.get("retest"))
            cells[:2] = [f"{held['mape']:.1%}", f"{held['spearman']:.3f}"]
            if again is not None:
                cells[2] = f"{again['mape']:.1%}, Spearman {again['spearman']:.3f}"
            value |= {"held_out": held, "measured_again": again}
        measured, estimated = card.get("measured", "?"), card.get("estimated")
        own = str(measured) if estimated is None else f"none, {estimated} estimated"
        rows.append((device.name, f"{device.median_ms():.2f} ms", own, *cells))
        values.append({**value, "measured": card.get("measured"), "estimated": estimated})
    Listing(headings, rows, values).show(console, as_json=json)
    for device in known:
        warn_of(device)
    if pictures is not None:
        check_folder(pictures, "--pictures")
        from blox_env.analysis.device_points import DevicePoints
        from blox_env.report.device_picture import draw_device

        source = blox_env.load_benchmark(benchmark)
        for device in known:
            path = pictures / f"{device.name}.png"
            points = DevicePoints.of(source, device)
            draw_device(points, path, title=f"{source.name} on {device.name}")
            (errors if json else console).say(
                f"{path}: mixing blocks gains {describe(points.gain())}"
            )


def describe(gain: Any) -> str:
    """The range of what mixing blocks gains, in words."""
    known = gain[~np.isnan(gain)]
    if not len(known):
        return "what cannot be said: no uniform architecture is as fast"
    return (
        f"up to {100 * known.max():.1f} points of accuracy at equal latency, "
        f"{100 * np.median(known):.1f} in the median of the {len(gain)} points of the front"
    )
