"""From a folder of measurements to an embedded device: table, raw visits, card."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from blox_env.devices.base import Device
from blox_env.devices.card import (
    PLANNED,
    DeviceCard,
    NoiseFacts,
    ScoreFacts,
    card_text,
    description,
    facts,
    score_facts,
)
from blox_env.devices.embedded import MeasuredDevice
from blox_env.devices.estimators import predictor
from blox_env.devices.estimators.few_shot import few_shot_candidates
from blox_env.devices.measure import read_visits, round_order
from blox_env.devices.protocol import STATISTICS
from blox_env.ground.files import write_atomic
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.base import SearchSpace
from blox_env.spaces.blox import BloxSpace
from blox_env.store.arrays import array_bytes, arrays_bytes, read_arrays

DRIFT_WINDOWS = (0, 5, 9, 15, 41)  # visits in a row that share a drift of the machine; 0: none
BOOTSTRAPS = 100
ROBUST = ("min", "p10", "p25", "median")  # above these, other processes show first


def build_device(
    raw_folder: str | os.PathLike[str],
    out_folder: str | os.PathLike[str],
    *,
    priors: Sequence[Device] = (),
    space: SearchSpace | None = None,
) -> MeasuredDevice:
    """Make a device of complete measurements of a space, and write it to ``out_folder``.

    The statistic of a visit, and whether drift is removed, are those with the lowest error between
    test and retest (first and second half of the rounds). A measured network keeps its own value;
    the others get that of the predictor with the lowest held-out error.

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
    statistic, window, retests = choose_statistic(times, positions)
    logs = np.log(times[:, :, STATISTICS.index(statistic)])
    measured = np.exp(combine(logs, positions, window))
    rows = space.from_index(numbers)
    candidates = {**predictor.CANDIDATES, **few_shot_candidates(space, priors)}
    folds = min(10, len(rows))
    name, held_out = predictor.choose(space, rows, measured, candidates=candidates, folds=folds)
    latency = predictor.predict_space(space, rows, measured, candidates[name])
    latency[numbers] = measured
    order = np.argsort(numbers)
    tables = {
        "latency.npy": array_bytes(latency.astype(np.float32)),
        "measured.npy": array_bytes(numbers[order].astype(np.int32)),
        "visits.npz": visits_npz(visits),
    }
    found = facts(plan, visits, space, latency, measured)
    noise: NoiseFacts = {
        "retest": score_facts(retests[_key(statistic, window)]),
        "rounds_each": int(plan["protocol"]["rounds"]) // 2,
        "expected_mape_of_value": bootstrap_error(logs, positions, window),
    }
    if plan.get("another_occasion"):  # of a device that is built anew from its own visits
        noise["another_occasion"] = plan["another_occasion"]
    card: DeviceCard = {
        **found,
        "statistic": {
            "visit": statistic,
            "drift_window": window,
            "over_rounds": "median",
            "retest_of_all": {key: score_facts(value) for key, value in retests.items()},
        },
        "noise": noise,
        "predictor": {
            "name": name,
            "words": candidates[name].words,
            "priors": {prior.name: prior.checksum() for prior in priors},
            "folds": folds,
            "held_out": score_facts(held_out[name]),
            "held_out_of_all": {key: score_facts(value) for key, value in held_out.items()},
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
    again = np.exp(combine(logs, positions, card["statistic"]["drift_window"]))
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


def combine(logs: FloatArray, positions: IntArray, window: int) -> FloatArray:
    """One log latency a network from its visits: ``(rounds, n) -> (n,)``, a median over rounds.

    Args:
        logs: log times ``(rounds, n)``.
        positions: when in its round each network was visited, ``(rounds, n)``.
        window: subtract first what so many visits in a row have in common beyond their networks'
            own medians (median polish with a moving median); 0 subtracts nothing. The median over
            all visits stays what it is.
    """
    own: FloatArray = np.median(logs, axis=0)
    if not window:
        return own
    order = np.argsort(positions, axis=1)
    drift = np.empty_like(logs)
    for _ in range(5):
        in_order = np.take_along_axis(logs - own, order, axis=1)
        half = min(window // 2, in_order.shape[1] - 1)
        padded = np.pad(in_order, ((0, 0), (half, half)), mode="reflect")
        moving = np.median(sliding_window_view(padded, 2 * half + 1, axis=1), axis=2)
        np.put_along_axis(drift, order, moving - np.median(moving), axis=1)
        own = np.median(logs - drift, axis=0)
    return own


def bootstrap_error(logs: FloatArray, positions: IntArray, window: int) -> float:
    """Mean relative error of a network's value, from resampling the rounds (seeded).

    Args:
        logs: logarithms of the times, ``(rounds, n)``.
        positions: of the networks in each round, ``(rounds, n)``.
        window: width of the drift's running median.
    """
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(BOOTSTRAPS):
        chosen = rng.integers(len(logs), size=len(logs))
        draws.append(combine(logs[chosen], positions[chosen], window))
    spread = np.std(np.array(draws), axis=0, ddof=1)
    return float(np.sqrt(2 / np.pi) * spread.mean())  # mean size of a Gaussian of that deviation


def choose_statistic(
    times: FloatArray, positions: IntArray
) -> tuple[str, int, dict[str, predictor.Scores]]:
    """Statistic of a visit and window of drift, by the lowest error between test and retest.

    Args:
        times: milliseconds ``(rounds, n, 6)``, the last axis as in ``STATISTICS``.
        positions: ``(rounds, n)``.

    Returns:
        The statistic, the window (0: drift is not removed), and the scores of all choices.
    """
    half = len(times) // 2
    table: dict[str, predictor.Scores] = {}
    best: tuple[float, str, int] | None = None
    for s, statistic in enumerate(STATISTICS):
        logs = np.log(times[:, :, s])
        for window in DRIFT_WINDOWS:
            test = combine(logs[:half], positions[:half], window)
            retest = combine(logs[half:], positions[half:], window)
            if window:  # what all networks share between the halves is drift as well
                retest = retest + np.median(test - retest)
            found = predictor.scores(np.exp(test), np.exp(retest))
            table[_key(statistic, window)] = found
            if statistic in ROBUST and (best is None or found.mape < best[0]):
                best = (found.mape, statistic, window)
    if best is None:  # pragma: no cover (there are robust statistics)
        raise RuntimeError("no statistic to choose from")
    return best[1], best[2], table


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


def _key(statistic: str, window: int) -> str:
    return f"{statistic}, drift over {window}" if window else statistic
