import logging
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from blox_env.devices.runtimes.onnx_export import normal_input, onnx_bytes, quantized_bytes


def network():
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.ReLU(), torch.nn.Flatten()
    ).train()


def test_batch_norms_are_folded_and_the_mode_stays():
    module = network()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        content = onnx_bytes(module, (1, 3, 6, 6))
    assert not [w for w in caught if issubclass(w.category, DeprecationWarning)]
    assert module.training
    kinds = [node.op_type for node in onnx.load_from_string(content).graph.node]
    assert "Conv" in kinds
    assert "BatchNormalization" not in kinds


def test_quantised_files_hold_integers_and_log_nothing(caplog):
    with caplog.at_level(logging.WARNING):
        content = quantized_bytes(onnx_bytes(network(), (1, 3, 6, 6)), (1, 3, 6, 6))
    assert caplog.records == []
    kinds = {node.op_type for node in onnx.load_from_string(content).graph.node}
    assert {"QuantizeLinear", "DequantizeLinear"} <= kinds


def test_the_input_repeats_unless_a_generator_is_given():
    first, second = normal_input((2, 3)), normal_input((2, 3))
    np.testing.assert_array_equal(first, second)
    assert first.dtype == np.float32
    assert not np.array_equal(first, normal_input((2, 3), np.random.default_rng(99)))
