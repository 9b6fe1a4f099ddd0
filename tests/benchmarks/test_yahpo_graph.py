"""The trimmed network gives what the whole one gives, to the last bit."""

import builtins

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import onnx
from onnx import TensorProto, helper, numpy_helper

from blox_env.benchmarks.yahpo import new_session
from blox_env.benchmarks.yahpo_graph import CATEGORIES, NUMBERS, trim
from tests.benchmarks.test_yahpo import made_up_model

SETTINGS = 5
HALF = 6


def made_up(rng, *, other=False):
    """A network of embeddings, an epoch and a gate, in the form of YAHPO Gym's."""
    nodes, joined, values = [], [], []

    def value(name, array, integer=False):
        kind = np.int64 if integer else np.float32
        values.append(numpy_helper.from_array(np.asarray(array, dtype=kind), name))
        return name

    for j in range(SETTINGS):
        value(f"table{j}", rng.normal(size=(4, 2 + j % 2)))
        value(f"place{j}", j, integer=True)
        nodes.append(helper.make_node("Gather", [CATEGORIES, f"place{j}"], [f"own{j}"], axis=1))
        kind = "Gather" if not other or j else "Identity"
        inputs = [f"table{j}", f"own{j}"] if kind == "Gather" else ["table0"]
        nodes.append(helper.make_node(kind, inputs, [f"found{j}"]))
        joined.append(f"found{j}")
    width = sum(2 + j % 2 for j in range(SETTINGS)) + 1
    nodes.append(helper.make_node("Mul", [NUMBERS, value("tenth", [[0.1]])], ["epoch"]))
    nodes.append(helper.make_node("Concat", [*joined, "epoch"], ["joined"], axis=1))
    value("w", rng.normal(size=(2 * HALF, width)))
    value("b", rng.normal(size=2 * HALF))
    nodes.append(helper.make_node("Gemm", ["joined", "w", "b"], ["both"], transB=1))
    bounds = {"zero": [0], "half": [HALF], "whole": [2 * HALF], "axis": [1]}
    for name, number in bounds.items():
        value(name, number, integer=True)
    nodes += [
        helper.make_node("Slice", ["both", "zero", "half", "axis"], ["left"]),
        helper.make_node("Slice", ["both", "half", "whole", "axis"], ["right"]),
        helper.make_node("Relu", ["right"], ["open"]),
        helper.make_node("Mul", ["left", "open"], ["gated"]),
        helper.make_node("Gemm", ["gated", value("v", rng.normal(size=(4, HALF)))], ["output"],
                         transB=1),
    ]  # fmt: skip
    graph = helper.make_graph(
        nodes,
        "made up",
        [
            helper.make_tensor_value_info(CATEGORIES, TensorProto.INT32, ["n", SETTINGS]),
            helper.make_tensor_value_info(NUMBERS, TensorProto.FLOAT, ["n", 1]),
        ],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["n", 4])],
        values,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    if not other:
        onnx.checker.check_model(model)
    return model.SerializeToString()


def settings(rng):
    """Two slots: the first sets settings 0 and 3, the second 1 and 2; nobody sets 4."""
    first, second = (np.zeros((3, SETTINGS), dtype=np.int32) for _ in range(2))
    first[:, [0, 3]], second[:, [1, 2]] = rng.integers(0, 4, (2, 3, 2))
    first[0, 0] = second[0, 1] = 1
    return [first, second]


def test_equal_to_the_last_bit():
    rng = np.random.default_rng(0)
    model, tables = made_up(rng), settings(rng)
    trimmed = trim(model, tables)
    rows = rng.integers(0, 3, (50, 2))
    total = tables[0][rows[:, 0]] + tables[1][rows[:, 1]]
    when = np.full((1, 1), 7, dtype=np.float32)
    wanted = new_session(model).run(
        None, {CATEGORIES: total.astype(np.int32), NUMBERS: when.repeat(50, 0)}
    )[0]
    epoch = new_session(trimmed.epochs).run(None, {NUMBERS: when})[0].ravel()
    given = {trimmed.start: trimmed.joined(rows, epoch)}
    np.testing.assert_array_equal(new_session(trimmed.model).run(None, given)[0], wanted)
    kinds = [node.op_type for node in onnx.load_model_from_string(trimmed.model).graph.node]
    assert kinds.count("Gemm") == 3
    assert not {"Gather", "Slice", "Concat"}.intersection(kinds)


def test_networks_of_another_form_stay_as_they_are():
    rng = np.random.default_rng(1)
    assert trim(made_up_model(), settings(rng)) is None
    assert trim(made_up(rng, other=True), settings(rng)) is None
    shared = settings(rng)
    shared[1][:, 0] = 1  # two slots set one setting: what they set is added up
    assert trim(made_up(rng), shared) is None


def test_without_onnx_the_network_stays_as_it_is(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name == "onnx":
            raise ImportError(name)
        return real(name, *rest)

    rng = np.random.default_rng(2)
    model, tables = made_up(rng), settings(rng)
    monkeypatch.setattr(builtins, "__import__", without)
    assert trim(model, tables) is None
