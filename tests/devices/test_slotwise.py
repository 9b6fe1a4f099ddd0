"""A device that is a sum over the slots."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from blox_env.devices.base import load_device
from blox_env.devices.protocol import STATISTICS
from blox_env.devices.slotwise import CARD, TABLE, SlotwiseDevice, from_folder
from blox_env.devices.slotwise_build import card_text
from blox_env.problem import Problem
from blox_env.spaces import BloxSpace, BloxXLSpace
from blox_env.testing import check_device

SPACE = BloxXLSpace()
NAME = "x86-ort-int8-1t-xl"
FOLDER = Path(__file__).parents[2] / "blox_env" / "data" / "devices" / NAME


def test_latency_is_a_sum_and_its_bounds_are_exact() -> None:
    rng = np.random.default_rng(0)
    tables = rng.uniform(0.1, 1.0, (12, 45))
    device = SlotwiseDevice("toy", SPACE, 2.0, tables)
    check_device(device)
    x = SPACE.sample(rng, 50)
    np.testing.assert_allclose(device.latency_ms(x), 2 + tables[np.arange(12), x].sum(axis=1))
    bounds = np.array(device.slot_bounds_ms())
    np.testing.assert_allclose(bounds[np.arange(12), x].sum(axis=1), device.latency_ms(x))
    assert not device.measured(x).any()
    assert device.provenance(x[:1]) == ["predicted"]
    tables[3, 7] += 0.1
    assert SlotwiseDevice("toy", SPACE, 2.0, tables).checksum() != device.checksum()
    with pytest.raises(ValueError, match="expected a table for each"):
        SlotwiseDevice("toy", BloxSpace(), 2.0, tables)
    with pytest.raises(ValueError, match="above 0"):
        SlotwiseDevice("toy", SPACE, -9.0, tables)


def test_the_embedded_one_is_found_by_its_name_and_limits_searches() -> None:
    device = load_device(NAME)
    check_device(device)
    held_out = device.card["predictor"]["held_out"]
    assert held_out["mape"] < 0.05
    assert held_out["spearman"] > 0.9
    low = device.quantiles_ms((0.02,))[0]
    problem = Problem("bloxxl-digits", constraints={"latency_ms": low}, budget=5)
    assert problem.device is device
    rows = problem.candidates.sample(np.random.default_rng(0), 20)
    assert (device.latency_ms(rows) <= low * (1 + 1e-9)).all()


def test_its_card_follows_from_the_visits() -> None:
    card = json.loads((FOLDER / CARD).read_text())
    assert (FOLDER / "CARD.md").read_text() == card_text(card)
    visits = np.load(FOLDER / "visits.npz")
    rows = np.load(FOLDER / "networks.npy").astype(np.int64)
    ms = np.full((card["protocol"]["rounds"], len(rows)), np.nan)
    column = STATISTICS.index(card["statistic"]["visit"])
    ms[visits["round"], visits["architecture"]] = visits["ms"][:, column]
    value = np.exp(np.median(np.log(ms), axis=0))
    np.testing.assert_allclose(value.min(), card["latency_ms"]["measured_min"], rtol=1e-5)
    np.testing.assert_allclose(value.max(), card["latency_ms"]["measured_max"], rtol=1e-5)
    said = load_device(NAME).latency_ms(rows)
    assert np.abs(said / value - 1).mean() < card["predictor"]["held_out"]["mape"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"space": "bloxx"}, "bloxxl"),
        ({"files": {}}, "is damaged"),
        ({"files": {TABLE: "0"}}, TABLE),
    ],
)
def test_damage_is_named(tmp_path: Path, change: dict[str, object], word: str) -> None:
    card = json.loads((FOLDER / CARD).read_text())
    (tmp_path / CARD).write_text(json.dumps({**card, **change}))
    (tmp_path / TABLE).write_bytes((FOLDER / TABLE).read_bytes())
    with pytest.raises(ValueError, match=word):
        from_folder(tmp_path)
    (tmp_path / TABLE).unlink()
    with pytest.raises(ValueError, match=rf"{word}|{TABLE} is missing"):
        from_folder(tmp_path)
    (tmp_path / CARD).unlink()
    with pytest.raises(ValueError, match=f"{CARD} is missing"):
        from_folder(tmp_path)
