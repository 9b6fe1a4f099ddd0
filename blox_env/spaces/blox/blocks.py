"""The 45 blocks of Blox, their canonical form and the vectors that name them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

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
        """True for a block of one operation (stored as ``op2``)."""
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


def canonical(op1: int, op2: int, prev: int, inp: int, skip: int) -> Block | None:
    """Canonical form of one of the 72 vectors of a stage.

    Args:
        op1: number of the first operation.
        op2: number of the second operation.
        prev: 1 if op2 reads op1's output.
        inp: 1 if op2 reads the block's input.
        skip: 1 if op1's output is added to op2's.

    Returns:
        The block, None for a vector in which nothing reaches the output.
    """
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


VECTORS = [tuple(int(i) for i in v) for v in np.ndindex(3, 3, 2, 2, 2)]
BLOCKS: tuple[Block, ...] = tuple(sorted({b for v in VECTORS if (b := canonical(*v))}))
# block number of each of the 72 vectors in C order, -1 where invalid
RANK = np.array([BLOCKS.index(b) if (b := canonical(*v)) else -1 for v in VECTORS])
FLAT = np.array(BLOCKS, dtype=np.int64)
USES = np.array([[b.operations.count(op) for op in range(3)] for b in BLOCKS], dtype=np.int64)


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
