"""ONNX files of networks, in full precision or quantised."""

from __future__ import annotations

import io
import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from blox_env.ground.extras import extra_module
from blox_env.ground.typing import FloatArray

INPUT, OUTPUT = "image", "logits"
CALIBRATION_BATCHES = 2


def onnx_bytes(network: Any, input_shape: tuple[int, ...]) -> bytes:
    """ONNX by torch's tracing exporter: 0.3 s a network, the newer one takes 5 s.

    Batch norms are folded into the convolutions. The network's mode is left as it was.

    Args:
        network: a ``torch.nn.Module``.
        input_shape: of its one input; the file is for this shape alone.
    """
    torch = extra_module("torch", "devices", "exporting to ONNX")
    extra_module("onnx", "devices", "exporting to ONNX")
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
                input_names=[INPUT],
                output_names=[OUTPUT],
            )
    finally:
        network.train(training)
    return buffer.getvalue()


def quantized_bytes(model: bytes, input_shape: tuple[int, ...]) -> bytes:
    """The model in int8: static post-training quantisation by ONNX Runtime, QDQ format.

    Activations are uint8, weights int8 with a scale each channel. The scales come from standard
    normal inputs, always the same: enough for latency, not for accuracy on images.

    Args:
        model: ONNX bytes in full precision.
        input_shape: of its one input, the batch size first.
    """
    onnx = extra_module("onnx", "devices", "quantising")
    quantization = extra_module("onnxruntime.quantization", "devices", "quantising")

    class Images(quantization.CalibrationDataReader):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            rng = np.random.default_rng(0)
            self._left = [normal_input(input_shape, rng) for _ in range(CALIBRATION_BATCHES)]

        def get_next(self) -> dict[str, FloatArray] | None:
            return {INPUT: self._left.pop()} if self._left else None

    with tempfile.TemporaryDirectory() as folder, _no_advice():
        path = Path(folder) / "quantized.onnx"
        quantization.quantize_static(
            onnx.load_from_string(model),
            str(path),
            Images(),
            quant_format=quantization.QuantFormat.QDQ,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            per_channel=True,
        )
        return path.read_bytes()


def normal_input(input_shape: tuple[int, ...], rng: np.random.Generator | None = None) -> Any:
    """A standard normal float32 array; the same every time if no generator is given.

    Args:
        input_shape: of the array.
        rng: a generator, else one with a fixed seed.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    return rng.normal(size=input_shape).astype(np.float32)


@contextmanager
def _no_advice() -> Iterator[None]:
    """Without the advice to preprocess that quantising logs for every network."""
    logger = logging.getLogger()

    def quiet(record: logging.LogRecord) -> bool:
        return "pre-processing" not in record.getMessage()

    logger.addFilter(quiet)
    try:
        yield
    finally:
        logger.removeFilter(quiet)
