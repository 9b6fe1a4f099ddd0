"""Make devices of what ``measure_gpu.py`` has measured on a GPU.

    python perf/build_gpu.py gpu.tgz                       files and cards, below the embedded ones
    python perf/build_gpu.py --again gpu.tgz               a later occasion of these: compare, join
    python perf/build_gpu.py --rebuild h100-torch-graph    these anew, from their visits

A later occasion is compared with what the devices say before it is joined to them.
"""

from __future__ import annotations

import argparse
import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import blox_env
from blox_env.devices.build import add_retest, build_device, raw_of
from blox_env.devices.measure import read_visits, round_order
from blox_env.ground.files import write_atomic
from blox_env.spaces import BloxSpace

DATA = Path(__file__).resolve().parents[1] / "blox_env" / "data" / "devices"
PRIORS = ("x86-ort-1t", "x86-ort-int8-1t", "x86-torch-1t")  # help to predict from few networks


def main() -> None:
    """Build, compare and join, or build anew."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "source", nargs="+", help="a packed file and devices (all if none), or them"
    )
    parser.add_argument("--again", action="store_true", help="a later occasion of embedded devices")
    parser.add_argument("--rebuild", action="store_true", help="the named devices, none measured")
    options = parser.parse_args()
    if options.rebuild:
        for name in options.source:
            made(DATA / name, name)
        return
    packed, *wanted = options.source
    with tempfile.TemporaryDirectory() as scratch:
        with tarfile.open(packed) as tar:
            tar.extractall(scratch, filter="data")
        build_all(Path(scratch), wanted, again=options.again)


def build_all(raw: Path, wanted: list[str], *, again: bool) -> None:
    """Write devices below the embedded ones.

    Args:
        raw: the folders of all occasions.
        wanted: names of the devices; all of them if empty.
        again: whether they are embedded already; then the retest is a later occasion of them.
    """
    for plan in sorted((raw / ("retest" if again else "first")).glob("*/plan.json")):
        name, source = plan.parent.name, plan.parent
        if wanted and name not in wanted:
            continue
        if again:
            print("another occasion:", add_retest(DATA / name, source))
            source, _ = join(DATA / name, source, raw / "both" / name, later=True)
            made(source, name)
            continue
        retest = raw / "retest" / name
        if (retest / "plan.json").exists():
            source, retest = join(source, retest, raw / "both" / name)
        made(source, name)
        if len(read_visits(retest)[0]["architectures"]) > 1:
            print("another occasion:", add_retest(DATA / name, retest))


def made(source: Path, name: str) -> None:
    """Write the device ``name`` from its raw folder, or from itself: it keeps its visits."""
    priors = [blox_env.load_device(prior) for prior in PRIORS]
    device = build_device(source, DATA / name, priors=priors)
    print(device, device.card["predictor"], device.card["noise"]["retest"])


def join(first: Path, again: Path, out: Path, *, later: bool = False) -> tuple[Path, Path]:
    """Two occasions as one measurement, and what both have as a retest of it.

    Args:
        first: folder of the first occasion, or of a device made of it.
        again: folder of the second; its further networks are visited after those of the first.
        out: gets the folders ``joined`` and ``retest``.
        later: whether the second occasion was another day's.

    Returns:
        Both folders.
    """
    (plan, visits), (other, new) = raw_of(first), read_visits(again)
    known = set(plan["architectures"])
    common = [v for v in new if v["architecture"] in known]
    more = [v for v in new if v["architecture"] not in known]
    for visit in more:
        visit["position"] += len(known)
    numbers = np.array([*known, *{v["architecture"] for v in more}])
    rows = BloxSpace().from_index(numbers)
    uniform = int((rows == rows[:, :1]).all(axis=1).sum())
    words = (
        f"{len(known)} in a first process and {len(numbers) - len(known)} more in a second one, as "
        f"many as time allowed; {uniform} of three equal blocks, the others uniformly drawn"
    )
    if later:
        words = f"{plan['choice']}; then {len(numbers) - len(known)} more, uniformly drawn, later"
    write_visits(out / "joined", {**plan, "choice": words}, [*visits, *more])
    write_visits(out / "retest", other, common)
    return out / "joined", out / "retest"


def write_visits(folder: Path, plan: dict[str, Any], visits: list[dict[str, Any]]) -> None:
    """Write a measurement of the networks of some visits, numbered anew within each round.

    The plan names the networks in an order from which the seed gives that of the first round.
    """
    numbers: list[int] = []
    for r in range(plan["protocol"]["rounds"]):
        inside = sorted((v for v in visits if v["round"] == r), key=lambda v: v["position"])
        for position, visit in enumerate(inside):
            visit["position"] = position
        if r == 0:
            order = round_order(plan["seed"], 0, len(inside)).tolist()
            there = dict(zip(order, (v["architecture"] for v in inside), strict=True))
            numbers = [there[i] for i in range(len(inside))]
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**plan, "architectures": numbers}, indent=1)
    write_atomic(folder / "plan.json", text.encode())
    lines = [json.dumps(v, separators=(",", ":")) + "\n" for v in visits]
    write_atomic(folder / "visits.jsonl", "".join(lines).encode())


if __name__ == "__main__":
    main()
