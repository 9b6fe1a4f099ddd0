"""The card of a measured device: what was measured, how, and how far to trust it."""

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
    },
)  # fmt: skip


class StatisticFacts(TypedDict):
    """The statistic of a visit that became the value, and how all of them did."""

    visit: str
    drift_window: int
    over_rounds: str
    retest_of_all: dict[str, ScoreFacts]


class NoiseFacts(TypedDict):
    """Differences of values that are measured again."""

    retest: ScoreFacts
    rounds_each: int
    expected_mape_of_value: float
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


def description(card: MeasurementFacts) -> str:
    """The measurement in two sentences."""
    shape, network, settings = card["input_shape"], card["network"], card["runtime"]["settings"]
    return (
        f"Latency in milliseconds of one inference{' of a whole batch' if shape[0] > 1 else ''} of "
        f"full-size CIFAR networks (width {network['width']}, {network['classes']} classes), input "
        f"{'×'.join(map(str, shape))} (batch {shape[0]}), "
        f"{settings.get('precision', '')}, {card['runtime']['name']} "
        f"{_how(settings)} on {settings.get('gpu', card['machine']['cpu'])}. "
        "These are not the small networks that the embedded benchmark trains on digits."
    )


def card_text(card: DeviceCard) -> str:
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
            f"- **Noise:** {_halves(noise['rounds_each'])}: mean difference "
            f"{retest['mape']:.2%}, Spearman "
            f"{retest['spearman']:.3f}, Kendall {retest['kendall']:.3f} (a difference that all "
            "networks share between the halves is not counted where drift is removed). Mean error "
            "of a value from all rounds, by resampling the rounds: "
            f"{noise['expected_mape_of_value']:.2%}."
        ),
        *_another_occasion(noise),
        (
            f"- **Predictor:** {found['words']}; held out in {found['folds']}-fold cross-"
            f"validation: mean error {held['mape']:.2%}, Spearman {held['spearman']:.3f}, Kendall "
            f"{held['kendall']:.3f}, R² {held['r2']:.3f}.{_drawn(found)} These errors contain "
            "the noise of the values that they are compared with."
        ),
        (
            f"- **Protocol:** {p['rounds']} rounds, each over all networks in an order of its own; "
            f"at each visit a fresh session, {p['min_warmup']} to {p['max_warmup']} warm-up "
            f"inferences (until two medians of {p['min_warmup'] // 2} differ by less than "
            f"{p['tolerance']:.0%}), then {p['runs']} timed ones{_pinned(card)}. "
            f"Value: {statistic['visit']} of a visit, {removed}, median over the rounds. "
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
        f"- **Versions:** {listed(card['runtime']['versions'])}.",
        f"- **Settings:** {listed(card['runtime']['settings'])}.",
        (
            f"- **When:** {during['from']} to {during['to']} (UTC), {during['visits']} visits in "
            f"{during['runs']} run(s); other processes used {during['others_mean']:.2f} cores in "
            f"the mean, {during['others_p95']:.2f} at the 95th percentile{_disturbed(card)}."
        ),
        "",
        "| predictor | held-out error | Spearman | Kendall | R² |",
        "|---|---|---|---|---|",
        *(score_row(key, value) for key, value in found["held_out_of_all"].items()),
        "",
        "| statistic | test-retest error | Spearman | Kendall | R² |",
        "|---|---|---|---|---|",
        *(score_row(key, value) for key, value in statistic["retest_of_all"].items()),
        "",
        (
            "Files: `latency.npy` float32 by architecture number, `measured.npy` numbers of the "
            "measured ones, `visits.npz` every visit, `card.json` this card."
        ),
    ]
    return "\n".join(lines) + "\n"


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
            "made_again": int(sum(v.get("tries", 1) - 1 for v in visits)),
            "outliers": int(sum(v.get("outliers", 0) for v in visits)),
        },
    }


def score_facts(scores: Scores) -> ScoreFacts:
    """Scores as they stand in a card."""
    return {
        "mape": scores.mape,
        "spearman": scores.spearman,
        "kendall": scores.kendall,
        "r2": scores.r2,
    }


def _how(settings: dict[str, str]) -> str:
    if "gpu" in settings:
        return "replayed as a CUDA graph" if settings["mode"] == "graph" else "kernel by kernel"
    threads = settings.get("intra_op_num_threads", "1")
    return f"with {'one thread' if threads == '1' else f'{threads} threads'}"


def _drawn(found: PredictorFacts) -> str:
    """Held-out errors of the drawn networks alone, where most networks are uniform ones."""
    if "held_out_drawn" not in found:
        return ""
    held = found["held_out_drawn"]
    return (
        f" Of the {found['drawn']} networks without three equal blocks alone, each held out: mean "
        f"error {held['mape']:.2%}, Spearman {held['spearman']:.3f}."
    )


def _halves(rounds: int) -> str:
    return f"the first {rounds} rounds against the other {rounds}" if rounds > 1 else "both rounds"


def _pinned(card: MeasurementFacts) -> str:
    cores = card.get("pinned_to_cores")
    return f", kept to {cores} of {card['machine']['cores']} cores" if cores else ""


def _disturbed(card: MeasurementFacts) -> str:
    """The measures against other processes; empty for measurements that took none."""
    during, protocol = card["during"], card["protocol"]
    if "disturbed" not in protocol:
        return ""
    where = " of the cores that it kept to" if card.get("pinned_to_cores") else ""
    again = f"{during['made_again']} visits with more than {protocol['disturbed']} were made again"
    return (
        f"{where}; {'no visit was made again' if protocol.get('tries') == 1 else again}, "
        f"{during['outliers']} of {during['visits'] * protocol['runs']} timed inferences were left "
        "out as outliers"
    )


def _another_occasion(noise: NoiseFacts) -> list[str]:
    found = noise.get("another_occasion")
    if found is None:
        return []
    line = (
        f"- **Measured again on another occasion** ({found['from']}, {found['machine']['cpu']}): "
        f"{found['networks']} networks, {found['rounds']} rounds: mean difference "
        f"{found['mape']:.2%}, of which all networks share a factor of "
        f"{found['shared_factor']:.3f}, {found['mape_without_shared']:.2%} without it; Spearman "
        f"{found['spearman']:.3f}, Kendall {found['kendall']:.3f}."
    )
    return [line]


def choice(plan: dict[str, Any], space: SearchSpace) -> str:
    """Choice of the architectures of a plan, in words.

    Args:
        plan: says ``architectures`` and ``seed``, or the words as ``choice``.
        space: of the architectures.
    """
    if "choice" in plan:
        return str(plan["choice"])
    numbers = plan["architectures"]
    if len(numbers) >= min(space.options):
        usual = space.index(choose_rows(space, len(numbers), plan["seed"]))
        if usual.tolist() == numbers:
            return f"those of three equal blocks, then uniformly drawn ones (seed {plan['seed']})"
    return "given by whoever measured"


def listed(entries: dict[str, str]) -> str:
    """Names with their values, in words."""
    return ", ".join(f"{key} {value}" for key, value in entries.items())


def score_row(name: str, s: ScoreFacts) -> str:
    """A line of a table of scores.

    Args:
        name: what they are of.
        s: the scores.
    """
    return (
        f"| {name} | {s['mape']:.2%} | {s['spearman']:.3f} | {s['kendall']:.3f} | {s['r2']:.3f} |"
    )
