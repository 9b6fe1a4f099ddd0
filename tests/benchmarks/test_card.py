from blox_env import load_benchmark
from blox_env.benchmarks.digits import FOLDER

DIGITS = load_benchmark("digits")


def test_card_is_what_its_figures_give():
    from blox_env.benchmarks.card import render_card

    assert (FOLDER / "CARD.md").read_text() == render_card(DIGITS.card)
