"""The card of a measured device in words: what was measured, how, and how far to trust it."""

from __future__ import annotations

import math

from blox_env.devices.facts import (
    AnotherOccasion,
    DeviceCard,
    During,
    MeasurementFacts,
    NoiseFacts,
    PredictorFacts,
    ScoreFacts,
    StatisticFacts,
)


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
            f"architectures were measured{_kept(noise)}; the other "
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
            f"{_chosen(statistic)}"
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
            f"{during['runs']} run(s); {used_by_others(during, 'cores')}{_disturbed(card)}."
        ),
        "",
        "| predictor | held-out error | Spearman | Kendall | R² |",
        "|---|---|---|---|---|",
        *(score_row(key, value) for key, value in found["held_out_of_all"].items()),
        *_tenths(found),
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


def _kept(noise: NoiseFacts) -> str:
    if "kept_of_difference" not in noise:
        return " and keep their own value"
    return (
        f" and keep {noise['kept_of_difference']:.0%} of their difference from the held-out "
        "prediction, the rest of which is noise"
    )


def _chosen(statistic: StatisticFacts) -> str:
    if not statistic.get("fixed"):
        return "Statistic and removal of drift were chosen by the lowest test-retest error."
    usual = ""
    if "median_over_value" in statistic:
        usual = f" The median of a visit is {statistic['median_over_value']:.3f} times that value."
    return f"Statistic and removal of drift were fixed before measuring.{usual}"


def _tenths(found: PredictorFacts) -> list[str]:
    """Held-out errors by tenths of the latency."""
    if "held_out_by_tenth" not in found:
        return []
    return [
        "",
        "| tenth of the measured networks, mean ms | held-out error | bias |",
        "|---|---|---|",
        *(
            f"| {t['ms']:.3f} | {t['mape']:.2%} | {t['bias']:+.2%} |"
            for t in found["held_out_by_tenth"]
        ),
    ]


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


def _earlier(found: AnotherOccasion) -> str:
    if not found.get("of_earlier_values"):
        return ""
    return ", against the values that the device had before it was built anew from its visits"


def _another_occasion(noise: NoiseFacts) -> list[str]:
    found = noise.get("another_occasion")
    if found is None:
        return []
    line = (
        f"- **Measured again on another occasion** ({found['from']}, {found['machine']['cpu']}): "
        f"{found['networks']} networks, {found['rounds']} rounds{_earlier(found)}: mean difference "
        f"{found['mape']:.2%}, of which all networks share a factor of "
        f"{found['shared_factor']:.3f}, {found['mape_without_shared']:.2%} without it; Spearman "
        f"{found['spearman']:.3f}, Kendall {found['kendall']:.3f}."
    )
    return [line]


def used_by_others(during: During, of: str) -> str:
    """Words for how busy other processes were; some systems do not tell (NaN).

    Args:
        during: when it was measured.
        of: what they used.
    """
    mean, most = during["others_mean"], during["others_p95"]
    if math.isnan(mean):
        return "what other processes used is not known"
    return f"other processes used {mean:.2f} {of} in the mean, {most:.2f} at the 95th percentile"


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
