"""Devices as tables: the contract, what is measured, and what a damaged file says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blox_env.devices.base import list_devices, load_device
from blox_env.devices.build import build_device, combine, raw_of, tabulate
from blox_env.devices.card import card_text
from blox_env.devices.embedded import DATA, MeasuredDevice
from blox_env.devices.estimators import predictor
from blox_env.devices.measure import choose_rows, read_visits, round_order
from blox_env.devices.protocol import STATISTICS, Protocol
from blox_env.spaces.base import SearchSpace
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


def check_contract(device: MeasuredDevice) -> None:
    everything = device.space.all()
    latency, measured = device.latency_ms(everything), device.measured(everything)
    assert latency.shape == measured.shape == (device.space.size,)
    assert latency.dtype == np.float64
    assert measured.dtype == np.bool_
    assert np.isfinite(latency).all()
    assert (latency > 0).all()
    assert int(measured.sum()) == device.card["measured"]
    assert device.latency_ms(everything[7]).shape == (1,)
    assert device.latency_ms(np.empty((0, 3), dtype=np.int64)).shape == (0,)
    latency[:] = 0  # a copy: the device keeps its own
    assert (device.latency_ms(everything[:5]) > 0).all()
    assert len(device.checksum()) == 64
    low, high = device.card["latency_ms"]["min"], device.card["latency_ms"]["max"]
    assert low < device.median_ms() < high
    with pytest.raises(ValueError, match="row 0, slot 2"):
        device.latency_ms([[0, 0, 45]])


EMBEDDED = sorted(path.name for path in DATA.iterdir())


def test_all_that_is_embedded_is_registered() -> None:
    assert set(EMBEDDED) <= set(list_devices("blox"))


@pytest.mark.parametrize("name", EMBEDDED)
def test_contract_of_the_embedded_devices(name: str) -> None:
    device = load_device(name)
    assert isinstance(device, MeasuredDevice)
    assert device.name == name
    check_contract(device)
    card = device.card
    settings, batch = card["runtime"]["settings"], card["input_shape"][0]
    assert card["measured"] >= (600 if batch == 1 else 300)
    uniform = np.repeat(np.arange(45)[:, None], 3, axis=1)
    assert device.measured(uniform).all()
    assert card["input_shape"][1:] == [3, 32, 32]
    assert card["network"] == {"width": 32, "classes": 100}
    assert name.endswith(f"-{settings['intra_op_num_threads']}t")
    assert ("int8" in name) == (settings["precision"] == "int8")
    assert (f"-b{batch}-" in name) == (batch > 1)
    with np.load(DATA / name / "visits.npz", allow_pickle=False) as visits:
        assert len(visits["ms"]) == card["during"]["visits"]
        assert len(np.unique(visits["architecture"])) == card["measured"]


@pytest.mark.parametrize("name", EMBEDDED)
def test_held_out_latencies_are_good_enough(name: str) -> None:
    held = load_device(name).card["predictor"]["held_out"]
    assert held["mape"] <= 0.05
    assert held["spearman"] >= 0.95


@pytest.mark.extra
@pytest.mark.parametrize("name", EMBEDDED)
def test_measured_latencies_and_cards_follow_from_the_visits(name: str) -> None:
    pytest.importorskip("sklearn", reason="predicting latency needs an extra")
    device = load_device(name)
    assert isinstance(device, MeasuredDevice)
    numbers, times, positions = tabulate(*raw_of(DATA / name))
    statistic = device.card["statistic"]
    logs = np.log(times[:, :, STATISTICS.index(statistic["visit"])])
    own = np.exp(combine(logs, positions, statistic["drift_window"]))
    rows = device.space.from_index(numbers)
    np.testing.assert_allclose(device.latency_ms(rows), own, rtol=1e-6)
    assert device.measured(rows).all()
    assert (DATA / name / "CARD.md").read_text() == card_text(device.card)


def test_embedded_devices_rank_networks_differently() -> None:
    rows = load_device(EMBEDDED[0]).space.sample(np.random.default_rng(0), 2000)
    ranks = [load_device(name).latency_ms(rows).argsort().argsort() for name in EMBEDDED]
    assert np.corrcoef(ranks).min() < 0.5


def test_contract_of_a_built_device(built: Path) -> None:
    device = MeasuredDevice.from_folder(built)
    check_contract(device)
    assert device.checksum() == MeasuredDevice.from_folder(built).checksum()
    assert "made-up" in repr(device)


def test_measured_networks_keep_their_own_values(built: Path, raw: Path) -> None:
    device = MeasuredDevice.from_folder(built)
    rows = choose_rows(device.space, N, 0)
    assert device.measured(rows).all()
    numbers, times, positions = tabulate(*read_visits(raw))
    chosen = device.card["statistic"]
    logs = np.log(times[:, :, STATISTICS.index(chosen["visit"])])
    own = np.exp(combine(logs, positions, chosen["drift_window"]))
    found = device.latency_ms(device.space.from_index(numbers))
    np.testing.assert_array_equal(found, own.astype(np.float32))
    truth = 1.5 + BloxSpace().features(rows, "counts") @ np.linspace(0.1, 0.4, 9)
    assert predictor.scores(truth, device.latency_ms(rows)).mape < 0.02


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


def test_unfinished_measurements_are_not_built(raw: Path, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text((raw / "plan.json").read_text())
    lines = (raw / "visits.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "visits.jsonl").write_text("".join(lines[:-3]))
    with pytest.raises(ValueError, match="3 are missing"):
        build_device(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def damaged(built: Path, folder: Path, name: str, data: bytes) -> Path:
    for path in built.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / name).write_bytes(data)
    return folder


@pytest.mark.parametrize("name", ["latency.npy", "measured.npy"])
def test_a_cut_or_changed_table_is_refused(built: Path, tmp_path: Path, name: str) -> None:
    data = (built / name).read_bytes()
    changed = data[:-1] + bytes([data[-1] ^ 1])
    for broken in (b"", data[: len(data) // 2], changed):
        with pytest.raises(ValueError, match=rf"{name}: expected the SHA-256 .* got"):
            MeasuredDevice.from_folder(damaged(built, tmp_path, name, broken))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": 3}'])
def test_a_broken_card_is_refused(built: Path, tmp_path: Path, text: str) -> None:
    folder = damaged(built, tmp_path, "card.json", text.encode())
    with pytest.raises(ValueError, match=r"card\.json: expected .* got"):
        MeasuredDevice.from_folder(folder)


def test_missing_files_and_other_spaces(built: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"card\.json"):
        MeasuredDevice.from_folder(tmp_path)
    with pytest.raises(ValueError, match="expected the space 'product', got 'blox'"):
        MeasuredDevice.from_folder(built, SearchSpace((45, 45, 45)))


@pytest.mark.parametrize(
    ("latency", "measured", "message"),
    [
        (np.ones(7), [0], r"shape \(8,\), got shape \(7,\)"),
        (np.zeros(8), [0], "above 0, got 0.0 for architecture number 0"),
        (np.full(8, np.nan), [0], "finite"),
        (np.ones(8), [0, 0], "duplicates"),
        (np.ones(8), [8], r"0 … 7, got values from 8 to 8"),
    ],
)
def test_bad_tables_say_what_is_wrong(latency: Any, measured: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MeasuredDevice("tiny", SearchSpace((2, 2, 2)), latency, measured)


def test_a_table_of_ones_own() -> None:
    space = SearchSpace((2, 2))
    device = MeasuredDevice("tiny", space, [1.0, 2.0, 3.0, 4.0], [1, 2])
    assert device.latency_ms([[1, 0], [0, 0]]).tolist() == [3.0, 1.0]
    assert device.measured([[1, 0], [0, 0]]).tolist() == [True, False]
    other = MeasuredDevice("tiny", space, [1.0, 2.0, 3.0, 4.0], [1, 3])
    assert device.checksum() != other.checksum()
