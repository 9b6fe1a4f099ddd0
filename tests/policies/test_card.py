"""The card in words says what the card in JSON says."""

from blox_env.policies.card import card_text
from tests.policies.conftest import card_of

ANSWERS = {
    "by": "policy", "exact": 0.25, "within": 0.5, "accuracy_lacking": 0.012, "excess": None,
    "mean_regret": 0.125,
}  # fmt: skip


def test_figures_are_in_the_words():
    judged = [{"device": "board", "trained_on": False, "answers": [ANSWERS]}]
    text = card_text(card_of(judged=judged, protocol="As it was."), 1234)
    assert "| `board` | **no** | **policy** | 25.0% | 50.0% | 1.20 points |  | 0.1250 |" in text
    assert "`weights.npz`, 1,234 bytes" in text
    assert "3 … 6 ms on `x86-ort-1t`" in text


def test_a_policy_that_was_not_judged_says_nothing_of_it():
    text = card_text(card_of("device"), 1)
    assert "latencies of 4 reference networks" in text
    assert "exact" not in text
