from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blox_env.devices.build import build_device, tabulate
from blox_env.devices.embedded import MeasuredDevice
from blox_env.devices.estimators import predictor
from blox_env.devices.measure import (
    choose_rows,
    read_visits,
)
from blox_env.devices.protocol import STATISTICS
from blox_env.devices.values import combine
from blox_env.spaces.blox import BloxSpace

N = 90


def test_measured_networks_keep_what_is_no_noise(built: Path, raw: Path) -> None:
    device = MeasuredDevice.from_folder(built)
    rows = choose_rows(device.space, N, 0)
    assert device.measured(rows).all()
    numbers, times, positions = tabulate(*read_visits(raw))
    chosen = device.card["statistic"]
    logs = np.log(times[:, :, STATISTICS.index(chosen["visit"])])
    own = np.exp(combine(logs, positions, chosen["drift_window"]))
    assert (chosen["visit"], chosen["drift_window"], chosen["fixed"]) == ("min", 15, True)
    found = device.latency_ms(device.space.from_index(numbers))
    assert 0 <= device.card["noise"]["kept_of_difference"] < 1
    true = 1.5 + BloxSpace().features(device.space.from_index(numbers), "counts") @ np.linspace(
        0.1, 0.4, 9
    )
    assert predictor.scores(true, found).mape < predictor.scores(true, own).mape
    truth = 1.5 + BloxSpace().features(rows, "counts") @ np.linspace(0.1, 0.4, 9)
    assert predictor.scores(truth, device.latency_ms(rows)).mape < 0.02


def test_drawn_networks_are_judged_alone_where_they_are_few(built: Path) -> None:
    found = MeasuredDevice.from_folder(built).card["predictor"]
    assert found["drawn"] == 45  # of 90; the others have three equal blocks
    drawn = found["held_out_drawn"]
    assert 0 < drawn["mape"] < 0.03
    said = "45 networks without three equal blocks alone, each held out: mean error "
    assert said + f"{drawn['mape']:.2%}" in (built / "CARD.md").read_text()


def test_unfinished_measurements_are_not_built(raw: Path, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text((raw / "plan.json").read_text())
    lines = (raw / "visits.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "visits.jsonl").write_text("".join(lines[:-3]))
    with pytest.raises(ValueError, match="3 are missing"):
        build_device(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def visits_of(times: np.ndarray, order: np.ndarray) -> list[dict[str, Any]]:
    rounds, _n = times.shape
    return [
        {
            "architecture": int(i),
            "round": r,
            "position": p,
            "run": 0,
            "ms": [float(times[r, i])] * len(STATISTICS),
        }
        for r in range(rounds)
        for p, i in enumerate(order[r])
    ]


def test_order_of_the_lines_does_not_matter_and_gaps_are_refused() -> None:
    rng = np.random.default_rng(0)
    times = rng.uniform(2, 4, size=(2, 90))
    order = np.array([rng.permutation(90) for _ in range(2)])
    plan = {"architectures": list(range(90)), "protocol": {"rounds": 2}}
    visits = visits_of(times, order)
    shuffled = [visits[i] for i in rng.permutation(len(visits))]
    for window in (0, 9):
        values = [
            combine(np.log(t[:, :, 0]), s, window)
            for _, t, s in (tabulate(plan, visits), tabulate(plan, shuffled))
        ]
        np.testing.assert_allclose(values[0], values[1], rtol=0, atol=1e-12)
    with pytest.raises(ValueError, match="1 are missing"):
        tabulate(plan, visits[:-1])
    with pytest.raises(ValueError, match="one visit a round and network"):
        tabulate(plan, [*visits, visits[0]])
