"""Exported networks: they run elsewhere, compute the same, and say what they are."""

import json

import numpy as np
import onnxruntime
import pytest
import torch

import blox_env
from blox_env.devices.embedded import MeasuredDevice
from blox_env.devices.runtimes import load_runtime
from blox_env.export import export_network, read_metadata
from blox_env.ground import defaults
from tests.toys import ToyBenchmark, huge_space

SMALL = {"width": 4, "classes": 5, "in_channels": 2, "image_size": 8, "batch": 3}
FRAME = {key: SMALL[key] for key in ("width", "classes", "in_channels")}
IMAGES = np.random.default_rng(0).normal(size=(3, 2, 8, 8)).astype(np.float32)


def expected_logits(row, seed):
    """What torch computes with the same weights."""
    built = load_runtime("onnxruntime").build(blox_env.BloxSpace(), row, seed=seed, **FRAME)
    with torch.no_grad():
        return built(torch.from_numpy(IMAGES)).numpy()


@pytest.mark.parametrize("row", [(0, 14, 30), (44, 11, 29), (7, 22, 38)])
def test_onnx_runs_in_onnx_runtime_and_computes_what_torch_does(row, tmp_path):
    export_network(row, tmp_path / "best.onnx", weights_seed=3, **SMALL)
    session = onnxruntime.InferenceSession(tmp_path / "best.onnx")
    assert [i.name for i in session.get_inputs()] == ["image"]
    (found,) = session.run(["logits"], {"image": IMAGES})
    np.testing.assert_allclose(found, expected_logits(row, 3), rtol=1e-4, atol=1e-5)
    other = expected_logits(row, 4)
    assert not np.allclose(found, other, rtol=1e-4, atol=1e-5)


def test_pt2_loads_and_computes_what_torch_does(tmp_path):
    row = (0, 11, 0)
    written = export_network(row, tmp_path / "best.pt2", weights_seed=3, **SMALL)
    extra = {"metadata.json": ""}
    program = torch.export.load(tmp_path / "best.pt2", extra_files=extra)
    with torch.no_grad():
        found = program.module()(torch.from_numpy(IMAGES)).numpy()
    np.testing.assert_allclose(found, expected_logits(row, 3), rtol=1e-5, atol=1e-6)
    assert json.loads(extra["metadata.json"]) == written == read_metadata(tmp_path / "best.pt2")


def test_the_file_says_what_it_is_and_where_its_numbers_are_from(tmp_path):
    problem = blox_env.Problem("digits", "x86-ort-1t", latency_target_ms=5.0)
    row = np.array([11, 27, 34])
    search = {"agent": "nsga2", "seed": 7}
    export_network(row, tmp_path / "best.onnx", problem=problem, search=search, width=4)
    found = read_metadata(tmp_path / "best.onnx")
    trials, space, device = problem.peek(row), problem.space, problem.device
    exact = {key: json.loads(found[key]) for key in ("val_acc", "latency_ms", "reward", "params")}
    assert exact == {
        "val_acc": trials.val_acc[0],
        "latency_ms": trials.latency_ms[0],
        "reward": trials.reward[0],
        "params": space.params(row, width=4)[0],
    }
    assert json.loads(found["peak_activation_bytes"]) == space.peak_activation_bytes(row, width=4)
    assert json.loads(found["arch_vec"]) == space.to_arch_vec(row)
    expected = {
        "arch": "11-27-34",
        "model_hash": space.model_hash(row)[0],
        "val_acc_source": trials.source[0],
        "latency_source": device.provenance(row)[0],
        "benchmark": "digits",
        "benchmark_checksum": problem.benchmark.checksum(),
        "device": "x86-ort-1t",
        "device_checksum": device.checksum(),
        "reward_formula": "mnasnet",
        "latency_target_ms": "5.0",
        "weights": "random",
        "agent": "nsga2",
        "seed": "7",
    }
    assert expected.items() <= found.items()
    assert {"blox-env", "torch", "onnx"} <= json.loads(found["versions"]).keys()
    assert "another size" in found["latency_is_of"]  # the device measured width 32


