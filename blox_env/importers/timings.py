"""Board timings that were measured elsewhere become a device, ``blox-env measure --from``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from blox_env.devices import list_devices, load_device
from blox_env.devices.base import Device
from blox_env.devices.embedded import MeasuredDevice
from blox_env.devices.given import build_given
from blox_env.ground.errors import unknown_name
from blox_env.ground.files import file_hash
from blox_env.importers.sheet import UNNAMED, read_sheet
from blox_env.importers.table import KNOWN
from blox_env.spaces import SearchSpace


def device_from_table(
    path: str | Path,
    out: str | Path,
    *,
    name: str | None = None,
    space: str | None = None,
    priors: Sequence[str | Device] | None = None,
) -> MeasuredDevice:
    """Make a device of a CSV file of architectures and latencies.

    Columns are those of :mod:`blox_env.importers.table`; a row a network or a row a timing: of
    several timings of a network the median counts.

    Args:
        path: of the file.
        out: folder to write the device to, which ``load_device`` and ``--device`` take.
        name: of the device, and of its column where there are several, such as ``pi4`` for
            ``latency_ms:pi4``; that of the only column if not given.
        space: name of the space; by the architectures if not given.
        priors: known devices that help to predict; all registered for the space if not given.

    Raises:
        ValueError: names file, row and column, and says what was expected.
    """
    sheet = read_sheet(Path(path))
    sheet.check_headings(KNOWN)
    latencies = sheet.latencies()
    if not latencies:
        raise ValueError(
            f"{path}: expected a column latency_ms, latency_us or latency_s, got "
            f"{', '.join(map(repr, sheet.cells))}"
        )
    column = name if name in latencies else next(iter(latencies))
    if len(latencies) > 1 and column != name:
        raise ValueError(f"{path}: {unknown_name('device', name, latencies)}")
    of, numbers = sheet.architectures(space)
    values = latencies[column]
    known = ~np.isnan(values)
    if name is None:
        name = Path(path).stem if column == UNNAMED else column
    try:
        return build_given(
            name,
            of,
            numbers[known],
            values[known],
            out,
            priors=_priors(priors, of),
            origin={"file": Path(path).name, "sha256": file_hash(Path(path))},
        )
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _priors(priors: Sequence[str | Device] | None, space: SearchSpace) -> list[Device]:
    names = list_devices(space.name) if priors is None else priors
    return [load_device(each) for each in names]
