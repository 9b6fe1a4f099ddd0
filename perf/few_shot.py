"""A new device from few measurements: error against budget, each embedded device left out in turn.

    python perf/few_shot.py [--write docs/few_shot.json]

The left-out device is predicted from so many of its measured networks with the other devices as
prior knowledge, and judged on its other measured networks. Networks are chosen as
``blox-env measure --budget`` chooses them, from two thirds of the measured ones, and for comparison
drawn at random; figures are means over 20 draws of both, so that none hangs on one choice. The
columns ``alone`` are ridge on counts of operations without prior knowledge, on the drawn networks.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import blox_env
from blox_env.devices.build import raw_of, tabulate
from blox_env.devices.embedded import DATA, MeasuredDevice
from blox_env.devices.estimators.few_shot import choose_networks, few_shot_candidates
from blox_env.devices.estimators.predictor import CANDIDATES, Candidate, Scores, scores
from blox_env.devices.protocol import STATISTICS
from blox_env.devices.values import combine
from blox_env.ground.files import write_json
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.base import SearchSpace

BUDGETS = (10, 20, 50, 200)
DRAWS = 20
REST = 20  # networks that predictions are compared with, at least


def main() -> None:
    """Print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", type=Path, help="write the figures there, as JSON")
    options = parser.parse_args()
    devices = [blox_env.load_device(name) for name in blox_env.list_devices("blox")]
    figures: dict[str, Any] = {}
    for device in devices:
        if isinstance(device, MeasuredDevice):
            priors = [
                other
                for other in devices
                if other is not device and device.name not in built_with(other)
            ]
            figures[device.name] = left_out(device, priors)
    Console(width=120).print(shown(figures))
    if options.write:
        write_json(options.write, figures)


def built_with(device: blox_env.Device) -> list[str]:
    """Names of the devices that helped to predict a device, and whose values are thus in it."""
    return list(device.card.get("predictor", {}).get("priors", {}))


def first_hand(device: MeasuredDevice) -> Callable[[IntArray], FloatArray]:
    """A function that gives latencies as they were measured, before they were moved anywhere.

    A device's own values can be shrunk towards what other devices predict of it.
    """
    folder = DATA / device.name
    if not (folder / "visits.npz").is_file():
        return device.latency_ms
    numbers, times, positions = tabulate(*raw_of(folder))
    chosen = device.card["statistic"]
    logs = np.log(times[:, :, STATISTICS.index(chosen["visit"])])
    table = np.full(device.space.size, np.nan)
    table[numbers] = np.exp(combine(logs, positions, chosen["drift_window"]))
    return lambda rows: table[device.space.index(rows)]


def left_out(device: MeasuredDevice, priors: list[Any]) -> dict[str, Any]:
    """Held-out error and Spearman by budget, and what measuring again gives."""
    space = device.space
    everything = space.all()
    pool = everything[device.first_hand(everything)]
    few, alone = few_shot_candidates(space, priors)["few-shot"], CANDIDATES["ridge-counts"]
    measured = first_hand(device)
    noise = device.card.get("noise", {})  # estimates have none
    again = noise.get("another_occasion", noise.get("retest"))
    found: dict[str, Any] = {
        "networks": len(pool),
        "retest": again and {key: again[key] for key in ("mape", "spearman")},
        "retest_of": "another occasion" if "another_occasion" in noise else "two halves",
    }
    for budget in BUDGETS:
        if budget > len(pool) - REST:
            continue
        orders = [np.random.default_rng(seed).permutation(len(pool)) for seed in range(DRAWS)]
        draws = [pool[order[:budget]] for order in orders]
        most = max(budget, len(pool) * 2 // 3)
        chosen = [choose_networks(space, budget, priors, pool=pool[o[:most]]) for o in orders]
        found[str(budget)] = {
            "chosen": mean([judged(few, space, measured, pool, rows) for rows in chosen]),
            "drawn": mean([judged(few, space, measured, pool, rows) for rows in draws]),
            "alone": mean([judged(alone, space, measured, pool, rows) for rows in draws]),
        }
    return found


def judged(
    candidate: Candidate,
    space: SearchSpace,
    measured: Callable[[IntArray], FloatArray],
    pool: IntArray,
    rows: IntArray,
) -> Scores:
    """How well what was fitted on ``rows`` predicts the rest of ``pool``."""
    model = candidate.model()
    model.fit(candidate.features(space, rows), measured(rows))
    rest = pool[~np.isin(space.index(pool), space.index(rows))]
    return scores(measured(rest), model.predict(candidate.features(space, rest)))


def mean(found: list[Scores]) -> dict[str, float]:
    """Means over draws."""
    return {
        key: float(np.mean([getattr(one, key) for one in found])) for key in ("mape", "spearman")
    }


def shown(figures: dict[str, Any]) -> Table:
    """One row a device and budget."""
    table = Table(
        "device", "budget", title="error, Spearman on the networks that were not measured"
    )
    for heading in ("chosen", "drawn", "alone", "measured again"):
        table.add_column(heading, justify="right")
    for name, found in figures.items():
        budgets = [budget for budget in BUDGETS if str(budget) in found]
        for budget in budgets:
            cells = [found[str(budget)][key] for key in ("chosen", "drawn", "alone")]
            cells.append(found["retest"])
            row = ["–" if c is None else f"{c['mape']:.1%}  {c['spearman']:.3f}" for c in cells]
            table.add_row(name, str(budget), *row, end_section=budget == budgets[-1])
    return table


if __name__ == "__main__":
    main()
