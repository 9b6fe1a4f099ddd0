"""OpenVINO on the CPU: compiled once for a network, the compiled file loaded at every visit."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from blox_env.devices.runtimes.base import Runtime, versions_of
from blox_env.devices.runtimes.onnx_export import normal_input, onnx_bytes
from blox_env.ground.extras import extra_module

_HINTS = {"float32": "f32", "bfloat16": "bf16"}


class OpenVino(Runtime):
    """OpenVINO's CPU plugin, one stream, tuned for latency.

    Processors with bfloat16 compute in it by default; here the precision is what was asked for.
    """

    name = "openvino"
    precisions = ("float32", "bfloat16")

    def versions(self) -> dict[str, str]:
        """Of openvino (it decides the kernels), torch (it writes the graph), numpy, Python."""
        return versions_of("openvino", "onnx", "torch", "numpy")

    def settings(self) -> dict[str, str]:
        """Settings of every compilation."""
        return {
            "plugin": "CPU",
            "intra_op_num_threads": str(self.threads),
            "num_streams": "1",
            "performance_hint": "LATENCY",
            "cpu_pinning": "no",
            "precision": self.precision,
            "batch_norms": "folded",
        }

    def export(self, network: Any, input_shape: tuple[int, ...]) -> bytes:
        """The compiled model: it holds for this machine and this version alone."""
        core = self._core()
        model = core.read_model(model=onnx_bytes(network, input_shape), weights=b"")
        compiled = core.compile_model(model, "CPU", self._options())
        exported = compiled.export_model()
        return bytes(exported.getvalue() if isinstance(exported, io.BytesIO) else exported)

    def load(self, model: bytes, input_shape: tuple[int, ...]) -> Callable[[], object]:
        """A fresh request; the input is one standard normal array, the same every time."""
        openvino = extra_module("openvino", "devices", "measuring latency")
        compiled = self._core().import_model(model, "CPU", self._options())
        request = compiled.create_infer_request()
        request.set_input_tensor(openvino.Tensor(normal_input(input_shape)))

        def run() -> object:
            request.infer()
            return request.get_output_tensor().data

        return run

    def _core(self) -> Any:
        return extra_module("openvino", "devices", "measuring latency").Core()

    def _options(self) -> dict[str, Any]:
        return {
            "INFERENCE_NUM_THREADS": self.threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": _HINTS[self.precision],
            "ENABLE_CPU_PINNING": False,
        }
