"""The Blox macro search space: three stages, one of 45 blocks each (Chau et al., NeurIPS 2022)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from blox_env.ground import registry
from blox_env.ground.errors import unknown_name
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.base import GraphLayout, SearchSpace
from blox_env.spaces.blox.counts import block_macs, block_params, frame_macs, frame_params
from blox_env.spaces.blox.memory import block_peaks, ends_peak, reduction_peak

OPERATIONS = ("conv", "mbconv", "bconv")
STAGES = 3


class Block(NamedTuple):
    """One block in canonical form: two operations and the three connection bits."""

    op1: int
    op2: int
    prev: int
    input: int
    skip: int

    @property
    def single(self) -> bool:
        """Whether only one operation is there (stored as ``op2``)."""
        return (self.prev, self.input, self.skip) == (0, 1, 0)

    @property
    def operations(self) -> tuple[int, ...]:
        """The operations in use."""
        return (self.op2,) if self.single else (self.op1, self.op2)

    def __str__(self) -> str:
        """The block as a formula of its input x, such as ``bconv(conv(x)+x)``."""
        one, two = OPERATIONS[self.op1], OPERATIONS[self.op2]
        if self.single:
            return f"{two}(x)"
        parts = [f"{one}(x)"] * self.prev + ["x"] * self.input
        formula = f"{two}({'+'.join(parts)})"
        return f"{formula}+{one}(x)" if self.skip else formula


def _canonical(op1: int, op2: int, prev: int, inp: int, skip: int) -> Block | None:
    """Canonical form of any of the 72 vectors of a stage, None for an invalid one."""
    match (prev, inp, skip):
        case (0, 0, 0):
            return None
        case (0, 0, 1):  # op2 reads nothing: op1 alone
            return Block(0, op1, 0, 1, 0)
        case (0, 1, 0):  # nobody reads op1: op2 alone
            return Block(0, op2, 0, 1, 0)
        case (0, 1, 1):  # in parallel, where order does not matter
            return Block(max(op1, op2), min(op1, op2), 0, 1, 1)
    return Block(op1, op2, prev, inp, skip)


_VECTORS = [tuple(int(i) for i in v) for v in np.ndindex(3, 3, 2, 2, 2)]
BLOCKS: tuple[Block, ...] = tuple(sorted({b for v in _VECTORS if (b := _canonical(*v))}))
# block number of each of the 72 vectors in C order, -1 where invalid
_RANK = np.array([BLOCKS.index(b) if (b := _canonical(*v)) else -1 for v in _VECTORS])
_FLAT = np.array(BLOCKS, dtype=np.int64)
_USES = np.array([[b.operations.count(op) for op in range(3)] for b in BLOCKS], dtype=np.int64)


class BloxSpace(SearchSpace):
    """The 91,125 networks of Blox as rows of three block numbers, each in 0 … 44.

    A block is two operations out of ``conv, mbconv, bconv`` and three bits: ``prev`` (op2 reads
    op1), ``input`` (op2 reads the block's input), ``skip`` (op1 is added to op2's output).
    Of the 72 combinations 9 are invalid and the others name 45 distinct blocks; a block's number is
    its rank among them in order of (op1, op2, prev, input, skip), after a single operation is
    written as ``[[0], [op, 0, 1, 0]]`` and a parallel pair with op1 ≥ op2.

    Source: Chau et al., *Blox: Macro Neural Architecture Search Benchmark and Algorithms*, 2022.
    """

    blocks = BLOCKS

    def __init__(self) -> None:
        super().__init__((len(BLOCKS),) * STAGES, name="blox")

    def __repr__(self) -> str:
        """The class alone: a Blox space has no parameters."""
        return "BloxSpace()"

    # -- upstream's notation ---------------------------------------------------------------

    def from_arch_vec(self, nested: Sequence[Any]) -> IntArray:
        """Row ``(3,)`` of upstream's nested ``[[[op1], [op2, prev, input, skip]], …]``.

        Every alias of an architecture gives the same row.

        Raises:
            ValueError: says which stage is wrong and why.
        """
        if not isinstance(nested, Sequence | np.ndarray) or len(nested) != STAGES:
            raise ValueError(f"expected an arch_vec of {STAGES} stages, got {nested!r}")
        flat: list[Any] = []
        for stage, pair in enumerate(nested):
            try:
                (op1,), (op2, prev, inp, skip) = pair
            except (TypeError, ValueError):
                raise ValueError(
                    f"stage {stage}: expected [[op1], [op2, prev, input, skip]], got {pair!r}"
                ) from None
            flat += [op1, op2, prev, inp, skip]
        if not all(isinstance(v, int | np.integer) and not isinstance(v, bool) for v in flat):
            raise ValueError(f"expected whole numbers in the arch_vec, got {nested!r}")
        row: IntArray = self.from_flat(np.array([flat], dtype=np.int64))[0]
        return row

    def to_arch_vec(self, row: ArrayLike) -> list[list[list[int]]]:
        """Upstream's nested form of one architecture ``(3,)``, canonical."""
        stages = self.to_flat(row)[0].reshape(STAGES, 5).tolist()
        return [[[stage[0]], stage[1:]] for stage in stages]

    def from_flat(self, flat: ArrayLike) -> IntArray:
        """Rows ``(n, 3)`` of flattened arch_vecs ``(n, 15)``: five integers a stage."""
        values = np.asarray(flat)
        if values.ndim != 2 or values.shape[1] != 5 * STAGES or values.dtype.kind not in "iu":
            raise ValueError(
                f"expected flat arch_vecs as an integer array (n, {5 * STAGES}), "
                f"got {values.dtype} of shape {values.shape}"
            )
        vectors = values.reshape(-1, STAGES, 5)
        high = np.array([2, 2, 1, 1, 1])
        outside = np.any((vectors < 0) | (vectors > high), axis=2)
        inside = np.clip(vectors, 0, high)
        number = np.ravel_multi_index(tuple(np.moveaxis(inside, 2, 0)), (3, 3, 2, 2, 2))
        rows: IntArray = _RANK[number]
        bad = outside | (rows < 0)
        if bad.any():
            row, stage = (int(i) for i in np.argwhere(bad)[0])
            why = (
                "operations must be 0, 1 or 2 and the bits 0 or 1"
                if outside[row, stage]
                else "prev = input = skip = 0, so no operation reaches the output"
            )
            raise ValueError(
                f"architecture {row}, stage {stage}: {why}, got {vectors[row, stage].tolist()}"
            )
        return rows

    def to_flat(self, x: ArrayLike) -> IntArray:
        """Canonical flattened arch_vecs ``(n, 15)`` of rows ``(n, 3)``."""
        rows = self.check(x)
        flat: IntArray = _FLAT[rows].reshape(len(rows), 5 * STAGES)
        return flat

    def model_hash(self, x: ArrayLike) -> list[str]:
        """Upstream's graph-invariant MD5 of every architecture, 32 hex digits each."""
        return [_model_hash(tuple(row)) for row in self.check(x).tolist()]

    def describe(self, row: ArrayLike) -> str:
        """One architecture as a formula a stage."""
        return " | ".join(str(BLOCKS[i]) for i in self.check(row)[0])

    def describe_choices(self, choices: tuple[int, ...]) -> str:
        """The operations of a stage chosen so far."""
        return ", ".join([*(OPERATIONS[op] for op in choices), "…"])

    # -- sizes -----------------------------------------------------------------------------

    def params(
        self, x: ArrayLike, *, width: int = 32, classes: int = 100, in_channels: int = 3
    ) -> IntArray:
        """Number of trainable parameters, int64 ``(n,)``."""
        rows = self.check(x)
        total = np.full(len(rows), frame_params(width, classes, in_channels), dtype=np.int64)
        for stage in range(STAGES):
            total += (_USES @ block_params(width << stage))[rows[:, stage]]
        return total

    def macs(
        self,
        x: ArrayLike,
        *,
        width: int = 32,
        image_size: int = 32,
        classes: int = 100,
        in_channels: int = 3,
    ) -> IntArray:
        """Multiply-adds of all convolutions and the linear layer for one image, int64 ``(n,)``."""
        rows = self.check(x)
        frame = frame_macs(width, image_size, classes, in_channels)
        total = np.full(len(rows), frame, dtype=np.int64)
        for stage in range(STAGES):
            side = -(-image_size // 2**stage)  # a reduction rounds up
            total += (_USES @ block_macs(width << stage, side))[rows[:, stage]]
        return total

    def peak_activation_bytes(
        self,
        x: ArrayLike,
        *,
        width: int = 32,
        image_size: int = 32,
        classes: int = 100,
        in_channels: int = 3,
    ) -> IntArray:
        """Most bytes of fp32 activations alive at once for one image, int64 ``(n,)``.

        :mod:`blox_env.spaces.blox.memory` says in which schedule and what is done in place. Six
        values occur, as the first stage mostly decides.
        """
        rows = self.check(x)
        peak = np.full(
            len(rows), ends_peak(width, image_size, classes, in_channels), dtype=np.int64
        )
        for stage in range(STAGES):
            c, side = width << stage, -(-image_size // 2**stage)
            table = np.maximum(block_peaks(BLOCKS, c, side), reduction_peak(c, side))
            np.maximum(peak, table[rows[:, stage]], out=peak)
        return 4 * peak

    # -- for models and policies -----------------------------------------------------------

    def feature_kinds(self) -> tuple[str, ...]:
        """``onehot`` of blocks, ``ops`` they are made of, ``depth`` of their paths, ``graph``."""
        return ("onehot", "ops", "depth", "graph")

    def features(self, x: ArrayLike, kind: str = "onehot") -> FloatArray:
        """Describe architectures as numbers, ``(n, features)``; ``depth`` ends with its sums."""
        columns = super().features(x, kind)
        if kind != "depth":
            return columns
        total = columns.reshape(len(columns), STAGES, -1).sum(axis=1)
        return np.concatenate([columns, total], axis=1)

    def feature_tables(self, kind: str = "onehot") -> list[FloatArray]:
        """Columns of each stage.

        ``ops``: op1 (none, conv, mbconv, bconv), op2 (three), prev, input, skip. ``depth``: the
        longest and the shortest chain of convolutions without a shortcut from the block's input to
        its output, the number of paths, and how many of each operation there are.
        """
        if kind == "onehot":
            return super().feature_tables(kind)
        if kind == "graph":
            table = np.array([_graph_columns(block) for block in BLOCKS])
            return [table, table, np.hstack([table, np.ones((len(BLOCKS), 1))])]
        if kind == "depth":
            return [
                np.array(
                    [(*_chains(block), *use) for block, use in zip(BLOCKS, _USES, strict=True)]
                )
            ] * 3
        if kind != "ops":
            raise ValueError(unknown_name("kind of features", kind, self.feature_kinds()))
        table = np.zeros((len(BLOCKS), 10))
        for number, block in enumerate(BLOCKS):
            table[number, 0 if block.single else 1 + block.op1] = 1
            table[number, 4 + block.op2] = 1
            table[number, 7:] = block.prev, block.input, block.skip
        return [table] * STAGES

    def graph(self) -> GraphLayout:
        """Input, per stage op1, op2 and the reduction, and output: eleven nodes, most in use."""
        nodes, size = 2 + 3 * STAGES, (2 + 3 * STAGES) ** 2
        blank = np.zeros(size + nodes)
        blank[size], blank[-1] = 1, 2
        columns = []
        for stage in range(STAGES):
            place = {name: 3 * stage + i for i, name in enumerate(("in", "op1", "op2", "out"))}
            edges = [place[a] * nodes + place[b] for a, b in _EDGES]
            labels = [size + place[name] for name in ("op1", "op2", "out")]
            # the last reduction feeds the output
            end = [place["out"] * nodes + nodes - 1] if stage == STAGES - 1 else []
            columns.append(np.array(edges + labels + end))
        labels_of = ("absent", "input", "output", *OPERATIONS, "reduction")
        return GraphLayout(nodes, labels_of, tuple(columns), blank)

    # -- choosing a block in parts ---------------------------------------------------------

    def operation_tables(self) -> list[IntArray]:
        """A block as op1, op2 and connection (``4·prev + 2·input + skip``): ``(3, 3, 8)`` a stage.

        Different choices may make the same block; connection 0 makes none.
        """
        return [_RANK.reshape(3, 3, 8)] * STAGES

    def operation_values(self) -> list[IntArray]:
        """op1, op2 and connection of every block in canonical form: ``(45, 3)`` a stage."""
        return [np.column_stack([_FLAT[:, :2], _FLAT[:, 2:] @ (4, 2, 1)])] * STAGES

    def partial_tables(self, kind: str) -> list[list[FloatArray]]:
        """Features of a stage with op1 only, ``(3, columns)``, and with both, ``(9, columns)``."""
        last = {"ops": 10, "graph": len(_EDGES) + 3}
        if kind not in last:
            raise ValueError(unknown_name("kind of features", kind, last))
        # columns of op1 and op2: one-hot, or the label of their node
        one, two = (np.eye(3, last[kind], k) for k in (1, 4))
        if kind == "graph":
            one, two = np.zeros((2, 3, last[kind]))
            one[:, len(_EDGES)] = two[:, len(_EDGES) + 1] = 3 + np.arange(3)
        both = (one[:, None] + two[None]).reshape(9, -1)
        tables = [[one, both] for _ in range(STAGES)]
        if kind == "graph":
            tables[-1] = [np.hstack([table, np.zeros((len(table), 1))]) for table in tables[-1]]
        return tables

    def build_network(self, row: ArrayLike, **kwargs: Any) -> Any:
        """The network of one architecture; see :class:`blox_env.networks.blox.BloxNetwork`."""
        return registry.resolve("network", self.name)(self.check(row)[0], **kwargs)


def _chains(block: Block) -> tuple[float, float, float]:
    """Longest and shortest chain without a shortcut, and number of paths, of one block."""
    # conv is four convolutions in a row; the others add every branch to its input
    one, two = (4.0 if op == 0 else 0.0 for op in (block.op1, block.op2))
    if block.single:
        return two, two, 1.0
    paths = [one + two] * block.prev + [two] * block.input + [one] * block.skip
    return max(paths), min(paths), float(len(paths))


def stage_edges(block: Block) -> list[tuple[str, str]]:
    """Edges of a block between ``in``, ``op1``, ``op2`` and ``out``; unused nodes do not occur."""
    if block.single:
        return [("in", "op2"), ("op2", "out")]
    edges = [("in", "op1"), ("op2", "out")]
    if block.prev:
        edges.append(("op1", "op2"))
    if block.input:
        edges.append(("in", "op2"))
    if block.skip:
        edges.append(("op1", "out"))
    return edges


_EDGES = (("in", "op1"), ("in", "op2"), ("op1", "op2"), ("op1", "out"), ("op2", "out"))


def _graph_columns(block: Block) -> list[int]:
    """Which of the possible edges a block has, then the labels of op1, op2 and the reduction."""
    present = stage_edges(block)
    one = 0 if block.single else 3 + block.op1
    return [int(edge in present) for edge in _EDGES] + [one, 3 + block.op2, 6]


@lru_cache(maxsize=4096)
def _model_hash(row: tuple[int, ...]) -> str:
    labels: list[int] = [-1]
    edges: list[tuple[int, int]] = []
    source = 0
    for stage, number in enumerate(row):
        block = BLOCKS[number]
        nodes = {"in": source}
        for name, op in (("op1", block.op1), ("op2", block.op2)):
            if name == "op2" or not block.single:
                nodes[name] = len(labels)
                labels.append(op + 4 * stage)
        source = nodes["out"] = len(labels)  # the reduction
        labels.append(3 + 4 * stage)
        edges += [(nodes[a], nodes[b]) for a, b in stage_edges(block)]
    edges.append((source, len(labels)))
    labels.append(-2)

    inward: list[list[int]] = [[] for _ in labels]
    outward: list[list[int]] = [[] for _ in labels]
    for a, b in edges:
        outward[a].append(b)
        inward[b].append(a)
    hashes = [
        _md5(str((float(len(outward[v])), float(len(inward[v])), label)))
        for v, label in enumerate(labels)
    ]
    for _ in labels:
        hashes = [
            _md5(
                "".join(sorted(hashes[u] for u in inward[v]))
                + "|"
                + "".join(sorted(hashes[u] for u in outward[v]))
                + "|"
                + hashes[v]
            )
            for v in range(len(labels))
        ]
    return _md5(str(sorted(hashes)))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def operation_counts(x: IntArray) -> IntArray:
    """How often each stage uses each operation: ``(n, 3) -> (n, 9)``, stage by stage."""
    counts: IntArray = _USES[x].reshape(len(x), 3 * STAGES)
    return counts
