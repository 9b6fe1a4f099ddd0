"""Every runtime: it computes what the network computes, says how, and leaves torch alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from blox_env.devices.runtimes import Runtime, list_runtimes, load_runtime
from blox_env.devices.runtimes.onnx_export import normal_input
from blox_env.spaces.blox import BloxSpace

torch = pytest.importorskip("torch")
pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")

SPACE = BloxSpace()
ROW = [0, 20, 3]
SHAPE = (2, 3, 32, 32)
CASES = [
    ("onnxruntime", {}, 1e-4),
    ("onnxruntime", {"threads": 2}, 1e-4),
    ("onnxruntime", {"precision": "int8"}, None),  # rounded, so only correlated
    ("openvino", {}, 1e-3),
    ("openvino", {"precision": "bfloat16"}, None),
    ("torch-cpu", {}, 1e-5),
    ("torch-cpu", {"precision": "bfloat16"}, None),
]


def first_output(output: Any) -> np.ndarray:
    output = output[0] if isinstance(output, list) else output
    return np.asarray(output.float() if isinstance(output, torch.Tensor) else output)


def network(runtime: Runtime, width: int = 8) -> Any:
    return runtime.build(SPACE, ROW, seed=1, width=width, classes=10)


@pytest.mark.parametrize(("name", "settings", "tolerance"), CASES)
def test_it_computes_what_the_network_computes(
    name: str, settings: dict[str, Any], tolerance: float | None
) -> None:
    runtime = load_runtime(name, **settings)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    with runtime.environment():
        module = network(runtime).train()
        output = first_output(runtime.prepare(module, SHAPE)())
        if runtime.exports:
            assert module.training, "exporting changed the mode"
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads
    with torch.inference_mode():
        expected = network(runtime)(torch.from_numpy(normal_input(SHAPE))).numpy()
    assert output.shape == expected.shape
    if tolerance is not None:
        np.testing.assert_allclose(output, expected, atol=tolerance, rtol=tolerance)
    else:
        assert np.corrcoef(output.ravel(), expected.ravel())[0, 1] > 0.9


@pytest.mark.parametrize(("name", "settings", "_"), CASES)
def test_it_says_how(name: str, settings: dict[str, Any], _: object) -> None:
    runtime = load_runtime(name, **settings)
    said = runtime.settings()
    assert said["precision"] == settings.get("precision", "float32")
    assert said["intra_op_num_threads"] == str(settings.get("threads", 1))
    assert {"python", "numpy"} <= set(runtime.versions())
    assert all(isinstance(v, str) for v in (*said.values(), *runtime.versions().values()))


def test_equal_seeds_give_equal_networks() -> None:
    runtime = load_runtime("torch-cpu")
    for a, b in zip(network(runtime).parameters(), network(runtime).parameters(), strict=True):
        assert torch.equal(a, b)


def test_int8_is_smaller_and_holds_integers() -> None:
    whole = load_runtime("onnxruntime")
    small = load_runtime("onnxruntime", precision="int8")
    full, quantized = (r.export(network(r, 32), SHAPE) for r in (whole, small))
    assert len(quantized) < len(full) / 2


def test_unknown_names_and_settings_are_refused_with_a_near_miss() -> None:
    assert list_runtimes() == ["onnxruntime", "openvino", "torch-cpu", "torch-cuda"]
    with pytest.raises(ValueError, match="did you mean 'onnxruntime'"):
        load_runtime("onnxruntim")
    with pytest.raises(ValueError, match="did you mean 'threads'"):
        load_runtime("onnxruntime", thread=2)
    with pytest.raises(ValueError, match=r"unknown precision 'int9'.*did you mean 'int8'"):
        load_runtime("onnxruntime", precision="int9")
    with pytest.raises(ValueError, match="threads must be at least 1, got 0"):
        load_runtime("openvino", threads=0)


def test_a_gpu_that_is_not_there_is_said() -> None:
    if torch.cuda.is_available():
        runtime = load_runtime("torch-cuda")
        run = runtime.prepare(network(runtime), SHAPE)
        output: Any = run()
        assert output.shape == (2, 10)
        assert runtime.timed(run) > 0
        return
    with pytest.raises(RuntimeError, match="needs a CUDA GPU"):
        load_runtime("torch-cuda")
