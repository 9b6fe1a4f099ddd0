"""ONNX Runtime on the CPU, one thread: batch norms folded, operators fused, nothing in parallel."""

from __future__ import annotations

import io
import platform
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from blox_env.devices.runtimes.base import Runtime, required
from blox_env.errors import check_positive_int


class OnnxRuntime(Runtime):
    """ONNX Runtime's CPU provider.

    Args:
        threads: threads within an operator; operators always run one after another.
    """

    name = "onnxruntime"

    def __init__(self, threads: int = 1) -> None:
        self.threads = check_positive_int("threads", threads)

    def versions(self) -> dict[str, str]:
        """Of onnxruntime (it decides the kernels), torch (it writes the graph), numpy, Python."""
        names = ("onnxruntime", "onnx", "torch", "numpy")
        found = {name: str(required(name, "measuring latency").__version__) for name in names}
        return {**found, "python": platform.python_version()}

    def settings(self) -> dict[str, str]:
        """What every session is made with."""
        return {
            "provider": "CPUExecutionProvider",
            "intra_op_num_threads": str(self.threads),
            "inter_op_num_threads": "1",
            "execution_mode": "ORT_SEQUENTIAL",
            "graph_optimization_level": "ORT_ENABLE_ALL",
            "allow_spinning": "0",
            "precision": "float32",
            "batch_norms": "folded",
        }

    def export(self, network: Any, input_shape: tuple[int, ...]) -> bytes:  # noqa: ANN401
        """ONNX bytes by torch's tracing exporter: 0.3 s a network, the newer one takes 5 s."""
        torch = required("torch", "exporting to ONNX")
        required("onnx", "exporting to ONNX")
        buffer = io.BytesIO()
        training = network.training
        network.eval()
        try:
            with warnings.catch_warnings(), torch.inference_mode():
                warnings.simplefilter("ignore")  # the tracing exporter is announced as deprecated
                torch.onnx.export(
                    network,
                    (torch.zeros(input_shape),),
                    buffer,
                    dynamo=False,
                    input_names=["image"],
                    output_names=["logits"],
                )
        finally:
            network.train(training)
        return buffer.getvalue()

    def load(self, model: bytes, input_shape: tuple[int, ...]) -> Callable[[], object]:
        """A fresh session; the input is one standard normal array, the same every time."""
        ort = required("onnxruntime", "measuring latency")
        options = ort.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        image = np.random.default_rng(0).normal(size=input_shape).astype(np.float32)
        feed = {session.get_inputs()[0].name: image}

        def run() -> object:
            output: object = session.run(None, feed)
            return output

        return run
