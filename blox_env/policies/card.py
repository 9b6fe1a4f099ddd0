"""The card of a policy in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_HEAD = (
    "| device | trained on | answers of | exact | keep to the target | accuracy lacking | excess | "
    "mean regret |"
)


def card_text(card: Mapping[str, Any], size: int) -> str:
    """The card for people, every number from ``card``.

    Args:
        card: as ``card.json`` has it.
        size: of the weights, in bytes.
    """
    lines = [f"# {card['name']}", "", card["description"], ""]
    lines += _asked(card)
    if "training" in card:
        lines += _trained(card["training"])
    lines += [f"- **File:** `weights.npz`, {size:,} bytes, float16 arrays without objects."]
    if "data" in card:
        lines += [f"- **Tables:** {_tables(card['data'])}."]
    if "time" in card:
        found = card["time"]
        lines.append(
            f"- **Time:** {found['one_ms']:.2f} ms for one target, {found['batch_ms']:.2f} ms for "
            f"{found['batch']} at once, on one core of {found['machine']} with numpy "
            f"{found['numpy']} (median of {found['repeats']})."
        )
    if "judged" in card:
        lines += _judged(card)
    return "\n".join(lines) + "\n"


def _asked(card: Mapping[str, Any]) -> list[str]:
    goal, env = card["goal"], card["environment"]
    if goal["kind"] == "latency_target":
        told = (
            f"a latency target in {goal['low_ms']:.4g} … {goal['high_ms']:.4g} ms on "
            f"`{env['device']}`, from the fastest network to the most accurate one"
        )
    else:
        told = f"latencies of {goal['probes']} reference networks on a device, relative to a target"
    return [
        f"- **Told:** {told}.",
        (
            f"- **Answers:** an architecture of the space `{card['space']}`, with the accuracy on "
            f"`{env['benchmark']}` and the latency that it expects."
        ),
        f"- **Reward:** `{env['reward']}`.",
    ]


def _trained(found: Mapping[str, Any]) -> list[str]:
    return [
        (
            f"- **Trained:** by `{found['command']}` (seed {found['seed']}): {found['method']} "
            f"{found['updates']:,} updates of {found['questions']:,} questions and "
            f"{found['episodes']:,} episodes each, {found['steps']:,} steps in all; "
            f"{found['architectures']:,} architectures were met. {found['processor_s']:.0f} s of "
            f"one core, torch {found['torch']}."
        ),
        f"- **Left out of training:** {found['left_out']}.",
    ]


def _tables(data: Mapping[str, Any]) -> str:
    name, checksum = data["benchmark"]
    parts = [f"accuracies of `{name}` ({checksum[:12]})"]
    parts += [f"latencies of `{key}` ({value[:12]})" for key, value in data["devices"].items()]
    return ", ".join(parts)


def _judged(card: Mapping[str, Any]) -> list[str]:
    lines = ["", f"## Against the exact answers\n\n{card['protocol']}", "", _HEAD]
    lines.append("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for entry in card["judged"]:
        trained = "yes" if entry["trained_on"] else "**no**"
        for found in entry["answers"]:
            who = f"**{found['by']}**" if found["by"] == "policy" else found["by"]
            lines.append(
                f"| `{entry['device']}` | {trained} | {who} | {found['exact']:.1%} | "
                f"{found['within']:.1%} | {_share(found['accuracy_lacking'], ' points')} | "
                f"{_share(found['excess'], '%')} | {found['mean_regret']:.4f} |"
            )
    lines += [
        "",
        (
            "Exact: the best reward that any architecture of the space has. Accuracy lacking: "
            "mean over answers that keep to the target and are not exact. Excess: mean over those "
            "that do not keep to it. Best of N: of N random architectures, all of which are "
            "trained and timed."
        ),
    ]
    if "expected" in card:
        found = card["expected"]
        lines += [
            "",
            (
                f"What it expects of its answers is off by {100 * found['val_acc']:.2f} points of "
                f"accuracy and {found['latency']:.2%} of the latency (means over targets of "
                f"{found['of']})."
            ),
        ]
    return lines


def _share(value: float | None, unit: str) -> str:
    return "" if value is None else f"{100 * value:.2f}{unit}"
