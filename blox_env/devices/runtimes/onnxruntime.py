"""ONNX Runtime on the CPU: batch norms folded, operators fused, one after another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from blox_env.devices.runtimes.base import Runtime, versions_of
from blox_env.devices.runtimes.onnx_export import normal_input, onnx_bytes, quantized_bytes
from blox_env.ground.extras import extra_module


class OnnxRuntime(Runtime):
    """ONNX Runtime's CPU provider; ``int8`` quantises statically."""

    name = "onnxruntime"
    precisions = ("float32", "int8")

    def versions(self) -> dict[str, str]:
        """Of onnxruntime (it decides the kernels), torch (it writes the graph), numpy, Python."""
        return versions_of("onnxruntime", "onnx", "torch", "numpy")

    def settings(self) -> dict[str, str]:
        """Settings of every session."""
        settings = {
            "provider": "CPUExecutionProvider",
            "intra_op_num_threads": str(self.threads),
            "inter_op_num_threads": "1",
            "execution_mode": "ORT_SEQUENTIAL",
            "graph_optimization_level": "ORT_ENABLE_ALL",
            "allow_spinning": self._spinning,
            "precision": self.precision,
            "batch_norms": "folded",
        }
        if self.precision == "int8":
            settings["quantisation"] = "static, QDQ, uint8 activations, int8 weights by channel"
        return settings

    @property
    def _spinning(self) -> str:
        # threads that sleep between operators would cost more than what they share
        return "0" if self.threads == 1 else "1"

    def export(self, network: Any, input_shape: tuple[int, ...]) -> bytes:
        """ONNX bytes, quantised where the precision says so."""
        model = onnx_bytes(network, input_shape)
        return model if self.precision == "float32" else quantized_bytes(model, input_shape)

    def load(self, model: bytes, input_shape: tuple[int, ...]) -> Callable[[], object]:
        """A fresh session; the input is one standard normal array, the same every time."""
        ort = extra_module("onnxruntime", "devices", "measuring latency")
        options = ort.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", self._spinning)
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        feed = {session.get_inputs()[0].name: normal_input(input_shape)}

        def run() -> object:
            output: object = session.run(None, feed)
            return output

        return run
