"""Devices of estimates: nothing is called measured, and the card says what is what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blox_env.devices.doubt import doubt
from blox_env.devices.embedded import MeasuredDevice
from blox_env.devices.estimated import build_estimated
from blox_env.devices.estimators import predictor
from blox_env.devices.measure import choose_rows
from blox_env.spaces.base import SearchSpace
from blox_env.spaces.blox import BloxSpace

pytest.importorskip("sklearn", reason="predicting latency needs an extra")

SPACE = BloxSpace()
ROWS = choose_rows(SPACE, 90, 0)
PLAN: dict[str, Any] = {
    "space": "blox",
    "seed": 0,
    "input_shape": [1, 3, 32, 32],
    "network": {"width": 32, "classes": 100},
    "tool": "abacus 7",
    "estimates": "a slide rule",
    "versions": {"abacus": "7"},
    "settings": {"beads": "10"},
}


def estimates() -> list[dict[str, float]]:
    macs = SPACE.macs(ROWS)
    own = 1 + SPACE.features(ROWS, "counts") @ np.linspace(0.1, 0.4, 9)
    return [
        {"architecture": int(n), "ms": t, "cycles": 1e6 * t, "sram_kib": 99.0 + i, "macs": int(m)}
        for i, (n, t, m) in enumerate(zip(SPACE.index(ROWS), own, macs, strict=True))
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MeasuredDevice:
    few = {k: v for k, v in predictor.CANDIDATES.items() if k.startswith("ridge")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predictor, "CANDIDATES", few)
        return build_estimated(
            "npu", SPACE, PLAN, estimates(), tmp_path_factory.mktemp("npu") / "made"
        )


def test_nothing_of_it_is_measured(made: MeasuredDevice) -> None:
    everything = SPACE.all()
    assert not made.measured(everything).any()
    assert int(made.first_hand(everything).sum()) == 90
    assert made.first_hand(ROWS).all()
    own = [line["ms"] for line in estimates()]
    np.testing.assert_allclose(made.latency_ms(ROWS), own, rtol=1e-6)
    assert set(made.provenance(ROWS)) == {"estimated by abacus 7"}
    rest = everything[~made.first_hand(everything)][:50]
    assert set(made.provenance(rest)) == {"predicted from estimates by abacus 7"}
    assert repr(made) == "MeasuredDevice('npu', 90 of 91125 estimated)"


def test_the_card_says_what_is_what(made: MeasuredDevice, tmp_path: Path) -> None:
    card = made.card
    assert (card["kind"], card["measured"], card["estimated"]) == ("estimated", 0, 90)
    lines = estimates()
    macs, own = (np.array([line[key] for line in lines]) for key in ("macs", "ms"))
    assert card["multiply_adds"]["pearson"] == pytest.approx(np.corrcoef(macs, own)[0, 1])
    assert card["sram_kib"] == {"min": 99.0, "median": 143.5, "max": 188.0}
    assert "Nothing was measured" in made.description
    assert "three equal blocks" in card["choice"]
    assert card["predictor"]["held_out"]["mape"] < 0.001  # a sum over counts, without noise


def test_poor_predictions_are_said_to_be_of_estimates(made: MeasuredDevice) -> None:
    poor = {**made.card["predictor"]["held_out"], "mape": 0.3}
    said = doubt({**made.card, "predictor": {"held_out": poor}})
    assert said is not None
    assert "from 90 estimated networks" in said
    assert said.endswith("; estimate more networks")


def test_what_cannot_be_built_is_refused(tmp_path: Path) -> None:
    lines = estimates()
    with pytest.raises(ValueError, match="distinct architectures, got duplicates"):
        build_estimated("npu", SPACE, PLAN, [*lines, lines[3]], tmp_path)
    without = {key: value for key, value in PLAN.items() if key != "tool"}
    with pytest.raises(ValueError, match=r"plan must say .*, got none of tool"):
        build_estimated("npu", SPACE, without, lines, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("estimated", "message"),
    [([0, 0], "estimated to hold distinct"), ([8], r"estimated to hold numbers in 0 … 7, got")],
)
def test_bad_numbers_are_named(estimated: list[int], message: str) -> None:
    card = {"tool": "abacus", "estimated": 1}
    none = np.empty(0, dtype=np.int64)
    with pytest.raises(ValueError, match=message):
        MeasuredDevice("tiny", SearchSpace((2, 2, 2)), np.ones(8), none, card, estimated)


def test_what_was_estimated_is_part_of_the_checksum() -> None:
    space, none = SearchSpace((2, 2)), np.empty(0, dtype=np.int64)
    card = {"tool": "abacus", "estimated": 1}
    one, other, plain = (
        MeasuredDevice("tiny", space, np.ones(4), none, card, numbers) for numbers in ([1], [2], ())
    )
    assert len({one.checksum(), other.checksum(), plain.checksum()}) == 3
