"""Every runtime: it computes what the network computes, says how, and leaves torch alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from blox_env.devices.runtimes import list_runtimes, load_runtime
from blox_env.devices.runtimes.onnx_export import normal_input
from tests.devices.runtimes.networks import CASES, SHAPE, first_output, network, torch

pytest.importorskip("onnxruntime")


pytest.importorskip("openvino")


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


def test_unknown_names_and_settings_are_refused_with_a_near_miss() -> None:
    known = ["ncnn", "onnxruntime", "onnxruntime-web", "openvino", "torch-cpu", "torch-cuda"]
    assert list_runtimes() == known
    with pytest.raises(ValueError, match="did you mean 'onnxruntime'"):
        load_runtime("onnxruntim")
    with pytest.raises(ValueError, match="did you mean 'threads'"):
        load_runtime("onnxruntime", thread=2)
    with pytest.raises(ValueError, match=r"unknown precision 'int9'.*did you mean 'int8'"):
        load_runtime("onnxruntime", precision="int9")
    with pytest.raises(ValueError, match="threads must be at least 1, got 0"):
        load_runtime("openvino", threads=0)
