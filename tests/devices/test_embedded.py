"""Devices as tables: the contract, what is measured, and what a damaged file says."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from blox_env.devices import estimated
from blox_env.devices.base import list_devices, load_device
from blox_env.devices.build import raw_of, tabulate
from blox_env.devices.card import card_text
from blox_env.devices.embedded import DATA, MeasuredDevice, _check_table
from blox_env.devices.estimators import predictor
from blox_env.devices.estimators.few_shot import few_shot_candidates
from blox_env.devices.facts import DeviceCard
from blox_env.devices.protocol import STATISTICS
from blox_env.devices.values import combine, halves, shrink
from blox_env.spaces.base import SearchSpace
from blox_env.spaces.blox import BloxSpace


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


EMBEDDED = sorted(path.parent.name for path in DATA.glob("*/card.json"))
ESTIMATED = [n for n in EMBEDDED if (DATA / n / "estimated.npy").exists()]
UNIFORM = np.repeat(np.arange(45)[:, None], 3, axis=1)
MEASURED = [n for n in EMBEDDED if n not in ESTIMATED]


def damaged(built: Path, folder: Path, name: str, data: bytes) -> Path:
    for path in built.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / name).write_bytes(data)
    return folder


def test_all_that_is_embedded_is_registered() -> None:
    assert set(EMBEDDED) <= set(list_devices("blox"))
    assert {path.name for path in DATA.iterdir()} <= set(list_devices())


@pytest.mark.parametrize("name", EMBEDDED)
def test_contract_of_the_embedded_devices(name: str) -> None:
    device = load_device(name)
    assert isinstance(device, MeasuredDevice)
    assert device.name == name
    check_contract(device)
    card = device.card
    assert device.first_hand(UNIFORM).sum() >= 40  # on the GPU, time did not allow all of them
    assert card["input_shape"][1:] == [3, 32, 32]
    assert card["network"] == {"width": 32, "classes": 100}


@pytest.mark.parametrize("name", MEASURED)
def test_measured_devices_are_called_what_they_are(name: str) -> None:
    card = load_device(name).card
    settings, batch = card["runtime"]["settings"], card["input_shape"][0]
    if "gpu" in settings:
        assert name.startswith(tuple(word.lower() for word in settings["gpu"].split()))
        assert settings["mode"] in name.split("-")
    else:
        assert load_device(name).measured(UNIFORM).all()
        least = 120 if card["predictor"]["priors"] else 600 if batch == 1 else 300
        assert card["measured"] >= least
        threads = settings.get("intra_op_num_threads") or settings["num_threads"]
        assert name.endswith(f"-{threads}t")
    assert ("int8" in name) == (settings["precision"] == "int8")
    assert (f"-b{batch}" in name) == (batch > 1)
    with np.load(DATA / name / "visits.npz", allow_pickle=False) as visits:
        assert len(visits["ms"]) == card["during"]["visits"]
        assert len(np.unique(visits["architecture"])) == card["measured"]


@pytest.mark.parametrize("name", ESTIMATED)
def test_estimated_devices_are_estimates_of_their_files(name: str) -> None:
    device = load_device(name)
    assert isinstance(device, MeasuredDevice)
    card = device.card
    assert not device.measured(device.space.all()).any()
    assert card["estimated"] >= 300
    assert device.first_hand(UNIFORM).all()
    assert card["settings"]["accelerator-config"] == name
    with np.load(DATA / name / "estimates.npz", allow_pickle=False) as estimates:
        rows = device.space.from_index(estimates["architecture"])
        assert device.first_hand(rows).all()
        assert len(rows) == card["estimated"]
        np.testing.assert_allclose(device.latency_ms(rows), estimates["ms"], rtol=1e-6)
        assert np.array_equal(estimates["macs"], BloxSpace().macs(rows))
        clock = estimates["cycles"] / estimates["ms"]
        np.testing.assert_allclose(clock, clock[0], rtol=1e-6)
    assert (DATA / name / "CARD.md").read_text() == estimated.card_text(card)


@pytest.mark.parametrize("name", EMBEDDED)
def test_held_out_latencies_are_good_enough(name: str) -> None:
    held = load_device(name).card["predictor"]["held_out"]
    assert held["mape"] <= 0.05
    assert held["spearman"] >= 0.95


@pytest.mark.extra
@pytest.mark.parametrize("name", MEASURED)
def test_measured_latencies_and_cards_follow_from_the_visits(name: str) -> None:
    pytest.importorskip("sklearn", reason="predicting latency needs an extra")
    device = load_device(name)
    assert isinstance(device, MeasuredDevice)
    numbers, times, positions = tabulate(*raw_of(DATA / name))
    statistic = device.card["statistic"]
    logs = np.log(times[:, :, STATISTICS.index(statistic["visit"])])
    own = np.exp(combine(logs, positions, statistic["drift_window"]))
    rows = device.space.from_index(numbers)
    if statistic.get("fixed"):  # values are moved towards what a predictor says
        facts = device.card["predictor"]
        priors = [load_device(prior) for prior in facts["priors"]]
        known = {**predictor.CANDIDATES, **few_shot_candidates(device.space, priors)}
        held_out = predictor.cross_validate(device.space, rows, own, known[facts["name"]])
        halves_of = halves(times, positions, statistic["visit"], statistic["drift_window"])
        value, kept = shrink(own, held_out, float(np.var(halves_of[0] - halves_of[1])) / 4)
        np.testing.assert_allclose(device.latency_ms(rows), value, rtol=1e-5)
        assert device.card["noise"]["kept_of_difference"] == pytest.approx(kept, abs=1e-6)
        assert device.provenance(rows[:1]) == ["measured and shrunk"]
    else:
        np.testing.assert_allclose(device.latency_ms(rows), own, rtol=1e-6)
    assert device.measured(rows).all()
    assert (DATA / name / "CARD.md").read_text() == card_text(cast("DeviceCard", device.card))


def test_embedded_devices_rank_networks_differently() -> None:
    rows = load_device(EMBEDDED[0]).space.sample(np.random.default_rng(0), 2000)
    ranks = [load_device(name).latency_ms(rows).argsort().argsort() for name in EMBEDDED]
    assert np.corrcoef(ranks).min() < 0.5


def test_contract_of_a_built_device(built: Path) -> None:
    device = MeasuredDevice.from_folder(built)
    check_contract(device)
    assert device.checksum() == MeasuredDevice.from_folder(built).checksum()
    assert "made-up" in repr(device)


@pytest.mark.parametrize("name", ["latency.npy", "measured.npy"])
def test_a_cut_or_changed_table_is_refused(built: Path, tmp_path: Path, name: str) -> None:
    data = (built / name).read_bytes()
    changed = data[:-1] + bytes([data[-1] ^ 1])
    for broken in (b"", data[: len(data) // 2], changed):
        with pytest.raises(ValueError, match=rf"{name} is damaged: expected the SHA-256 .* got"):
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


@pytest.mark.parametrize("bad", [np.inf, np.nan, 0.0, -1.0])
def test_latencies_that_cannot_be_are_refused(bad: float) -> None:
    latency, space = np.ones(100), SearchSpace((10, 10))
    latency[5] = bad
    with pytest.raises(ValueError, match=r"finite and above 0, got .* architecture number 5"):
        _check_table(latency, np.arange(3), space)
