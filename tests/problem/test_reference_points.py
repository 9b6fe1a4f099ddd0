"""The frozen reference points are those of the rule, and stay with their data."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from blox_env import Problem, SearchSpace, load_benchmark, load_device
from blox_env.devices.embedded import DATA, MeasuredDevice
from blox_env.problem.reference_points import FROZEN, frozen, rule
from tests.toys import ToyBenchmark, ToyDevice

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "reference_points.py"
FRONT = ("val_acc", "latency_ms")


def test_the_committed_file_is_what_the_command_writes():
    spec = importlib.util.spec_from_file_location("reference_points", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.content() == json.loads(FROZEN.read_text()), "run docs/reference_points.py"


def test_frozen_points_need_no_listing(monkeypatch):
    problem = Problem("digits", "x86-ort-1t", objectives=(*FRONT, "params"))
    expected = rule(problem.values(problem.peek(problem.space.all())))
    monkeypatch.setattr(Problem, "peek", None)
    np.testing.assert_array_equal(problem.reference_point(), expected * (1, -1, -1))


def test_an_objective_has_its_coordinate_whatever_stands_beside_it():
    both = Problem("digits", "x86-ort-1t", objectives=FRONT).reference_point()
    other = Problem("digits", "x86-ort-1t", objectives=("latency_ms", "reward", "val_acc"))
    point = other.reference_point()
    assert point[[2, 0]].tolist() == both.tolist()
    reward = other.peek(other.space.all()).reward
    assert point[1] == reward.min() - 0.1 * (reward.max() - reward.min())


def test_other_data_under_a_frozen_name_are_refused():
    space = load_benchmark("digits").space
    device = MeasuredDevice("x86-ort-1t", space, np.linspace(1, 2, space.size), [0])
    problem = Problem("digits", device, objectives=FRONT)
    checksum = frozen()["devices"]["x86-ort-1t"]["checksum"]
    with pytest.raises(ValueError, match=f"'x86-ort-1t' with the checksum {checksum}, but this"):
        problem.reference_point()
    device.name = "mine"
    assert problem.reference_point()[1] == 2.1


def test_own_data_get_the_rule():
    space = SearchSpace((3, 4))
    problem = Problem(ToyBenchmark(space), ToyDevice(space), objectives=FRONT)
    values = problem.values(problem.peek(space.all()))
    np.testing.assert_array_equal(problem.reference_point(), rule(values) * (1, -1))


def test_the_rule_by_hand():
    values = np.array([[0.0, 5.0, -1.0], [10.0, 5.0, -3.0]])
    assert rule(values).tolist() == [-1.0, 4.0, -3.2]
    with pytest.raises(ValueError, match="finite"):
        rule(np.array([[np.inf], [1.0]]))


def test_every_embedded_device_is_frozen():
    names = {path.name for path in DATA.iterdir() if load_device(path.name).space.listable}
    assert len(names) > 10
    assert names <= set(frozen()["devices"])
