from __future__ import annotations

import json
from pathlib import Path


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
