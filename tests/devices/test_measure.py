"""Measuring: nothing is lost or done twice, whatever happens in between."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blox_env.devices.facts import choice
from blox_env.devices.machine import choose_cores
from blox_env.devices.measure import (
    BusyMachineError,
    choose_rows,
    measure,
    read_visits,
    round_order,
    run_measurement,
)
from blox_env.devices.protocol import STATISTICS, Protocol
from blox_env.devices.runtimes import Runtime, load_runtime
from blox_env.spaces.base import SearchSpace
from blox_env.spaces.blox import BloxSpace, BloxXLSpace

QUICK = Protocol(rounds=4, runs=3, min_warmup=10, max_warmup=12, tries=1)


class FakeRuntime(Runtime):
    """Counts what it is asked for; dies at load number ``dies_at``."""

    name = "fake"

    def __init__(self, dies_at: int | None = None, version: str = "1") -> None:
        super().__init__()
        self.exported: list[tuple[int, ...]] = []
        self.loads = 0
        self.dies_at = dies_at
        self.version = version

    def versions(self) -> dict[str, str]:
        return {"fake": self.version}

    def settings(self) -> dict[str, str]:
        return {"threads": "1"}

    def build(self, space: SearchSpace, row: Any, *, seed: int, **network: Any) -> Any:
        assert network == {"width": 32, "classes": 100}
        return tuple(int(v) for v in row)

    def export(self, network: Any, input_shape: tuple[int, ...]) -> bytes:
        self.exported.append(network)
        return json.dumps(network).encode()

    def load(self, model: bytes, input_shape: tuple[int, ...]) -> Callable[[], object]:
        assert input_shape == (1, 3, 32, 32)
        json.loads(model)  # a whole one
        self.loads += 1
        if self.loads == self.dies_at:
            raise KeyboardInterrupt
        return lambda: None


def test_networks_of_a_space_without_numbers_are_called_by_their_place(tmp_path: Path) -> None:
    space = BloxXLSpace()
    rows = choose_rows(space, 700, 0)
    assert len(np.unique(rows, axis=0)) == 700
    np.testing.assert_array_equal(choose_rows(space, 3, 0), rows[:3])
    measure(space, rows[:3], FakeRuntime(), tmp_path, protocol=QUICK, other_load=quiet_machine)
    plan, visits = read_visits(tmp_path)
    assert plan["rows"] == rows[:3].tolist()
    assert plan["architectures"] == [0, 1, 2]
    assert sorted(v["architecture"] for v in visits) == sorted([0, 1, 2] * QUICK.rounds)


def quiet_machine() -> float:
    return 0.0


def begin(folder: Path, runtime: Runtime, n: int = 7, **changes: Any) -> Path:
    space = BloxSpace()
    rows = choose_rows(space, 45, 0)[:n]
    arguments: dict[str, Any] = {
        "protocol": QUICK,
        "seed": 3,
        "other_load": quiet_machine,
        **changes,
    }
    return measure(space, rows, runtime, folder, **arguments)


class Others:
    """An OthersClock that reads what it is told, for every second call: after each visit."""

    def __init__(self, after: list[float]) -> None:
        self.readings = iter([r for used in after for r in (0.0, used)])

    def __call__(self, cores: Any, own: Any) -> Callable[[], float]:
        return lambda: next(self.readings)


class ModuleRuntime(FakeRuntime):
    """Takes what was built, without exporting it."""

    exports = False

    def load(self, model: Any, input_shape: tuple[int, ...]) -> Callable[[], object]:
        assert len(model) == 3
        self.loads += 1
        return lambda: None


def test_every_network_is_visited_once_a_round(tmp_path: Path) -> None:
    runtime = FakeRuntime()
    begin(tmp_path, runtime)
    plan, visits = read_visits(tmp_path)
    assert len(runtime.exported) == 7
    assert runtime.loads == len(visits) == 28
    for number in range(4):
        order = [v["architecture"] for v in visits if v["round"] == number]
        assert order == [plan["architectures"][i] for i in round_order(3, number, 7)]
    assert not (tmp_path / "models").exists()
    assert all(len(v["ms"]) == len(STATISTICS) and min(v["ms"]) >= 0 for v in visits)


def test_rounds_have_orders_of_their_own() -> None:
    assert not np.array_equal(round_order(0, 0, 50), round_order(0, 1, 50))
    assert np.array_equal(round_order(0, 1, 50), round_order(0, 1, 50))


@pytest.mark.parametrize("dies_at", [1, 5, 28])
def test_a_killed_run_goes_on_where_it_stood(tmp_path: Path, dies_at: int) -> None:
    first = FakeRuntime(dies_at=dies_at)
    with pytest.raises(KeyboardInterrupt):
        begin(tmp_path, first)
    kept = (tmp_path / "visits.jsonl").read_bytes()
    assert kept.count(b"\n") == dies_at - 1
    second = FakeRuntime()
    begin(tmp_path, second)
    assert second.exported == []
    assert second.loads == 28 - (dies_at - 1)
    assert (tmp_path / "visits.jsonl").read_bytes().startswith(kept)
    _plan, visits = read_visits(tmp_path)
    assert len({(v["round"], v["architecture"]) for v in visits}) == len(visits) == 28
    third = FakeRuntime()
    begin(tmp_path, third)
    assert third.loads == 0


def test_an_unfinished_line_is_measured_again(tmp_path: Path) -> None:
    begin(tmp_path, FakeRuntime())
    path = tmp_path / "visits.jsonl"
    path.write_bytes(path.read_bytes()[:-9])
    assert len(read_visits(tmp_path)[1]) == 27
    runtime = FakeRuntime()
    begin(tmp_path, runtime)
    assert runtime.loads == 1
    assert len(read_visits(tmp_path)[1]) == 28


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    begin(tmp_path, FakeRuntime())
    path = tmp_path / "visits.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], b"nonsense\n", *lines[2:]]))
    with pytest.raises(ValueError, match=r"visits\.jsonl, line 2: expected a visit as JSON"):
        read_visits(tmp_path)


def test_a_busy_machine_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(BusyMachineError):
        begin(tmp_path / "raw", FakeRuntime(), force=False, other_load=lambda: 1.5)
    assert not (tmp_path / "raw").exists()  # so that other arguments may be tried there


def test_a_busy_machine_is_refused_unless_forced(tmp_path: Path) -> None:
    with pytest.raises(BusyMachineError, match=r"use 1\.50 of .* expected at most"):
        begin(tmp_path, FakeRuntime(), other_load=lambda: 1.5)
    assert not (tmp_path / "visits.jsonl").exists()
    begin(tmp_path, FakeRuntime(), other_load=lambda: 1.5, force=True)
    begin(tmp_path, FakeRuntime(), other_load=lambda: 1.5)  # nothing is left to measure


def test_another_measurement_is_not_mixed_in(tmp_path: Path) -> None:
    begin(tmp_path, FakeRuntime())
    with pytest.raises(ValueError, match="expected seed = 3, got 4"):
        begin(tmp_path, FakeRuntime(), seed=4)
    with pytest.raises(ValueError, match=r"expected runtime = .*'fake': '1'.*got .*'fake': '2'"):
        begin(tmp_path, FakeRuntime(version="2"))


def test_rows_are_distinct_and_begin_with_equal_blocks() -> None:
    space = BloxSpace()
    rows = choose_rows(space, 640, 0)
    assert rows.shape == (640, 3)
    assert (rows[:45] == np.arange(45)[:, None]).all()
    assert len(np.unique(space.index(rows))) == 640
    assert np.array_equal(rows, choose_rows(space, 640, 0))
    with pytest.raises(ValueError, match="n must be in 45"):
        choose_rows(space, 44, 0)


def test_further_networks_come_after_the_chosen_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space, seen = BloxSpace(), []
    monkeypatch.setattr(
        "blox_env.devices.measure.measure", lambda space, rows, *_, **__: seen.append(rows)
    )
    first = choose_rows(space, 45, 0)
    run_measurement("somewhere", 45, tmp_path, also=[[1, 2, 3], [7, 7, 7], [4, 2, 0]])
    assert seen[0].tolist() == [*first.tolist(), [1, 2, 3], [4, 2, 0]]  # 7, 7, 7 is there already
    numbers = space.index(seen[0]).tolist()
    words = choice({"architectures": numbers, "seed": 0}, space)
    assert words.endswith("uniformly drawn ones (seed 0), 45 in all, and 2 that were asked for")
    assert "asked" not in choice({"architectures": numbers[:45], "seed": 0}, space)
    assert choice({"architectures": numbers[:44], "seed": 0}, space) == "given by whoever measured"
    with pytest.raises(ValueError, match="45"):
        run_measurement("somewhere", 45, tmp_path, also=[[1, 2, 45]])


def test_duplicates_and_bad_protocols_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="distinct"):
        measure(BloxSpace(), [[0, 0, 0], [0, 0, 0]], FakeRuntime(), tmp_path)
    with pytest.raises(ValueError, match="even"):
        Protocol(rounds=3)
    with pytest.raises(ValueError, match="max_warmup must be at least 20, got 12"):
        Protocol(min_warmup=20, max_warmup=12)
    with pytest.raises(ValueError, match="did you mean 'onnxruntime'"):
        load_runtime("onnxruntim")
    with pytest.raises(ValueError, match=r"plan\.json"):
        read_visits(tmp_path)


def test_disturbed_visits_are_made_again_and_the_calmest_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "blox_env.devices.measure.OthersClock", Others([0.5, 0.0, 0.9, 0.4, 0.7, 0.0, 0.1])
    )
    runtime = FakeRuntime()
    begin(tmp_path, runtime, n=2, protocol=Protocol(rounds=2, runs=3, tries=3), force=True)
    visits = read_visits(tmp_path)[1]
    assert [v["tries"] for v in visits] == [2, 3, 1, 1]
    assert [v["others"] for v in visits] == [0.0, 0.4, 0.0, 0.1]


def test_runtimes_without_exports_get_the_module(tmp_path: Path) -> None:
    runtime = ModuleRuntime()
    begin(tmp_path, runtime)
    assert runtime.exported == []
    assert runtime.loads == len(read_visits(tmp_path)[1]) == 28


def test_the_measurement_keeps_to_its_cores_and_lets_go_of_them(tmp_path: Path) -> None:
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("this system does not pin")
    before, seen = os.sched_getaffinity(0), set()

    class Looks(FakeRuntime):
        def timed(self, run: Callable[[], object]) -> int:
            seen.add(frozenset(os.sched_getaffinity(0)))
            return 1000

    begin(tmp_path, Looks(), n=2)
    assert seen == {frozenset(choose_cores(1))}
    assert os.sched_getaffinity(0) == before
    with pytest.raises(ValueError, match=r"threads must be at most \d+, the cores here"):
        choose_cores(10**6)


def test_run_measurement_takes_names(tmp_path: Path) -> None:
    folder = run_measurement(
        "mine",
        45,
        tmp_path,
        force=True,
        runtime=f"{__name__}:FakeRuntime",
        protocol=Protocol(rounds=2, runs=1),
    )
    plan, visits = read_visits(folder)
    assert plan["device"] == "mine"
    assert len(visits) == 90
