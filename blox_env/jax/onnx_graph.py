"""A small network in ONNX's form as a program: the file's own operations, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from blox_env.ground.extras import extra

with extra("jax", "blox_env.jax"):
    import jax
    import jax.numpy as jnp

Array = Any
Operation = Callable[..., Any]


def _gemm(library: Any, a: Array, b: Array, c: Array = 0.0, **given: Any) -> Array:
    a = a.T if given.get("transA") else a
    b = b.T if given.get("transB") else b
    return given.get("alpha", 1.0) * (a @ b) + given.get("beta", 1.0) * c


def _normal(
    library: Any, x: Array, scale: Array, bias: Array, mean: Array, var: Array, **given: Any
) -> Array:
    factor = scale / library.sqrt(var + np.float32(given.get("epsilon", 1e-5)))
    return (x - mean) * factor + bias


def _divide(library: Any, a: Array, b: Array) -> Array:
    whole = np.issubdtype(np.asarray(a).dtype if library is np else a.dtype, np.integer)
    return a // b if whole else a / b


def _slice(library: Any, x: Array, *bounds: Array) -> Array:
    start, end, axes = (np.asarray(each).ravel().tolist() for each in bounds[:3])
    place: list[Any] = [slice(None)] * x.ndim
    for axis, first, last in zip(axes, start, end, strict=True):
        place[axis] = slice(first, last)
    return x[tuple(place)]


def _gather(library: Any, x: Array, index: Array, axis: int = 0) -> Array:
    return library.take(x, index, axis=axis)


def _cast(library: Any, x: Array, to: int) -> Array:
    from onnx.helper import tensor_dtype_to_np_dtype

    return library.asarray(x).astype(tensor_dtype_to_np_dtype(to))


def _sigmoid(library: Any, x: Array) -> Array:
    return 1 / (1 + library.exp(-x))


OPERATIONS: dict[str, Operation] = {
    "Add": lambda library, a, b: a + b,
    "BatchNormalization": _normal,
    "Cast": _cast,
    "Concat": lambda library, *parts, axis: library.concatenate(parts, axis=axis),
    "Constant": lambda library, value: value,
    "Div": _divide,
    "Exp": lambda library, x: library.exp(x),
    "Gather": _gather,
    "Gemm": _gemm,
    "MatMul": lambda library, a, b: a @ b,
    "Max": lambda library, a, b: library.maximum(a, b),
    "Min": lambda library, a, b: library.minimum(a, b),
    "Mul": lambda library, a, b: a * b,
    "Relu": lambda library, x: library.maximum(x, 0),
    "Shape": lambda library, x: np.array(x.shape),
    "Sigmoid": _sigmoid,
    "Slice": _slice,
    "Sub": lambda library, a, b: a - b,
    "Unsqueeze": lambda library, x, axes: library.expand_dims(x, tuple(np.ravel(axes).tolist())),
}


class Graph:
    """The graph of a model of dense layers and embeddings.

    Args:
        model: the bytes of the file.
        inputs: names of its inputs.

    Raises:
        ValueError: for operations that are not in :data:`OPERATIONS`.

    Attributes:
        weights: by name.
    """

    def __init__(self, model: bytes, inputs: Sequence[str]) -> None:
        with extra("devices", "a network in a compiled environment"):
            import onnx
            from onnx import numpy_helper
        graph = onnx.load_from_string(model).graph
        self.weights = {
            each.name: jnp.asarray(numpy_helper.to_array(each)) for each in graph.initializer
        }
        self._nodes = []
        for node in graph.node:
            if node.op_type not in OPERATIONS:
                raise ValueError(
                    f"a compiled environment needs a network of {', '.join(OPERATIONS)}, got "
                    f"{node.op_type}"
                )
            given = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
            given = {
                name: numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value
                for name, value in given.items()
                if name != "momentum"
            }
            self._nodes.append((node.op_type, tuple(node.input), node.output[0], given))
        self._inputs, self._output = tuple(inputs), graph.output[0].name

    def __call__(self, weights: Mapping[str, Array], given: Mapping[str, Array]) -> Array:
        """The output for some inputs.

        Args:
            weights: by name.
            given: inputs by name.
        """
        known: dict[str, Any] = {**weights, **{name: given[name] for name in self._inputs}}
        for kind, names, made, facts in self._nodes:
            values = [known[name] for name in names if name]
            # what is known before is worked out before
            traced = any(isinstance(value, jax.Array) for value in values)
            known[made] = OPERATIONS[kind](jnp if traced else np, *values, **facts)
        return known[self._output]
