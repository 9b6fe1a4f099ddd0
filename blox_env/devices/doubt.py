"""Trust in the predictions of a device, in words where there is reason for little."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST_ERROR = 0.10  # held-out mean relative error of predictions that are relied on
LEAST_SPEARMAN = 0.90  # and their rank correlation


def doubt(card: Mapping[str, Any]) -> str | None:
    """A sentence about a device whose held-out predictions are poor; None for one to rely on.

    Args:
        card: of the device; without a predictor there is nothing to doubt.
    """
    held = card.get("predictor", {}).get("held_out")
    if held is None or (held["mape"] <= MOST_ERROR and held["spearman"] >= LEAST_SPEARMAN):
        return None
    source = f"{card['measured']} measured"
    cure = "measure more networks, or again on a quiet machine"
    if "estimated" in card:
        source, cure = f"{card['estimated']} estimated", "estimate more networks"
    return (
        f"the latencies that {card['name']} predicts are poor: held out, they are off by "
        f"{held['mape']:.1%} with Spearman {held['spearman']:.2f}, from {source} networks "
        f"(relied on: at most {MOST_ERROR:.0%} and at least {LEAST_SPEARMAN:g}); {cure}"
    )
