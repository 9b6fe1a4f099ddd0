"""From a folder of measurements to an embedded device: table, raw visits, card."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from blox_env.devices import values
from blox_env.devices.base import Device
from blox_env.devices.card import card_text, description
from blox_env.devices.embedded import MeasuredDevice
from blox_env.devices.estimators import predictor
from blox_env.devices.estimators.few_shot import few_shot_candidates
from blox_env.devices.facts import (
    PLANNED,
    AnotherOccasion,
    DeviceCard,
    NoiseFacts,
    ScoreFacts,
    facts,
    score_facts,
)
from blox_env.devices.measure import read_visits, round_order
from blox_env.devices.protocol import STATISTICS
from blox_env.ground.files import write_atomic
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.base import SearchSpace
from blox_env.spaces.blox import BloxSpace
from blox_env.store.arrays import array_bytes, arrays_bytes, read_arrays


def build_device(
    raw_folder: str | os.PathLike[str],
    out_folder: str | os.PathLike[str],
    *,
    priors: Sequence[Device] = (),
    space: SearchSpace | None = None,
) -> MeasuredDevice:
    """Make a device of complete measurements of a space, and write it to ``out_folder``.

    A measured network has its measured value, moved towards the prediction by its noise
    (:func:`blox_env.devices.values.shrink`); the others get what the predictor says that
    :func:`blox_env.devices.estimators.predictor.choose` takes.

    Args:
        raw_folder: what was measured; a device made by this function will do, since it keeps every
            visit.
        out_folder: where to write the device.
        priors: known devices, whose latencies help to predict those of this one
            (:mod:`blox_env.devices.estimators.few_shot`).
        space: what was measured, enumerable; Blox if not given.

    Returns:
        The device as loaded from ``out_folder``.

    Raises:
        ValueError: visits are missing or cannot be read.
    """
    plan, visits = raw_of(Path(raw_folder))
    space = BloxSpace() if space is None else space
    if plan["options"] != list(space.options):
        raise ValueError(f"{raw_folder}: expected options {space.options}, got {plan['options']}")
    numbers, times, positions = tabulate(plan, visits, str(raw_folder))
    statistic, window = values.STATISTIC, values.DRIFT_WINDOW
    logs = np.log(times[:, :, STATISTICS.index(statistic)])
    measured = np.exp(values.combine(logs, positions, window))
    rows = space.from_index(numbers)
    candidates = {**predictor.CANDIDATES, **few_shot_candidates(space, priors)}
    folds = min(10, len(rows))
    name, held_out = predictor.choose(space, rows, measured, candidates=candidates, folds=folds)
    latency = predictor.predict_space(space, rows, measured, candidates[name])
    one_by_one = predictor.cross_validate(space, rows, measured, candidates[name], folds=folds)
    test, retest = values.halves(times, positions, statistic, window)
    noise_var = float(np.var(test - retest)) / 4  # of a mean of both halves
    latency[numbers], weight = values.shrink(measured, one_by_one, noise_var)
    usual = values.combine(np.log(times[:, :, STATISTICS.index("median")]), positions, window)
    order = np.argsort(numbers)
    tables = {
        "latency.npy": array_bytes(latency.astype(np.float32)),
        "measured.npy": array_bytes(numbers[order].astype(np.int32)),
        "visits.npz": visits_npz(visits),
    }
    found = facts(plan, visits, space, latency, measured)
    noise: NoiseFacts = {
        "retest": score_facts(predictor.scores(np.exp(test), np.exp(retest))),
        "rounds_each": int(plan["protocol"]["rounds"]) // 2,
        "expected_mape_of_value": values.bootstrap_error(logs, positions, window),
        "kept_of_difference": weight,
    }
    if earlier := plan.get("another_occasion"):  # of a device built anew from its visits
        before = Path(raw_folder) / "latency.npy"  # not there if that occasion was joined to it
        changed = not before.is_file() or before.read_bytes() != tables["latency.npy"]
        carried = {"of_earlier_values": changed or earlier.get("of_earlier_values", False)}
        noise["another_occasion"] = cast("AnotherOccasion", {**earlier, **carried})
    card: DeviceCard = {
        **found,
        "statistic": {
            "visit": statistic,
            "drift_window": window,
            "over_rounds": "median",
            "fixed": True,
            "median_over_value": float(np.exp(np.median(usual) - np.median(np.log(measured)))),
            "retest_of_all": {
                key: score_facts(value)
                for key, value in values.retest_scores(times, positions).items()
            },
        },
        "noise": noise,
        "predictor": {
            "name": name,
            "words": candidates[name].words,
            "priors": {prior.name: prior.checksum() for prior in priors},
            "folds": folds,
            "held_out": score_facts(held_out[name]),
            "held_out_of_all": {key: score_facts(value) for key, value in held_out.items()},
            "held_out_by_tenth": values.deciles(measured, one_by_one),
        },
        "description": description(found),
        "files": {key: hashlib.sha256(data).hexdigest() for key, data in tables.items()},
    }
    if drawn := _drawn(rows, measured, space, candidates[name]):
        card["predictor"]["drawn"], card["predictor"]["held_out_drawn"] = drawn
    folder = Path(out_folder)
    for key, data in tables.items():
        write_atomic(folder / key, data)
    _write_card(folder, card)
    return MeasuredDevice.from_folder(folder, space)


def add_retest(
    device_folder: str | os.PathLike[str], raw_folder: str | os.PathLike[str]
) -> predictor.Scores:
    """Compare a device with measurements of another occasion, and write that into its card.

    Args:
        device_folder: what :func:`build_device` wrote.
        raw_folder: complete measurements of some of its measured networks, of the same kind.

    Returns:
        How well the new values stand for those of the device, what all networks share left in.

    Raises:
        ValueError: the measurements are of another kind, or have no network in common.
    """
    folder, space = Path(device_folder), BloxSpace()
    device = MeasuredDevice.from_folder(folder, space)
    card = cast("DeviceCard", dict(device.card))
    plan, visits = raw_of(Path(raw_folder))
    for key in ("space", "input_shape", "network"):
        if plan[key] != device.card[key]:
            wanted = device.card[key]
            raise ValueError(f"{raw_folder}: expected {key} {wanted!r}, got {plan[key]!r}")
    for key in ("name", "settings"):
        if (got := plan["runtime"][key]) != (wanted := device.card["runtime"][key]):
            raise ValueError(f"{raw_folder}: expected the runtime's {key} {wanted!r}, got {got!r}")
    numbers, times, positions = tabulate(plan, visits, str(raw_folder))
    logs = np.log(times[:, :, STATISTICS.index(card["statistic"]["visit"])])
    again = np.exp(values.combine(logs, positions, card["statistic"]["drift_window"]))
    rows = space.from_index(numbers)
    known = device.measured(rows)
    if known.sum() < 2:
        raise ValueError(f"{raw_folder}: expected networks that {device.name!r} has measured")
    before, again = device.latency_ms(rows[known]), again[known]
    found = predictor.scores(before, again)
    shared = float(np.median(again / before))
    card["noise"] = {
        **card["noise"],
        "another_occasion": {
            "networks": int(known.sum()),
            "rounds": int(plan["protocol"]["rounds"]),
            "from": facts(plan, visits, space, again, again)["during"]["from"],
            "machine": plan["machine"],
            "versions": plan["runtime"]["versions"],
            "shared_factor": shared,
            "of_earlier_values": False,
            **score_facts(found),
            "mape_without_shared": predictor.scores(before, again / shared).mape,
        },
    }
    _write_card(folder, card)
    return found


def tabulate(
    plan: dict[str, Any], visits: list[dict[str, Any]], where: str = "the measurement"
) -> tuple[IntArray, FloatArray, IntArray]:
    """Arrange visits: numbers ``(n,)``, times ``(rounds, n, 6)`` in ms, positions ``(rounds, n)``.

    The position says when in its round a network was visited.

    Args:
        plan: of the measurement.
        visits: its lines.
        where: the measurement in messages.

    Raises:
        ValueError: a visit is missing, double, or of a network that is not in the plan.
    """
    numbers = np.array(plan["architectures"], dtype=np.int64)
    place = {number: i for i, number in enumerate(numbers.tolist())}
    rounds = int(plan["protocol"]["rounds"])
    times = np.full((rounds, len(numbers), len(STATISTICS)), np.nan)
    positions = np.full((rounds, len(numbers)), -1, dtype=np.int64)
    for v in visits:
        i = place.get(v["architecture"])
        if i is None or not 0 <= v["round"] < rounds or positions[v["round"], i] >= 0:
            raise ValueError(f"{where}: expected one visit a round and network, got another: {v}")
        times[v["round"], i] = v["ms"]
        positions[v["round"], i] = v["position"]
    missing = int((positions < 0).sum())
    if missing:
        raise ValueError(
            f"{where}: expected {positions.size} visits ({rounds} rounds of {len(numbers)} "
            f"networks), {missing} are missing: call run_measurement again to go on"
        )
    if not (np.isfinite(times) & (times > 0)).all():
        raise ValueError(f"{where}: expected times that are finite and above 0, got others")
    return numbers, times, positions


def raw_of(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Plan and visits of a folder of measurements, or of a device made of one."""
    if not (folder / "visits.npz").is_file():
        return read_visits(folder)
    card = json.loads((folder / "card.json").read_text())
    arrays = read_arrays(folder / "visits.npz")
    columns = {name: values.tolist() for name, values in arrays.items() if name != "statistics"}
    # as they were written before they became float32
    columns["ms"] = np.round(arrays["ms"].astype(np.float64), 5).tolist()
    visits = [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]
    first_round = {v["position"]: v["architecture"] for v in visits if v["round"] == 0}
    order = round_order(card["seed"], 0, len(first_round)).tolist()
    chosen = dict(zip(order, (first_round[p] for p in range(len(order))), strict=True))
    return {
        **{key: value for key, value in card.items() if key in PLANNED},
        "device": card["name"],
        "another_occasion": card["noise"].get("another_occasion"),
        "choice": card["choice"],
        "options": list(BloxSpace().options),
        "architectures": [chosen[i] for i in range(len(order))],
    }, visits


