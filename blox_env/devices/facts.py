"""Facts of a measured device, as ``card.json`` holds them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NotRequired, TypedDict, cast

import numpy as np

from blox_env.devices.estimators.predictor import Scores
from blox_env.devices.measure import choose_rows
from blox_env.ground.typing import FloatArray
from blox_env.spaces.base import SearchSpace

# what a card takes over from the plan of the measurement
PLANNED = (
    "schema", "space", "seed", "input_shape", "network", "protocol", "runtime", "machine",
    "pinned_to_cores",
)  # fmt: skip


class ScoreFacts(TypedDict):
    """Agreement of two sets of latencies."""

    mape: float
    spearman: float
    kendall: float
    r2: float


class RuntimeFacts(TypedDict):
    """Runtime of the networks, its versions and settings."""

    name: str
    versions: dict[str, str]
    settings: dict[str, str]


class ProtocolFacts(TypedDict):
    """Protocol of the visits, see :class:`~blox_env.devices.protocol.Protocol`."""

    rounds: int
    runs: int
    min_warmup: int
    max_warmup: int
    tolerance: float
    tries: NotRequired[int]
    disturbed: NotRequired[float]


class LatencyFacts(TypedDict):
    """Range of the latencies in ms, of all architectures and of the measured ones."""

    min: float
    median: float
    max: float
    measured_min: float
    measured_median: float
    measured_max: float


# "from" is no name for an attribute
During = TypedDict(
    "During",
    {
        "from": str, "to": str, "visits": int, "runs": int, "others_mean": float,
        "others_p95": float, "warmup_mean": float, "made_again": int, "outliers": int,
    },
)  # fmt: skip
AnotherOccasion = TypedDict(
    "AnotherOccasion",
    {
        "networks": int, "rounds": int, "from": str, "machine": dict[str, str],
        "versions": dict[str, str], "shared_factor": float, "mape": float, "spearman": float,
        "kendall": float, "r2": float, "mape_without_shared": float,
        "of_earlier_values": NotRequired[bool],
    },
)  # fmt: skip


class StatisticFacts(TypedDict):
    """The statistic of a visit that became the value, and how all of them did."""

    visit: str
    drift_window: int
    over_rounds: str
    fixed: NotRequired[bool]
    median_over_value: NotRequired[float]
    retest_of_all: dict[str, ScoreFacts]


class NoiseFacts(TypedDict):
    """Differences of values that are measured again."""

    retest: ScoreFacts
    rounds_each: int
    expected_mape_of_value: float
    kept_of_difference: NotRequired[float]
    another_occasion: NotRequired[AnotherOccasion]


class PredictorFacts(TypedDict):
    """The predictor of what was not measured, and how all candidates did."""

    name: str
    words: str
    priors: dict[str, str]
    folds: int
    held_out: ScoreFacts
    held_out_drawn: NotRequired[ScoreFacts]
    drawn: NotRequired[int]
    held_out_of_all: dict[str, ScoreFacts]
    held_out_by_tenth: NotRequired[list[dict[str, float]]]


class MeasurementFacts(TypedDict):
    """The part of a card that needs no choices."""

    name: str
    schema: int
    space: str
    seed: int
    input_shape: list[int]
    network: dict[str, int]
    protocol: ProtocolFacts
    runtime: RuntimeFacts
    machine: dict[str, str]
    pinned_to_cores: NotRequired[int]
    choice: str
    architectures: int
    measured: int
    latency_ms: LatencyFacts
    during: During


class DeviceCard(MeasurementFacts):
    """``card.json`` of a measured device."""

    statistic: StatisticFacts
    noise: NoiseFacts
    predictor: PredictorFacts
    description: str
    files: dict[str, str]


def facts(
    plan: dict[str, Any],
    visits: list[dict[str, Any]],
    space: SearchSpace,
    latency: FloatArray,
    measured: FloatArray,
) -> MeasurementFacts:
    """Facts of a measurement that need no choices: plan, range of latencies, state of the machine.

    Args:
        plan: of the measurement.
        visits: its lines.
        space: of the architectures.
        latency: of the whole space, ``(size,)``.
        measured: of the measured ones, ``(n,)``.
    """
    stamps = [v["time"] for v in visits]
    others = np.array([v["others"] for v in visits], dtype=np.float64)
    planned = cast("MeasurementFacts", {key: plan[key] for key in PLANNED if key in plan})
    return {
        "name": plan["device"],
        **planned,
        "choice": choice(plan, space),
        "architectures": space.size,
        "measured": len(measured),
        "latency_ms": ranges(latency, measured),
        "during": {
            "from": datetime.fromtimestamp(min(stamps), UTC).isoformat(timespec="seconds"),
            "to": datetime.fromtimestamp(max(stamps), UTC).isoformat(timespec="seconds"),
            "visits": len(visits),
            "runs": len({v["run"] for v in visits}),
            "others_mean": float(others.mean()),
            "others_p95": float(np.quantile(others, 0.95)),
            "warmup_mean": float(np.mean([v["warmup"] for v in visits])),
            "made_again": int(sum(v.get("tries", 1) - 1 for v in visits)),
            "outliers": int(sum(v.get("outliers", 0) for v in visits)),
        },
    }


def ranges(latency: FloatArray, measured: FloatArray) -> LatencyFacts:
    """Least, middle and largest latency of all and of the measured ones.

    Args:
        latency: milliseconds ``(size,)``.
        measured: milliseconds ``(n,)``.
    """
    return {
        "min": float(latency.min()),
        "median": float(np.median(latency)),
        "max": float(latency.max()),
        "measured_min": float(measured.min()),
        "measured_median": float(np.median(measured)),
        "measured_max": float(measured.max()),
    }


def score_facts(scores: Scores) -> ScoreFacts:
    """Scores as they stand in a card."""
    return {
        "mape": scores.mape,
        "spearman": scores.spearman,
        "kendall": scores.kendall,
        "r2": scores.r2,
    }


def choice(plan: dict[str, Any], space: SearchSpace) -> str:
    """Choice of the architectures of a plan, in words.

    Args:
        plan: says ``architectures`` and ``seed``, or the words as ``choice``.
        space: of the architectures.
    """
    if "choice" in plan:
        return str(plan["choice"])
    numbers = np.asarray(plan["architectures"])
    if len(numbers) >= min(space.options):
        usual = space.index(choose_rows(space, len(numbers), plan["seed"]))
        drawn = len(numbers) if (usual == numbers).all() else int((usual != numbers).argmax())
        words = f"those of three equal blocks, then uniformly drawn ones (seed {plan['seed']})"
        if drawn == len(numbers):
            return words
        if drawn >= min(space.options):
            return f"{words}, {drawn} in all, and {len(numbers) - drawn} that were asked for"
    return "given by whoever measured"
