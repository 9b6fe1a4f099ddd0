"""From a folder of measurements to an embedded device: table, raw visits, card."""

from __future__ import annotations

import hashlib
import io
import json
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from blox_env.devices import predictor
from blox_env.devices.embedded import MeasuredDevice
from blox_env.devices.measure import STATISTICS, choose_rows, read_visits
from blox_env.parallel import write_atomic
from blox_env.spaces.base import FloatArray, IntArray, SearchSpace
from blox_env.spaces.blox import BloxSpace

DRIFT_WINDOWS = (0, 5, 9, 15, 41)  # visits in a row that share a drift of the machine; 0: none
BOOTSTRAPS = 100
ROBUST = ("min", "p10", "p25", "median")  # above these, other processes show first


def build_device(
    raw_folder: str | os.PathLike[str], out_folder: str | os.PathLike[str]
) -> MeasuredDevice:
    """Make a device of complete measurements of the Blox space and write it to ``out_folder``.

    The statistic of a visit, and whether drift is removed, are those with the lowest error between
    test and retest (first and second half of the rounds). A measured network keeps its own value;
    the others get that of the predictor with the lowest held-out error.

    Returns:
        The device as loaded from ``out_folder``.

    Raises:
        ValueError: visits are missing or cannot be read.
    """
    plan, visits = read_visits(raw_folder)
    space = BloxSpace()
    if plan["options"] != list(space.options):
        raise ValueError(f"{raw_folder}: expected options {space.options}, got {plan['options']}")
    numbers, times, positions = tabulate(plan, visits, str(raw_folder))
    statistic, window, retests = choose_statistic(times, positions)
    logs = np.log(times[:, :, STATISTICS.index(statistic)])
    measured = np.exp(combine(logs, positions, window))
    rows = space.from_index(numbers)
    name, held_out = predictor.choose(space, rows, measured)
    latency = predictor.predict_space(space, rows, measured, name)
    latency[numbers] = measured
    order = np.argsort(numbers)
    tables = {
        "latency.npy": _npy(latency.astype(np.float32)),
        "measured.npy": _npy(numbers[order].astype(np.int32)),
        "visits.npz": _visits_npz(visits),
    }
    card = _card(plan, visits, space, latency, measured)
    chosen = retests[_key(statistic, window)]
    card["statistic"] = {
        "visit": statistic,
        "drift_window": window,
        "over_rounds": "median",
        "retest_of_all": {key: asdict(value) for key, value in retests.items()},
    }
    card["noise"] = {
        "retest": asdict(chosen),
        "rounds_each": int(plan["protocol"]["rounds"]) // 2,
        "expected_mape_of_value": bootstrap_error(logs, positions, window),
    }
    card["predictor"] = {
        "name": name,
        "words": predictor.CANDIDATES[name].words,
        "folds": 10,
        "held_out": asdict(held_out[name]),
        "held_out_of_all": {key: asdict(value) for key, value in held_out.items()},
    }
    card["description"] = description(card)
    card["files"] = {key: hashlib.sha256(data).hexdigest() for key, data in tables.items()}
    folder = Path(out_folder)
    for key, data in tables.items():
        write_atomic(folder / key, data)
    write_atomic(folder / "CARD.md", card_text(card).encode())
    write_atomic(folder / "card.json", (json.dumps(card, indent=1) + "\n").encode())
    return MeasuredDevice.from_folder(folder, space)


def tabulate(
    plan: dict[str, Any], visits: list[dict[str, Any]], where: str = "the measurement"
) -> tuple[IntArray, FloatArray, IntArray]:
    """Arrange visits: numbers ``(n,)``, times ``(rounds, n, 6)`` in ms, positions ``(rounds, n)``.

    The position says when in its round a network was visited.

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
    """Mean relative error of a network's value, from resampling the rounds (seeded)."""
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


def description(card: dict[str, Any]) -> str:
    """What was measured, in two sentences."""
    shape, network, settings = card["input_shape"], card["network"], card["runtime"]["settings"]
    return (
        f"Latency in milliseconds of one inference of full-size CIFAR networks (width "
        f"{network['width']}, {network['classes']} classes), input {'×'.join(map(str, shape))} "
        f"(batch {shape[0]}), {settings.get('precision', '')}, {card['runtime']['name']} with "
        f"{settings.get('intra_op_num_threads', '?')} thread on {card['machine']['cpu']}. "
        "These are not the small networks that the embedded benchmark trains on digits."
    )


