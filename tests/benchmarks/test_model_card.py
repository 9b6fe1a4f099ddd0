"""The card of the embedded model says what its facts say."""

from __future__ import annotations

from pathlib import Path

import blox_env
from blox_env.benchmarks.facts import read_facts
from blox_env.benchmarks.model import FACTS
from blox_env.benchmarks.model_card import render_model_card

FOLDER = Path(blox_env.__file__).parent / "data" / "benchmarks" / "bloxxl-digits"


def test_it_is_written_from_the_facts() -> None:
    facts = read_facts(FOLDER / FACTS, {"schema": int, "epochs": int}, 2)
    text = render_model_card(facts)
    assert (FOLDER / "CARD.md").read_text() == text
    made = facts["trainings"]
    assert f"{made['trainings']:,} of {made['architectures']:,} architectures" in text
    facts["held_out"]["found"] = None
    assert "Too few architectures for a figure." in render_model_card(facts)
