"""Building a device of sums from measurements of a space too large to list."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

from blox_env.devices.base import load_device
from blox_env.devices.build import build_device
from blox_env.devices.estimators import predictor
from blox_env.devices.measure import choose_rows, round_order
from blox_env.devices.protocol import Protocol
from blox_env.devices.slotwise_build import FEWEST, build_slotwise
from blox_env.spaces import BloxXLSpace
from blox_env.testing import check_device

SPACE = BloxXLSpace()
PROTOCOL = Protocol(rounds=2, runs=3)


def write_measurement(folder: Path, n: int) -> None:
    """Visits whose times are a sum over blocks, with a noise of 0.3 percent."""
    rows = choose_rows(SPACE, n, 0)
    truth = 1.0 + SPACE.features(rows, "counts") @ np.linspace(0.05, 0.1, 36)
    plan: dict[str, Any] = {
        "schema": 2, "device": "toy-xl", "space": "bloxxl", "options": list(SPACE.options),
        "seed": 0, "input_shape": [1, 3, 32, 32], "network": {"width": 32, "classes": 100},
        "protocol": asdict(PROTOCOL), "runtime": {"name": "toy", "versions": {}, "settings": {}},
        "machine": {"cpu": "a toy", "cores": "1", "system": "none"},
        "architectures": list(range(n)), "rows": rows.tolist(),
    }  # fmt: skip
    folder.mkdir()
    (folder / "plan.json").write_text(json.dumps(plan))
    rng = np.random.default_rng(1)
    visits = []
    for number in range(PROTOCOL.rounds):
        for position, i in enumerate(round_order(0, number, n)):
            ms = float(truth[i] * np.exp(rng.normal(0, 0.003)))
            visits.append(
                {"architecture": int(i), "round": number, "position": position, "run": 0,
                 "time": float(position), "load": 0.0, "warmup": 10, "others": 0.0, "ms": [ms] * 6}
            )  # fmt: skip
    (folder / "visits.jsonl").write_text("".join(json.dumps(v) + "\n" for v in visits))


@pytest.mark.parametrize("prior", [None, "x86-ort-int8-1t"])
def test_what_blocks_cost_is_found(tmp_path: Path, prior: str | None) -> None:
    write_measurement(tmp_path / "raw", 60)
    known = None if prior is None else load_device(prior)
    device = build_slotwise(tmp_path / "raw", tmp_path / "device", prior=known)
    check_device(device)
    x = SPACE.sample(np.random.default_rng(5), 300)
    truth = 1.0 + SPACE.features(x, "counts") @ np.linspace(0.05, 0.1, 36)
    found = predictor.scores(truth, device.latency_ms(x))
    assert found.mape < 0.02
    assert found.spearman > 0.95
    card = device.card
    assert card["measured"] == 60
    assert set(card["predictor"]["held_out_of_all"]) == (
        {"stages"} if prior is None else {"stages", "stages-prior"}
    )
    assert card["predictor"]["held_out"]["mape"] < 0.03
    again = load_device(str(tmp_path / "device"))
    np.testing.assert_array_equal(again.latency_ms(x), device.latency_ms(x))
    assert (
        f"{card['predictor']['held_out']['mape']:.2%}"
        in (tmp_path / "device" / "CARD.md").read_text()
    )


def test_too_few_networks_and_other_spaces_are_refused(tmp_path: Path, raw: Path) -> None:
    write_measurement(tmp_path / "raw", FEWEST - 1)
    with pytest.raises(ValueError, match=f"at least {FEWEST} networks"):
        build_slotwise(tmp_path / "raw", tmp_path / "device")
    with pytest.raises(ValueError, match="bloxxl"):
        build_slotwise(raw, tmp_path / "device")
    with pytest.raises(ValueError, match="options"):
        build_device(tmp_path / "raw", tmp_path / "device")
    assert not (tmp_path / "device").exists()
