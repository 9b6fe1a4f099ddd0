"""YAHPO Gym's network without the work that changes nothing: embeddings by slot, gates by halves.

The network looks each of its 34 settings up in a table of its own, joins what it finds, and cuts
the result of every gate in two. Here the tables are put together by the slots of an architecture,
and each gate is two products: the same numbers, to the last bit, in less time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.pieces import Pieces
from blox_env.ground.typing import IntArray

CATEGORIES, NUMBERS = "x_cat", "x_cont"
_PRODUCT = "Gemm"


@dataclass(frozen=True, eq=False)
class Trimmed:
    """A network that begins where the embeddings are joined.

    Attributes:
        model: its bytes.
        start: name of its input, ``(n, width)`` float32, whose last columns are those of the epoch.
        inputs: what the slots' options have in the columns before them.
        slots: slot of each piece of that.
        epochs: bytes of the network's part from epoch to its columns.
    """

    model: bytes
    start: str
    inputs: Pieces
    slots: IntArray
    epochs: bytes

    def joined(self, rows: IntArray, epoch: NDArray[np.float32]) -> NDArray[np.float32]:
        """The input of the network for architectures.

        Args:
            rows: ``(n, slots)``.
            epoch: what the network makes of the epoch, ``(columns,)``.
        """
        whole: NDArray[np.float32] = self.inputs.rows(rows[:, self.slots])
        whole[:, self.inputs.width - len(epoch) :] = epoch
        return whole


def trim(model: bytes, settings: Sequence[NDArray[np.int32]]) -> Trimmed | None:
    """The trimmed network; None for one of another form, or without the package ``onnx``.

    Args:
        model: bytes in ONNX's form.
        settings: of each slot, what its options set, ``(options, settings)``; they are added up.
    """
    try:
        import onnx
    except ImportError:
        return None
    whole = onnx.load_model_from_string(model)
    parts = _Parts(whole.graph)
    join = next((n for n in whole.graph.node if n.op_type == "Concat"), None)
    if join is None or parts.inputs() != [CATEGORIES, NUMBERS]:
        return None
    embeddings = [parts.embedding(name) for name in join.input[:-1]]
    found = _by_slot(embeddings, settings)
    after = parts.needed([whole.graph.output[0].name], stop={join.output[0]})
    if found is None or not {CATEGORIES, NUMBERS}.isdisjoint(parts.read_by(after)):
        return None
    end, start = join.input[-1], join.output[0]
    one = onnx.helper.make_tensor_value_info(end, onnx.TensorProto.FLOAT, ["n", 1])
    inputs, slots = found
    shape: list[str | int | None] = ["n", inputs.width]
    first = onnx.helper.make_tensor_value_info(start, onnx.TensorProto.FLOAT, shape)
    numbers = [i for i in whole.graph.input if i.name == NUMBERS]
    epochs = parts.cut(whole, parts.needed([end], stop=set()), numbers, [one])
    model = parts.cut(whole, parts.halved(after), [first], list(whole.graph.output))
    return Trimmed(model, start, inputs, slots, epochs)


def _by_slot(
    embeddings: Sequence[tuple[int, NDArray[np.float32]] | None],
    settings: Sequence[NDArray[np.int32]],
) -> tuple[Pieces, IntArray] | None:
    """Runs of embedded columns with the slot that decides each; one more column for the epoch."""
    owners = np.array([part.any(axis=0) for part in settings])
    if (owners.sum(axis=0) > 1).any() or any(each is None for each in embeddings):
        return None
    known = [each for each in embeddings if each is not None]
    fixed = np.concatenate([table[0] for _, table in known])
    tables: list[NDArray[np.float32]] = []
    starts: list[int] = []
    slots: list[int] = []
    for slot, (part, own) in enumerate(zip(settings, owners, strict=True)):
        place = 0
        for setting, table in known:
            if own[setting]:
                values = table[part[:, setting]]
                if slots and slots[-1] == slot and starts[-1] + tables[-1].shape[1] == place:
                    tables[-1] = np.concatenate([tables[-1], values], axis=1)
                else:
                    tables.append(values)
                    starts.append(place)
                    slots.append(slot)
            place += table.shape[1]
    base = np.append(fixed, np.float32(0))
    return Pieces(tables, starts, len(base), base), np.array(slots)


class _Parts:
    """Nodes of a graph by what they make and need."""

    def __init__(self, graph: Any) -> None:
        from onnx import numpy_helper

        self._graph = graph
        self._maker = {name: node for node in graph.node for name in node.output}
        self._users: dict[str, list[Any]] = {}
        for node in graph.node:
            for name in node.input:
                self._users.setdefault(name, []).append(node)
        self._values = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
        for node in graph.node:
            if node.op_type == "Constant":
                self._values[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)

    def inputs(self) -> list[str]:
        return [each.name for each in self._graph.input]

    def embedding(self, name: str) -> tuple[int, NDArray[np.float32]] | None:
        """Setting and table behind a joined part; None where it is something else."""
        outer = self._maker.get(name)
        if outer is None or outer.op_type != "Gather":
            return None
        inner = self._maker.get(outer.input[1])
        if inner is None or inner.op_type != "Gather":
            return None
        table, column = self._values.get(outer.input[0]), self._values.get(inner.input[1])
        if inner.input[0] != CATEGORIES or table is None or column is None or column.size != 1:
            return None
        return int(column.reshape(-1)[0]), np.asarray(table, dtype=np.float32)

    def needed(self, names: list[str], stop: set[str]) -> list[Any]:
        """Nodes that these names need, in the graph's order."""
        wanted, todo = set(), list(names)
        while todo:
            node = self._maker.get(todo.pop())
            if node is None or id(node) in wanted or stop.intersection(node.output):
                continue
            wanted.add(id(node))
            todo += list(node.input)
        return [node for node in self._graph.node if id(node) in wanted]

    def read_by(self, nodes: list[Any]) -> set[str]:
        return {name for node in nodes for name in node.input}

    def halved(self, nodes: list[Any]) -> list[Any]:
        """The same with two products where the halves of one go different ways."""
        from onnx import helper, numpy_helper

        made: list[Any] = []
        gone: set[str] = set()
        for node in nodes:
            users = self._users.get(node.output[0], [])
            cuts = [user for user in users if user.op_type == "Slice"]
            weight = self._values.get(node.input[1]) if len(node.input) == 3 else None
            if node.op_type != _PRODUCT or len(cuts) != 2 or weight is None or len(weight) % 2:
                made.append(node)
                continue
            bias, half = self._values[node.input[2]], len(weight) // 2
            for part, cut in enumerate(cuts):
                names = [f"{name}.{part}" for name in node.input[1:]]
                for name, value in zip(names, (weight, bias), strict=True):
                    own = np.ascontiguousarray(value[part * half : (part + 1) * half])
                    self._graph.initializer.append(numpy_helper.from_array(own, name))
                made.append(
                    helper.make_node(_PRODUCT, [node.input[0], *names], cut.output, transB=1)
                )
                gone.add(cut.output[0])
        return [
            node for node in made if node.op_type == _PRODUCT or not gone.intersection(node.output)
        ]

    def cut(self, whole: Any, nodes: list[Any], inputs: list[Any], outputs: list[Any]) -> bytes:
        """A model of some nodes alone."""
        from onnx import helper

        maker = {name: node for node in nodes for name in node.output}
        wanted, todo = set(), [each.name for each in outputs]
        while todo:  # what is left over is not taken along
            node = maker.get(todo.pop())
            if node is not None and id(node) not in wanted:
                wanted.add(id(node))
                todo += list(node.input)
        kept = [node for node in nodes if id(node) in wanted]
        names = {name for node in kept for name in node.input}
        values = [each for each in self._graph.initializer if each.name in names]
        graph = helper.make_graph(kept, "trimmed", inputs, outputs, values)
        made = helper.make_model(graph, opset_imports=whole.opset_import)
        made.ir_version = whole.ir_version
        return bytes(made.SerializeToString())
