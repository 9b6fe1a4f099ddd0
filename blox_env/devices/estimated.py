"""A device that nobody measured: a compiler's estimates, a predictor for the rest, a card.

Nothing of it is called measured: :meth:`~blox_env.devices.base.Device.measured` is False for every
architecture, and :meth:`~blox_env.devices.base.Device.provenance` names the tool.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from blox_env.devices.base import Device
from blox_env.devices.card import listed, score_row
from blox_env.devices.embedded import MeasuredDevice
from blox_env.devices.estimators import predictor
from blox_env.devices.facts import choice
from blox_env.devices.given import completed
from blox_env.ground.files import write_atomic
from blox_env.spaces.base import SearchSpace
from blox_env.store.arrays import array_bytes, arrays_bytes

# what a card takes over from the plan of the estimates
PLANNED = ("space", "seed", "input_shape", "network", "tool", "estimates", "versions", "settings")
COLUMNS = ("cycles", "sram_kib")


def build_estimated(
    name: str,
    space: SearchSpace,
    plan: Mapping[str, Any],
    estimates: Sequence[Mapping[str, float]],
    out_folder: str | os.PathLike[str],
    *,
    priors: Sequence[Device] = (),
) -> MeasuredDevice:
    """Make a device of estimates, and write it to ``out_folder``.

    An estimated network keeps its own value, the others get that of the predictor with the lowest
    held-out error.

    Args:
        name: of the device.
        space: of the architectures, enumerable.
        plan: how the estimates were made: :data:`PLANNED`; ``tool`` is a name and a version,
            ``estimates`` says what it estimates for.
        estimates: of distinct architectures, each with ``architecture`` (its number), ``ms``,
            ``macs`` and :data:`COLUMNS`.
        out_folder: where to write the device.
        priors: known devices for the space.

    Returns:
        The device as loaded from ``out_folder``.

    Raises:
        ValueError: for an architecture that is there twice, or a part of the plan that is missing.
    """
    if missing := [key for key in PLANNED if key not in plan]:
        raise ValueError(f"plan must say {', '.join(PLANNED)}, got none of {', '.join(missing)}")
    numbers = np.array([int(line["architecture"]) for line in estimates])
    if len(np.unique(numbers)) != len(numbers):
        raise ValueError("estimates must be of distinct architectures, got duplicates")
    columns = {key: np.array([line[key] for line in estimates]) for key in ("ms", "macs", *COLUMNS)}
    own, macs, sram = columns["ms"], columns["macs"], columns["sram_kib"]
    latency, found = completed(space, numbers, own, priors)
    of_macs = predictor.scores(macs, own)
    card: dict[str, Any] = {
        "name": name,
        "schema": 1,
        "kind": "estimated",
        **{key: plan[key] for key in PLANNED},
        "choice": choice({"architectures": numbers.tolist(), "seed": plan["seed"]}, space),
        "architectures": space.size,
        "measured": 0,
        "estimated": len(numbers),
        "latency_ms": {
            "min": float(latency.min()),
            "median": float(np.median(latency)),
            "max": float(latency.max()),
            "estimated_min": float(own.min()),
            "estimated_median": float(np.median(own)),
            "estimated_max": float(own.max()),
            "different_values": len(np.unique(latency.astype(np.float32))),
        },
        "sram_kib": {
            "min": float(sram.min()),
            "median": float(np.median(sram)),
            "max": float(sram.max()),
        },
        "multiply_adds": {
            "spearman": of_macs.spearman,
            "kendall": of_macs.kendall,
            "pearson": float(np.corrcoef(macs, own)[0, 1]),
        },
        "predictor": found,
    }
    width, classes = plan["network"]["width"], plan["network"]["classes"]
    card["description"] = (
        f"Milliseconds of one inference as {plan['tool']} estimates them for {plan['estimates']}, "
        f"of full-size CIFAR networks (width {width}, {classes} classes), input "
        f"{'×'.join(map(str, plan['input_shape']))}, int8. Nothing was measured"
    )
    order = np.argsort(numbers)
    tables = {
        "latency.npy": array_bytes(latency.astype(np.float32)),
        "measured.npy": array_bytes(np.empty(0, dtype=np.int32)),
        "estimated.npy": array_bytes(numbers[order].astype(np.int32)),
        "estimates.npz": arrays_bytes(
            {
                "architecture": numbers.astype(np.int32),
                **{key: values.astype(np.float64) for key, values in columns.items()},
            }
        ),
    }
    card["files"] = {key: hashlib.sha256(data).hexdigest() for key, data in tables.items()}
    folder = Path(out_folder)
    for key, data in tables.items():
        write_atomic(folder / key, data)
    write_atomic(folder / "CARD.md", card_text(card))
    write_atomic(folder / "card.json", json.dumps(card, indent=1) + "\n")
    return MeasuredDevice.from_folder(folder, space)


def card_text(card: Mapping[str, Any]) -> str:
    """The card for people, every number from ``card``."""
    latency, sram, found = card["latency_ms"], card["sram_kib"], card["predictor"]
    held, of_macs = found["held_out"], card["multiply_adds"]
    lines = [
        f"# {card['name']}",
        "",
        f"{card['description']}.",
        "",
        (
            f"- **Estimated or predicted:** {card['estimated']} of {card['architectures']} "
            f"architectures were estimated by {card['tool']} and keep that value; the other "
            f"{card['architectures'] - card['estimated']} are predicted from these estimates."
        ),
        (
            "- **What an estimate is:** the compiler's own count of cycles for the commands that "
            "it schedules, with a model of the memories; no hardware and no simulator ran the "
            "network. The same network has the same estimate every time."
        ),
        (
            f"- **Range:** {latency['min']:.3f} … {latency['max']:.3f} ms, median "
            f"{latency['median']:.3f} ms (estimated ones {latency['estimated_min']:.3f} … "
            f"{latency['estimated_max']:.3f}, median {latency['estimated_median']:.3f}); "
            f"{latency['different_values']} different values."
        ),
        (
            f"- **Against multiply-adds:** Spearman {of_macs['spearman']:.3f}, Kendall "
            f"{of_macs['kendall']:.3f}, Pearson {of_macs['pearson']:.3f}, over the estimated ones."
        ),
        (
            f"- **Memory** that the compiler allots to the estimated ones, activations and weights "
            f"on their way: {sram['min']:.0f} … {sram['max']:.0f} KiB of SRAM, median "
            f"{sram['median']:.0f} (`estimates.npz`)."
        ),
        (
            f"- **Predictor:** {found['words']}; held out in {found['folds']}-fold cross-"
            f"validation: mean error {held['mape']:.2%}, Spearman {held['spearman']:.3f}, Kendall "
            f"{held['kendall']:.3f}, R² {held['r2']:.3f}."
        ),
        f"- **Networks:** {card['choice']}; random weights.",
        f"- **Versions:** {listed(card['versions'])}.",
        f"- **Settings:** {listed(card['settings'])}.",
        "",
        "| predictor | held-out error | Spearman | Kendall | R² |",
        "|---|---|---|---|---|",
        *(score_row(key, value) for key, value in found["held_out_of_all"].items()),
        "",
        (
            "Files: `latency.npy` float32 by architecture number, `estimated.npy` numbers of the "
            "estimated ones, `measured.npy` none, `estimates.npz` every estimate with cycles, peak "
            "SRAM and multiply-adds, `card.json` this card."
        ),
    ]
    return "\n".join(lines) + "\n"