def _drawn(
    rows: IntArray, measured: FloatArray, space: SearchSpace, candidate: predictor.Candidate
) -> tuple[int, ScoreFacts] | None:
    """Score of those without equal blocks, where these are fewer than the others.

    Architectures of equal blocks alone do not tell what an operation costs in which stage, so the
    error over all networks says little of the others then.
    """
    drawn = (rows != rows[:, :1]).any(axis=1)
    if not 2 <= drawn.sum() <= len(rows) / 2:
        return None
    one_by_one = predictor.cross_validate(space, rows, measured, candidate, folds=len(rows))
    return int(drawn.sum()), score_facts(predictor.scores(measured[drawn], one_by_one[drawn]))


def _write_card(folder: Path, card: DeviceCard) -> None:
    write_atomic(folder / "CARD.md", card_text(card).encode())
    write_atomic(folder / "card.json", (json.dumps(card, indent=1) + "\n").encode())


def visits_npz(visits: list[dict[str, Any]]) -> bytes:
    """All visits as the bytes of a compressed file."""
    columns: dict[str, NDArray[Any]] = {
        "architecture": np.array([v["architecture"] for v in visits], dtype=np.int32),
        "round": np.array([v["round"] for v in visits], dtype=np.uint8),
        "position": np.array([v["position"] for v in visits], dtype=np.uint16),
        "run": np.array([v["run"] for v in visits], dtype=np.int64),
        "time": np.array([v["time"] for v in visits], dtype=np.float64),
        "warmup": np.array([v["warmup"] for v in visits], dtype=np.uint8),
        "others": np.array([v["others"] for v in visits], dtype=np.float32),
        "load": np.array([v["load"] for v in visits], dtype=np.float32),
        "outliers": np.array([v.get("outliers", 0) for v in visits], dtype=np.uint8),
        "tries": np.array([v.get("tries", 1) for v in visits], dtype=np.uint8),
        "ms": np.array([v["ms"] for v in visits], dtype=np.float32),
        "statistics": np.array(STATISTICS),
    }
    return arrays_bytes(columns)