def card_text(card: dict[str, Any]) -> str:
    """The card for people, every number from ``card``."""
    p, noise, found = card["protocol"], card["noise"], card["predictor"]
    retest, held = noise["retest"], found["held_out"]
    statistic, latency, during = card["statistic"], card["latency_ms"], card["during"]
    removed = (
        f"after what {statistic['drift_window']} visits in a row have in common (drift of the "
        "machine) was removed"
        if statistic["drift_window"]
        else "drift not removed"
    )
    lines = [
        f"# {card['name']}",
        "",
        card["description"],
        "",
        (
            f"- **Measured or predicted:** {card['measured']} of {card['architectures']} "
            f"architectures were measured and keep their own value; the other "
            f"{card['architectures'] - card['measured']} are predicted."
        ),
        (
            f"- **Range:** {latency['min']:.3f} … {latency['max']:.3f} ms, median "
            f"{latency['median']:.3f} ms (measured ones {latency['measured_min']:.3f} … "
            f"{latency['measured_max']:.3f}, median {latency['measured_median']:.3f})."
        ),
        (
            f"- **Noise:** the first {noise['rounds_each']} rounds against the other "
            f"{noise['rounds_each']}: mean difference {retest['mape']:.2%}, Spearman "
            f"{retest['spearman']:.3f}, Kendall {retest['kendall']:.3f} (a difference that all "
            "networks share between the halves is not counted where drift is removed). Mean error "
            "of a value from all rounds, by resampling the rounds: "
            f"{noise['expected_mape_of_value']:.2%}."
        ),
        (
            f"- **Predictor:** {found['words']}; held out in {found['folds']}-fold cross-"
            f"validation: mean error {held['mape']:.2%}, Spearman {held['spearman']:.3f}, Kendall "
            f"{held['kendall']:.3f}, R² {held['r2']:.3f}. These errors contain the noise of the "
            "values that they are compared with."
        ),
        (
            f"- **Protocol:** {p['rounds']} rounds, each over all networks in an order of its own; "
            f"at each visit a fresh session, {p['min_warmup']} to {p['max_warmup']} warm-up "
            f"inferences (until two medians of five differ by less than {p['tolerance']:.0%}), "
            f"then {p['runs']} timed ones. Value: {statistic['visit']} of a visit, {removed}, "
            "median over the rounds. "
            "Statistic and removal of drift were chosen by the lowest test-retest error."
        ),
        (
            f"- **Networks:** {card['choice']}, visited in orders by seed {card['seed']}; "
            "random weights."
        ),
        (
            f"- **Machine:** {card['machine']['cpu']}, {card['machine']['cores']} cores, "
            f"{card['machine']['system']}."
        ),
        f"- **Versions:** {_listed(card['runtime']['versions'])}.",
        f"- **Settings:** {_listed(card['runtime']['settings'])}.",
        (
            f"- **When:** {during['from']} to {during['to']} (UTC), {during['visits']} visits in "
            f"{during['runs']} run(s); other processes used {during['others_mean']:.2f} cores in "
            f"the mean, {during['others_p95']:.2f} at the 95th percentile."
        ),
        "",
        "| predictor | held-out error | Spearman | Kendall | R² |",
        "|---|---|---|---|---|",
        *(_row(key, value) for key, value in found["held_out_of_all"].items()),
        "",
        "| statistic | test-retest error | Spearman | Kendall | R² |",
        "|---|---|---|---|---|",
        *(_row(key, value) for key, value in statistic["retest_of_all"].items()),
        "",
        (
            "Files: `latency.npy` float32 by architecture number, `measured.npy` numbers of the "
            "measured ones, `visits.npz` every visit, `card.json` this card."
        ),
    ]
    return "\n".join(lines) + "\n"


def _card(
    plan: dict[str, Any],
    visits: list[dict[str, Any]],
    space: SearchSpace,
    latency: FloatArray,
    measured: FloatArray,
) -> dict[str, Any]:
    """What is known without choices: plan, range of the latencies, state of the machine."""
    kept = ("schema", "space", "seed", "input_shape", "network", "protocol", "runtime", "machine")
    stamps = [v["time"] for v in visits]
    others = np.array([v["others"] for v in visits], dtype=np.float64)
    return {
        "name": plan["device"],
        **{key: plan[key] for key in kept},
        "choice": _choice(plan, space),
        "architectures": space.size,
        "measured": len(measured),
        "latency_ms": {
            "min": float(latency.min()),
            "median": float(np.median(latency)),
            "max": float(latency.max()),
            "measured_min": float(measured.min()),
            "measured_median": float(np.median(measured)),
            "measured_max": float(measured.max()),
        },
        "during": {
            "from": datetime.fromtimestamp(min(stamps), UTC).isoformat(timespec="seconds"),
            "to": datetime.fromtimestamp(max(stamps), UTC).isoformat(timespec="seconds"),
            "visits": len(visits),
            "runs": len({v["run"] for v in visits}),
            "others_mean": float(others.mean()),
            "others_p95": float(np.quantile(others, 0.95)),
            "warmup_mean": float(np.mean([v["warmup"] for v in visits])),
        },
    }


def _choice(plan: dict[str, Any], space: SearchSpace) -> str:
    numbers = plan["architectures"]
    if len(numbers) >= min(space.options):
        usual = space.index(choose_rows(space, len(numbers), plan["seed"]))
        if usual.tolist() == numbers:
            return f"those of three equal blocks, then uniformly drawn ones (seed {plan['seed']})"
    return "given by whoever measured"


def _visits_npz(visits: list[dict[str, Any]]) -> bytes:
    columns: dict[str, NDArray[Any]] = {
        "architecture": np.array([v["architecture"] for v in visits], dtype=np.int32),
        "round": np.array([v["round"] for v in visits], dtype=np.uint8),
        "position": np.array([v["position"] for v in visits], dtype=np.uint16),
        "run": np.array([v["run"] for v in visits], dtype=np.int64),
        "time": np.array([v["time"] for v in visits], dtype=np.float64),
        "warmup": np.array([v["warmup"] for v in visits], dtype=np.uint8),
        "others": np.array([v["others"] for v in visits], dtype=np.float32),
        "load": np.array([v["load"] for v in visits], dtype=np.float32),
        "ms": np.array([v["ms"] for v in visits], dtype=np.float32),
        "statistics": np.array(STATISTICS),
    }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **columns)
    return buffer.getvalue()


def _npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _key(statistic: str, window: int) -> str:
    return f"{statistic}, drift over {window}" if window else statistic


def _listed(entries: dict[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in entries.items())


def _row(name: str, s: dict[str, float]) -> str:
    return (
        f"| {name} | {s['mape']:.2%} | {s['spearman']:.3f} | {s['kendall']:.3f} | {s['r2']:.3f} |"
    )