def test_a_network_of_the_measured_size_makes_no_reservation(tmp_path):
    space = blox_env.BloxSpace()
    card = {
        "input_shape": [3, 2, 8, 8],
        "network": {"width": 4, "classes": 5},
        "runtime": {"name": "abacus", "settings": {"threads": "1"}},
    }
    device = MeasuredDevice("mine", space, np.ones(space.size), [0], card)
    problem = blox_env.Problem(ToyBenchmark(), device)
    found = export_network([0, 0, 0], tmp_path / "best.onnx", problem=problem, **SMALL)
    assert "latency_is_of" not in found
    assert json.loads(found["latency_runtime"]) == {"name": "abacus", "threads": "1"}
    assert found["latency_source"] == "measured"


def test_other_files_are_told(tmp_path):
    (tmp_path / "a.pt2").write_bytes(b"none")
    with pytest.raises(ValueError, match="expected a file that export_network wrote"):
        read_metadata(tmp_path / "a.pt2")


def test_without_a_problem_the_file_says_nothing_of_accuracy(tmp_path):
    found = export_network([0, 1, 2], tmp_path / "best.onnx", **SMALL)
    assert not {"val_acc", "latency_ms", "reward"} & found.keys()
    assert json.loads(found["network"]) == {**FRAME, "image_size": 8}


@pytest.mark.parametrize(
    ("row", "name", "arguments", "error", "message"),
    [
        ([0, 0, 0], "best.tflite", {}, ValueError, r"\.onnx or \.pt2, got"),
        ([[0, 0, 0], [1, 1, 1]], "best.onnx", {}, ValueError, "one architecture, got 2"),
        ([0, 0, 0], "best.onnx", {"batch": 0}, ValueError, "batch must be at least 1"),
        ([0, 0, 0], "best.onnx", {"weights_seed": -1}, ValueError, "weights_seed must be"),
        ([0, 0, 0], "best.onnx", {"depth": 3}, TypeError, "depth"),
    ],
)
def test_bad_arguments(row, name, arguments, error, message, tmp_path):
    with pytest.raises(error, match=message):
        export_network(row, tmp_path / name, **arguments)
    assert not list(tmp_path.iterdir())


def test_a_space_without_networks_says_so(tmp_path):
    problem = blox_env.Problem(ToyBenchmark(huge_space()))
    with pytest.raises(NotImplementedError, match="no networks to build"):
        export_network([0] * 12, tmp_path / "best.onnx", problem=problem)


def test_search_exports_what_it_found(tmp_path):
    from typer.testing import CliRunner

    from blox_env.cli import app

    arguments = ["search", "--agent", "random-search", "--budget", "20", "--seed", "1"]
    sizes = ["--network", "width=4", "--network", "classes=10", "--network", "image_size=8"]
    path = tmp_path / "best.onnx"
    done = CliRunner().invoke(app, [*arguments, "--export", str(path), *sizes])
    assert done.exit_code == 0, done.output
    problem = blox_env.Problem(defaults.BENCHMARK, defaults.DEVICE, budget=20)
    history = blox_env.search(problem, "random-search", seed=1)
    found = read_metadata(path)
    assert found["arch"] == "-".join(map(str, history.x[history.best.row]))
    assert (found["agent"], found["seed"], found["budget"]) == ("random-search", "1", "20")
    assert onnxruntime.InferenceSession(path).get_inputs()[0].shape == [1, 3, 8, 8]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--export", "best.bin"], "ends in .onnx or .pt2"),
        (["--export", "best.onnx", "--network", "wide=3"], "did you mean 'width'"),
        (["--export", "best.onnx", "--network", "width"], "--network must be name=value"),
        (["--export", "best.onnx", "--network", "width=x"], "--network width must be a whole"),
    ],
)
def test_a_wrong_export_stops_before_the_search(arguments, message):
    from typer.testing import CliRunner

    from blox_env.cli import app

    done = CliRunner().invoke(app, ["search", "--budget", "20", *arguments])
    assert done.exit_code == 1
    assert message in str(done.exception)
