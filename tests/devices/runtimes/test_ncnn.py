"""ncnn as a runtime; what needs it is skipped without it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

from blox_env.devices.runtimes import load_runtime
from blox_env.devices.runtimes.onnx_export import normal_input
from tests.devices.runtimes.networks import network

SHAPE = (1, 3, 32, 32)


def test_batches_are_refused() -> None:
    with pytest.raises(ValueError, match="one picture at a time, got a batch of 2"):
        load_runtime("ncnn").export(network(load_runtime("ncnn")), (2, 3, 32, 32))


def test_what_is_missing_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    real = importlib.import_module

    def without(name: str, *rest: Any) -> Any:
        if name in ("ncnn", "pnnx"):
            raise ImportError(name, name=name)
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(ImportError, match=r"blox-env\[ncnn\]"):
        load_runtime("ncnn").versions()
    with pytest.raises(ImportError, match=r"blox-env\[ncnn\]"):
        load_runtime("ncnn").export(network(load_runtime("ncnn")), SHAPE)


def test_it_computes_what_the_network_computes() -> None:
    pytest.importorskip("ncnn")
    pytest.importorskip("pnnx")
    runtime = load_runtime("ncnn")
    content = runtime.export(network(runtime), SHAPE)
    outputs = [np.array(runtime.load(content, SHAPE)()) for _ in range(2)]
    np.testing.assert_array_equal(outputs[0], outputs[1])
    with torch.inference_mode():
        expected = network(runtime)(torch.from_numpy(normal_input(SHAPE))).numpy()
    np.testing.assert_allclose(outputs[0], expected[0], atol=1e-3)
    assert {"ncnn", "pnnx", "onnx", "torch", "python"} <= runtime.versions().keys()
    assert runtime.settings()["intra_op_num_threads"] == "1"
