"""Numbers that describe Blox architectures: for models and policies."""

from __future__ import annotations

import numpy as np

from blox_env.ground.errors import unknown_name
from blox_env.ground.typing import FloatArray
from blox_env.spaces.base import GraphLayout
from blox_env.spaces.blox.blocks import BLOCKS, OPERATIONS, STAGES, USES, Block, stage_edges

KINDS = ("onehot", "ops", "counts", "depth", "path", "graph")
_REDUCTION, _JOIN = 6, 7  # labels of nodes
_EDGES = (("in", "op1"), ("in", "op2"), ("op1", "op2"), ("op1", "out"), ("op2", "out"))


def tables(kind: str, depth: int = 1) -> list[FloatArray]:
    """The columns of each block, ``(45, columns)``.

    Args:
        kind: ``onehot``; ``ops``: op1 (none, conv, mbconv, bconv), op2 (three), prev, input, skip;
            ``counts``: how many of each operation; ``depth``: the longest and the shortest chain of
            convolutions without a shortcut from the block's input to its output, the number of
            paths, and the counts; ``path``: whether a sequence of one operation or of two, as
            ``conv`` or ``conv mbconv``, leads from the block's input to its output (White et al.,
            *BANANAS*, AAAI 2021; the 45 blocks have 36 sets); ``graph``: edges and node labels
            as :func:`layout` has them.
        depth: blocks of a stage.

    Raises:
        ValueError: for another kind.
    """
    slots = STAGES * depth
    if kind == "onehot":
        return [np.eye(len(BLOCKS))] * slots
    if kind == "counts":
        return [USES.astype(float)] * slots
    if kind == "graph":
        table = np.array([_graph_columns(block) for block in BLOCKS])
        inside = table.copy()
        inside[:, -1] = _JOIN
        found = [table if _reduces(slot, depth) else inside for slot in range(slots)]
        found[-1] = np.hstack([table, np.ones((len(BLOCKS), 1))])
        return found
    if kind == "depth":
        rows = [(*_chains(block), *use) for block, use in zip(BLOCKS, USES, strict=True)]
        return [np.array(rows)] * slots
    if kind == "path":
        return [np.array([_paths(block) for block in BLOCKS])] * slots
    if kind != "ops":
        raise ValueError(unknown_name("kind of features", kind, KINDS))
    table = np.zeros((len(BLOCKS), 10))
    for number, block in enumerate(BLOCKS):
        table[number, 0 if block.single else 1 + block.op1] = 1
        table[number, 4 + block.op2] = 1
        table[number, 7:] = block.prev, block.input, block.skip
    return [table] * slots


def layout(depth: int = 1) -> GraphLayout:
    """Input, per block op1, op2 and what follows, and output; most of the nodes in use.

    After the last block of a stage follows its reduction, after the others a node that joins what
    leaves the block.

    Args:
        depth: blocks of a stage.
    """
    slots = STAGES * depth
    nodes = 2 + 3 * slots
    size = nodes**2
    blank = np.zeros(size + nodes)
    blank[size], blank[-1] = 1, 2
    columns = []
    for slot in range(slots):
        place = {name: 3 * slot + i for i, name in enumerate(("in", "op1", "op2", "out"))}
        edges = [place[a] * nodes + place[b] for a, b in _EDGES]
        labels = [size + place[name] for name in ("op1", "op2", "out")]
        # the last reduction feeds the output
        end = [place["out"] * nodes + nodes - 1] if slot == slots - 1 else []
        columns.append(np.array(edges + labels + end))
    joined = ("join",) if depth > 1 else ()
    labels_of = ("absent", "input", "output", *OPERATIONS, "reduction", *joined)
    return GraphLayout(nodes, labels_of, tuple(columns), blank)


def _reduces(slot: int, depth: int) -> bool:
    """Tell the last block of a stage, which a reduction follows."""
    return slot % depth == depth - 1


def partial_tables(kind: str, depth: int = 1) -> list[list[FloatArray]]:
    """Features of a block with op1 only, ``(3, columns)``, and with both, ``(9, columns)``.

    Args:
        kind: ``ops`` or ``graph``.
        depth: blocks of a stage.
    """
    last = {"ops": 10, "graph": len(_EDGES) + 3}
    if kind not in last:
        raise ValueError(unknown_name("kind of features", kind, last))
    # columns of op1 and op2: one-hot, or the label of their node
    one, two = (np.eye(3, last[kind], k) for k in (1, 4))
    if kind == "graph":
        one, two = np.zeros((2, 3, last[kind]))
        one[:, len(_EDGES)] = two[:, len(_EDGES) + 1] = 3 + np.arange(3)
    both = (one[:, None] + two[None]).reshape(9, -1)
    tables = [[one, both] for _ in range(STAGES * depth)]
    if kind == "graph":
        tables[-1] = [np.hstack([table, np.zeros((len(table), 1))]) for table in tables[-1]]
    return tables


def _chains(block: Block) -> tuple[float, float, float]:
    """Longest and shortest chain without a shortcut, and number of paths, of one block."""
    # conv is four convolutions in a row; the others add every branch to its input
    one, two = (4.0 if op == 0 else 0.0 for op in (block.op1, block.op2))
    if block.single:
        return two, two, 1.0
    paths = [one + two] * block.prev + [two] * block.input + [one] * block.skip
    return max(paths), min(paths), float(len(paths))


def _paths(block: Block) -> FloatArray:
    """Paths of one operation, then of two: which of them a block has."""
    alone, both = np.zeros(3), np.zeros((3, 3))
    alone[[op for op, there in ((block.op2, block.input), (block.op1, block.skip)) if there]] = 1
    both[block.op1, block.op2] = block.prev
    return np.concatenate([alone, both.ravel()])


def _graph_columns(block: Block) -> list[int]:
    """The possible edges a block has, then the labels of op1, op2 and the reduction."""
    present = stage_edges(block)
    one = 0 if block.single else 3 + block.op1
    return [int(edge in present) for edge in _EDGES] + [one, 3 + block.op2, _REDUCTION]
