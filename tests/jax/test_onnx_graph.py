"""Networks in ONNX's form give what onnxruntime makes of them."""

import numpy as np
import pytest

pytest.importorskip("jax")
onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from blox_env.jax.onnx_graph import Graph
from tests.benchmarks.test_yahpo import made_up_model

NAMES = ("x_cat", "x_cont")


def differences(model, rng, columns=34, codes=3, n=200):
    """The largest difference of the outputs, relative where they are large."""
    given = {
        "x_cat": rng.integers(0, codes, (n, columns)).astype(np.int32),
        "x_cont": rng.integers(1, 99, (n, 1)).astype(np.float32),
    }
    wanted = onnxruntime.InferenceSession(model).run(None, given)[0]
    graph = Graph(model, NAMES)
    got = np.asarray(graph(graph.weights, given))
    assert got.shape == wanted.shape
    return (np.abs(got - wanted) / np.maximum(1, np.abs(wanted))).max()


def test_a_made_up_network():
    assert differences(made_up_model(), np.random.default_rng(0)) < 2**-21


def test_the_real_network(reference):
    model = (reference / "yahpo-nb301" / "model_v2.onnx").read_bytes()
    assert differences(model, np.random.default_rng(1)) < 2**-18  # of seconds, too


def test_an_operation_that_is_not_known_is_named():
    model = onnx.load_from_string(made_up_model())
    model.graph.node[-1].op_type = "Tan"
    with pytest.raises(ValueError, match=r"Sigmoid.*got Tan"):
        Graph(model.SerializeToString(), NAMES)
