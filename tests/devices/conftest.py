"""A made-up measurement, and the device that is built of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from blox_env.devices.build import build_device
from blox_env.devices.estimators import predictor
from blox_env.devices.measure import choose_rows, round_order
from blox_env.devices.protocol import STATISTICS, Protocol
from blox_env.spaces.blox import BloxSpace

N = 90


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up measurement of 90 networks in two rounds."""
    folder = tmp_path_factory.mktemp("raw")
    space = BloxSpace()
    rows = choose_rows(space, N, 0)
    truth = 1.5 + BloxSpace().features(rows, "counts") @ np.linspace(0.1, 0.4, 9)
    rng = np.random.default_rng(0)
    plan = {
        "schema": 1,
        "device": "made-up",
        "space": space.name,
        "options": list(space.options),
        "seed": 0,
        "input_shape": [1, 3, 32, 32],
        "network": {"width": 32, "classes": 100},
        "protocol": {**vars(Protocol(rounds=2))},
        "statistics": list(STATISTICS),
        "runtime": {"name": "fake", "versions": {"fake": "1"}, "settings": {"threads": "1"}},
        "machine": {"cpu": "abacus", "cores": "1", "system": "none"},
        "architectures": space.index(rows).tolist(),
    }
    (folder / "plan.json").write_text(json.dumps(plan))
    lines: list[str] = []
    for r in range(2):
        for p, i in enumerate(round_order(0, r, N)):
            ms = truth[i] * np.exp(0.01 * rng.normal()) * np.linspace(1, 1.1, len(STATISTICS))
            visit = {
                "architecture": int(space.index(rows[i])[0]),
                "round": r,
                "position": p,
                "run": 1,
                "time": 1e9 + len(lines),
                "warmup": 10,
                "others": 0.01,
                "load": 1.0,
                "ms": ms.tolist(),
            }
            lines.append(json.dumps(visit) + "\n")
    (folder / "visits.jsonl").write_text("".join(lines))
    return folder


@pytest.fixture(scope="module")
def built(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The device of that measurement."""
    pytest.importorskip("sklearn", reason="predicting latency needs an extra")
    out = tmp_path_factory.mktemp("built")
    few = {k: v for k, v in predictor.CANDIDATES.items() if k.startswith("ridge")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predictor, "CANDIDATES", few)
        build_device(raw, out)
    return out
