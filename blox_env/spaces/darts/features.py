"""Numbers that describe DARTS cells: for models and policies."""

from __future__ import annotations

import numpy as np

from blox_env.ground.errors import unknown_name
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.base import GraphLayout
from blox_env.spaces.darts.cells import CELLS, INPUTS, NODES, OPERATIONS, OPTIONS, PAIRS

KINDS = ("onehot", "ops", "path", "graph")
LONGEST = 3  # operations of a path that `path` still tells apart
_OPS = len(OPERATIONS)
_CELL = INPUTS + 3 * NODES + 1  # nodes of a cell's graph: inputs, per node two operations and a sum
_SUM = 3 + _OPS  # label of a sum


def tables(kind: str) -> list[FloatArray]:
    """The columns of each slot, ``(options, columns)``.

    Args:
        kind: ``onehot``; ``ops``: for each earlier node whether it is an input, and by which
            operation; ``graph``: edges and labels as :func:`layout` has them.

    Raises:
        ValueError: for another kind.
    """
    if kind == "onehot":
        return [np.eye(len(options)) for options in OPTIONS] * len(CELLS)
    if kind == "ops":
        return [_by_input(node, OPTIONS[node], 2) for node in range(NODES)] * len(CELLS)
    if kind == "graph":
        return [_links(node, OPTIONS[node], 2) for node in range(NODES)] * len(CELLS)
    raise ValueError(unknown_name("kind of features", kind, KINDS))


def partial_tables(kind: str) -> list[list[FloatArray]]:
    """Features of a node with its inputs only, and with its first operation as well."""
    if kind not in ("ops", "graph"):
        raise ValueError(unknown_name("kind of features", kind, ("ops", "graph")))
    columns = _by_input if kind == "ops" else _links
    found = []
    for node in range(NODES):
        inputs = np.array(PAIRS[node])
        none = np.zeros((len(inputs), 2), dtype=np.int64)
        one = OPTIONS[node][::_OPS]  # the second operation is 0, and not looked at
        found.append([columns(node, np.hstack([inputs, none]), 0), columns(node, one, 1)])
    return found * len(CELLS)


def _by_input(node: int, options: IntArray, known: int) -> FloatArray:
    """Of each earlier node: whether it is an input, then its operation one-hot."""
    table = np.zeros((len(options), INPUTS + node, 1 + _OPS))
    row = np.arange(len(options))
    for place in range(2):
        table[row, options[:, place], 0] = 1
        if place < known:
            table[row, options[:, place], 1 + options[:, 2 + place]] = 1
    return table.reshape(len(options), -1)


def _links(node: int, options: IntArray, known: int) -> FloatArray:
    """Edges from earlier nodes to both operations, the fixed ones, and labels."""
    row, sources = np.arange(len(options)), INPUTS + node
    into = np.zeros((len(options), 2, sources))
    labels = np.zeros((len(options), 3))
    for place in range(2):
        into[row, place, options[:, place]] = 1
        if place < known:
            labels[:, place] = 3 + options[:, 2 + place]
    labels[:, 2] = _SUM
    fixed = np.ones((len(options), 3))
    return np.hstack([into.reshape(len(options), -1), fixed, labels])


def layout() -> GraphLayout:
    """Both cells side by side: inputs, per node two operations and a sum, output."""
    nodes = len(CELLS) * _CELL
    square = nodes * nodes
    blank = np.zeros(square + nodes)
    columns = []
    for cell in range(len(CELLS)):
        start = cell * _CELL
        blank[square + start : square + start + INPUTS] = 1
        output = start + _CELL - 1
        blank[square + output] = 2
        for node in range(NODES):
            first = start + INPUTS + 3 * node
            sources = [start + i for i in range(INPUTS)]
            sources += [start + INPUTS + 3 * i + 2 for i in range(node)]
            edges = [a * nodes + first + place for place in range(2) for a in sources]
            edges += [first * nodes + first + 2, (first + 1) * nodes + first + 2]
            edges += [(first + 2) * nodes + output]
            columns.append(np.array([*edges, *(square + first + i for i in range(3))]))
    labels = ("absent", "input", "output", *OPERATIONS, "sum")
    return GraphLayout(nodes, labels, tuple(columns), blank)


def paths(rows: IntArray) -> FloatArray:
    """Paths from an input of a cell to its nodes, ``(n, 2 · (14 + 98 + 686))`` zeros and ones.

    A path is its input and the operations on it in order, as in BANANAS (White, Neiswanger &
    Savani, AAAI 2021); those of more than three operations are left out.

    Args:
        rows: architectures ``(n, 8)``.
    """
    cells = [_paths_of_cell(rows[:, start : start + NODES]) for start in (0, NODES)]
    return np.concatenate(cells, axis=1)


def _paths_of_cell(rows: IntArray) -> FloatArray:
    n, each = len(rows), np.arange(len(rows))
    # of each length the paths that end at a node: (n, inputs and nodes, paths)
    ending = [
        np.zeros((n, INPUTS + NODES, INPUTS * _OPS**k), dtype=bool) for k in range(LONGEST + 1)
    ]
    for number in range(INPUTS):
        ending[0][:, number, number] = True
    for node in range(NODES):
        chosen = OPTIONS[node][rows[:, node]]
        for place in range(2):
            source, op = chosen[:, place], chosen[:, 2 + place]
            for length in range(LONGEST):
                longer = ending[length + 1].reshape(n, INPUTS + NODES, INPUTS * _OPS**length, _OPS)
                longer[each, INPUTS + node, :, op] |= ending[length][each, source]
    whole = [found[:, INPUTS:].any(axis=1) for found in ending[1:]]
    return np.concatenate(whole, axis=1).astype(np.float64)
