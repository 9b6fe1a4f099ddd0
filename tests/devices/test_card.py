from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from blox_env.devices.card import used_by_others


def test_the_card_speaks_of_everything_that_matters(built: Path) -> None:
    text = (built / "CARD.md").read_text()
    for word in (
        "abacus",
        "batch 1",
        "90 of 91125",
        "Spearman",
        "predicted",
        "warm-up",
        "fake 1",
        "three equal",
    ):
        assert word in text
    card = json.loads((built / "card.json").read_text())
    noise = card["noise"]
    assert 0 < noise["expected_mape_of_value"] < noise["retest"]["mape"]
    assert 0 < noise["retest"]["mape"] < 0.05


def test_what_others_used() -> None:
    during: Any = {"others_mean": 0.1, "others_p95": 0.25}
    told = "other processes used 0.10 cores in the mean, 0.25 at the 95th percentile"
    assert used_by_others(during, "cores") == told
    unknown: Any = dict.fromkeys(during, float("nan"))
    assert used_by_others(unknown, "cores") == "what other processes used is not known"
