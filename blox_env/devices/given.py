"""A device from latencies that somebody measured elsewhere: predictor, card, and how good it is."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from blox_env.devices.base import Device
from blox_env.devices.card import score_row
from blox_env.devices.doubt import doubt
from blox_env.devices.embedded import MeasuredDevice
from blox_env.devices.estimators import predictor
from blox_env.devices.estimators.few_shot import few_shot_candidates
from blox_env.devices.facts import ranges, score_facts
from blox_env.ground.files import write_atomic
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.base import SearchSpace
from blox_env.store.arrays import array_bytes

FEWEST = 5  # networks that a predictor is fitted on
MOST_PAIRS = 2000  # networks beyond which a Gaussian process takes too long
_LEAST = 0.5  # of the fastest measured latency: what is predicted below it becomes this


def build_given(
    name: str,
    space: SearchSpace,
    numbers: IntArray,
    latency_ms: FloatArray,
    out_folder: str | os.PathLike[str],
    *,
    priors: Sequence[Device] = (),
    origin: Mapping[str, Any] | None = None,
) -> MeasuredDevice:
    """Make a device of given latencies, and write it to ``out_folder``.

    A measured network keeps its own value, the median where it has several; the others get that of
    the predictor with the lowest held-out error, known devices being prior knowledge.

    Args:
        name: of the device.
        space: what was measured, enumerable.
        numbers: of the architectures ``(n,)``; one may be there several times.
        latency_ms: milliseconds ``(n,)``, above 0.
        out_folder: where to write the device.
        priors: known devices for the space.
        origin: where the latencies are from, for the card: ``file``, ``sha256``.

    Returns:
        The device as loaded from ``out_folder``.

    Raises:
        ValueError: for too few architectures.
    """
    distinct, place, count = np.unique(numbers, return_inverse=True, return_counts=True)
    if len(distinct) < FEWEST:
        raise ValueError(
            f"expected latencies of at least {FEWEST} architectures, got {len(distinct)}"
        )
    order = np.argsort(place, kind="stable")
    groups = np.split(np.asarray(latency_ms, dtype=np.float64)[order], np.cumsum(count)[:-1])
    measured = np.array([np.median(group) for group in groups])
    card: dict[str, Any] = {
        "name": name,
        "schema": 1,
        "kind": "given",
        "space": space.name,
        "architectures": space.size,
        "measured": len(distinct),
        "rows": len(numbers),
        "origin": dict(origin or {}),
    }
    again = [group for group in groups if len(group) > 1]
    if len(again) >= FEWEST:  # the first half of the rows of each against the second
        halves = [(np.median(g[: len(g) // 2]), np.median(g[len(g) // 2 :])) for g in again]
        first, second = np.array(halves).T
        card["noise"] = {
            "retest": score_facts(predictor.scores(first, second)),
            "networks": len(again),
        }
    if len(distinct) == space.size:
        latency = measured
    else:
        latency, card["predictor"] = completed(space, distinct, measured, priors)
    card["latency_ms"] = ranges(latency, measured)
    where = f" in {card['origin']['file']}" if "file" in card["origin"] else ""
    card["description"] = (
        f"Latency in milliseconds as given{where}; batch, precision and machine are what its "
        "author measured with"
    )
    tables = {"latency.npy": array_bytes(latency), "measured.npy": array_bytes(distinct)}
    card["files"] = {key: hashlib.sha256(data).hexdigest() for key, data in tables.items()}
    folder = Path(out_folder)
    for key, data in tables.items():
        write_atomic(folder / key, data)
    write_atomic(folder / "CARD.md", card_text(card))
    write_atomic(folder / "card.json", json.dumps(card, indent=1) + "\n")
    return MeasuredDevice.from_folder(folder, space)


def completed(
    space: SearchSpace, numbers: IntArray, measured: FloatArray, priors: Sequence[Device]
) -> tuple[FloatArray, dict[str, Any]]:
    """Latencies of the whole space, and the facts of how they were predicted.

    Args:
        space: of the architectures.
        numbers: of the known ones ``(n,)``.
        measured: their milliseconds.
        priors: known devices.
    """
    rows = space.from_index(numbers)
    candidates = {**predictor.CANDIDATES, **few_shot_candidates(space, priors)}
    if len(rows) > MOST_PAIRS:
        del candidates["gaussian-process"]
    folds = min(10, len(rows))
    name, held_out = predictor.choose(space, rows, measured, candidates=candidates, folds=folds)
    latency = predictor.predict_space(space, rows, measured, candidates[name])
    floor = _LEAST * measured.min()
    raised = int((latency < floor).sum())
    latency = np.maximum(latency, floor)
    latency[numbers] = measured
    return latency, {
        "name": name,
        "words": candidates[name].words,
        "priors": {prior.name: prior.checksum() for prior in priors},
        "folds": folds,
        "held_out": score_facts(held_out[name]),
        "held_out_of_all": {key: score_facts(value) for key, value in held_out.items()},
        "raised": raised,
    }


def card_text(card: Mapping[str, Any]) -> str:
    """The card for people, every number from ``card``."""
    latency, found = card["latency_ms"], card.get("predictor")
    lines = [f"# {card['name']}", "", f"{card['description']}.", ""]
    if warning := doubt(card):
        lines += [f"**Warning:** {warning}.", ""]
    lines.append(
        f"- **Measured or predicted:** {card['measured']} of {card['architectures']} architectures "
        f"of the space `{card['space']}` were measured ({card['rows']} values) and keep their own; "
        "the others are predicted."
    )
    lines.append(
        f"- **Range:** {latency['min']:.4g} … {latency['max']:.4g} ms, median "
        f"{latency['median']:.4g} ms (measured ones {latency['measured_min']:.4g} … "
        f"{latency['measured_max']:.4g}, median {latency['measured_median']:.4g})."
    )
    if "noise" in card:
        retest = card["noise"]["retest"]
        lines.append(
            f"- **Noise:** of {card['noise']['networks']} networks with several values, the first "
            f"half against the second: mean difference {retest['mape']:.2%}, Spearman "
            f"{retest['spearman']:.3f}."
        )
    else:
        lines.append("- **Noise:** not known: hardly a network has several values.")
    if found:
        held = found["held_out"]
        scores = f"mean error {held['mape']:.2%}, Spearman {held['spearman']:.3f}"
        lines += [
            (
                f"- **Predictor:** {found['words']}; held out in {found['folds']}-fold "
                f"cross-validation: {scores}. {found['raised']} predictions were below "
                f"{_LEAST:g} of the fastest measured latency and became that."
            ),
            "",
            "| predictor | held-out error | Spearman | Kendall | R² |",
            "|---|---|---|---|---|",
            *(score_row(key, value) for key, value in found["held_out_of_all"].items()),
        ]
    return "\n".join(lines) + "\n"
