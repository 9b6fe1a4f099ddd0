"""A small network of Blox for every runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from blox_env.devices.runtimes import Runtime
from blox_env.spaces.blox import BloxSpace

torch = pytest.importorskip("torch")


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
