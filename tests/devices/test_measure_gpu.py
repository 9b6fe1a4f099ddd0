"""perf/measure_gpu.py and build_gpu.py: what the time cuts off leaves a device to build."""

from __future__ import annotations

import importlib.util
import json
import sys
import tarfile
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from blox_env.devices.build import build_device, raw_of, tabulate
from blox_env.devices.estimators import predictor
from blox_env.devices.measure import read_visits, round_order

PATH = Path(__file__).resolve().parents[2] / "perf" / "measure_gpu.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("measure_gpu", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["measure_gpu"] = module  # dataclasses look there
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(PATH.parent)
        spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def builder(script: ModuleType) -> ModuleType:
    assert script.write_visits
    return sys.modules["build_gpu"]


def cut(raw: Path, folder: Path, visits: int) -> Path:
    """A copy of a measurement that ends after so many visits."""
    folder.mkdir()
    (folder / "plan.json").write_bytes((raw / "plan.json").read_bytes())
    lines = (raw / "visits.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "visits.jsonl").write_bytes(b"".join(lines[:visits]))
    return folder


@pytest.mark.extra
def test_what_was_cut_off_is_left_out(script: ModuleType, raw: Path, tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="predicting latency needs an extra")
    folder = cut(raw, tmp_path / "cut", 150)
    with pytest.raises(ValueError, match="30 are missing"):
        tabulate(*read_visits(folder))
    whole = {(v["architecture"], v["round"]): v["ms"] for v in read_visits(raw)[1]}
    assert script.settle(folder) == 60
    plan, visits = read_visits(folder)
    assert len(plan["architectures"]) == 60
    assert len(visits) == 120
    assert all(v["ms"] == whole[v["architecture"], v["round"]] for v in visits)
    numbers, times, _ = tabulate(plan, visits)
    build_device(folder, tmp_path / "device")
    again = tabulate(*raw_of(tmp_path / "device"))  # a device can be built anew from its visits
    assert np.array_equal(again[0], numbers)
    np.testing.assert_allclose(again[1], times, atol=1e-5)


def test_two_occasions_become_one_and_a_retest(
    builder: ModuleType, raw: Path, tmp_path: Path
) -> None:
    plan, visits = read_visits(raw)
    numbers = plan["architectures"]
    parts = numbers[:60], numbers[50:]  # ten are in both
    for name, part in zip(("first", "again"), parts, strict=True):
        own = [dict(v) for v in visits if v["architecture"] in part]
        builder.write_visits(tmp_path / name, plan, own)
    joined, retest = builder.join(tmp_path / "first", tmp_path / "again", tmp_path)
    plan, both = read_visits(joined)
    assert sorted(plan["architectures"]) == sorted(numbers)
    assert "60 in a first process and 30 more in a second one" in plan["choice"]
    assert "; 45 of three equal blocks" in plan["choice"]
    assert tabulate(plan, both)[1].shape[:2] == (2, 90)
    first = [v for v in both if v["round"] == 0]
    early = {v["architecture"] for v in first if v["position"] < 60}
    assert early == set(parts[0])
    order = round_order(plan["seed"], 0, 90)
    by_position = [v["architecture"] for v in sorted(first, key=lambda v: v["position"])]
    assert by_position == [plan["architectures"][i] for i in order]
    again = read_visits(retest)
    assert sorted(again[0]["architectures"]) == sorted(numbers[50:60])
    assert tabulate(*again)[1].shape[:2] == (2, 10)


def test_what_is_whole_stays_as_it_is(script: ModuleType, raw: Path, tmp_path: Path) -> None:
    folder = cut(raw, tmp_path / "whole", 180)
    before = (folder / "plan.json").read_bytes(), (folder / "visits.jsonl").read_bytes()
    assert script.settle(folder) == 90
    assert ((folder / "plan.json").read_bytes(), (folder / "visits.jsonl").read_bytes()) == before


def test_a_walk_stops_when_its_time_is_over(script: ModuleType) -> None:
    assert list(script.track_until(time.monotonic() + 60)("", range(3))) == [0, 1, 2]
    assert list(script.track_until(time.monotonic() - 1)("", range(3))) == []


@pytest.mark.parametrize(
    ("gpu", "name"),
    [
        ("NVIDIA H100 80GB HBM3", "h100"),
        ("NVIDIA A100-SXM4-40GB", "a100"),
        ("Tesla T4", "t4"),
        ("Something", "something"),
    ],
)
def test_devices_are_called_like_the_gpu(script: ModuleType, gpu: str, name: str) -> None:
    assert script.short_name(gpu) == name


def test_one_file_holds_all(script: ModuleType, raw: Path, tmp_path: Path) -> None:
    cut(raw, tmp_path / "first", 5)
    out = tmp_path / script.PACKED
    for _ in range(2):  # a second time, when it is there
        script.pack(tmp_path, out)
        with tarfile.open(out) as tar:
            assert sorted(tar.getnames()) == ["first/plan.json", "first/visits.jsonl"]
            plan = tar.extractfile("first/plan.json")
            assert plan is not None
            assert json.loads(plan.read())["device"] == "made-up"


@pytest.mark.extra
def test_a_later_occasion_is_compared_and_joined(
    builder: ModuleType,
    raw: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("sklearn", reason="predicting latency needs an extra")
    plan, visits = read_visits(raw)
    numbers = plan["architectures"]
    for name, part in (("day", numbers[:60]), ("retest/made-up", numbers[40:])):
        own = [dict(v) for v in visits if v["architecture"] in part]
        builder.write_visits(tmp_path / name, plan, own)
    monkeypatch.setattr(builder, "DATA", tmp_path / "devices")
    few = {k: v for k, v in predictor.CANDIDATES.items() if k.startswith("ridge")}
    monkeypatch.setattr(predictor, "CANDIDATES", few)
    builder.made(tmp_path / "day", "made-up")
    before = json.loads((tmp_path / "devices" / "made-up" / "card.json").read_text())
    packed = tmp_path / "gpu.tgz"
    with tarfile.open(packed, "w:gz") as tar:
        tar.add(tmp_path / "retest", "retest")
    monkeypatch.setattr(sys, "argv", ["build_gpu.py", "--again", str(packed)])
    builder.main()
    assert "another occasion:" in capsys.readouterr().out
    after = json.loads((tmp_path / "devices" / "made-up" / "card.json").read_text())
    assert "another_occasion" not in before["noise"]
    compared = after["noise"]["another_occasion"]
    assert compared["networks"] == 20  # those that both occasions have
    assert compared["of_earlier_values"]  # of what the device said before they were joined
    assert compared["mape"] > 0
    assert len(raw_of(tmp_path / "devices" / "made-up")[0]["architectures"]) == 90
