"""``measure``: where latencies come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from blox_env.cli.common import console


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
