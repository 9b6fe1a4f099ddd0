"""Cells of DARTS: four nodes, each the sum of two operations on two different earlier nodes.

Node 0 and 1 are the outputs of the two cells before, nodes 2 … 5 are made within the cell, and its
output is all of those side by side. Source: Liu, Simonyan & Yang, *DARTS: Differentiable
Architecture Search*, ICLR 2019; without the operation "none", as in Zela et al. (NAS-Bench-301),
*Surrogate NAS Benchmarks*, ICLR 2022.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np

from blox_env.ground.typing import IntArray

CELLS = ("normal", "reduce")
INPUTS = 2  # outputs of earlier cells
NODES = 4  # made within a cell
OPERATIONS = (
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
SHORT = ("max", "avg", "skip", "sep3", "sep5", "dil3", "dil5")  # the same in drawings
SLOTS = len(CELLS) * NODES


def pairs(node: int) -> list[tuple[int, int]]:
    """The different inputs that a node can have, in rising order.

    Args:
        node: counted from 0 among those made within a cell.
    """
    return list(combinations(range(INPUTS + node), 2))


def option_table(node: int, operations: int = len(OPERATIONS)) -> IntArray:
    """The options of a node, ``(options, 4)``: two inputs, and the operations on them.

    Args:
        node: counted from 0.
        operations: number of operations.
    """
    ops = np.indices((operations, operations)).reshape(2, -1).T
    inputs = np.array(pairs(node))
    return np.hstack([np.repeat(inputs, len(ops), axis=0), np.tile(ops, (len(inputs), 1))])


def cell_count(nodes: int = NODES, operations: int = len(OPERATIONS)) -> int:
    """Number of distinct cells, exact.

    The order of a node's two inputs makes no difference; cells that differ in the names of their
    nodes count as different, as in NAS-Bench-301.

    Args:
        nodes: made within the cell.
        operations: number of operations.
    """
    return math.prod(math.comb(INPUTS + node, 2) * operations**2 for node in range(nodes))


# of each node its options, and the number of the option of (pair, operation, operation)
OPTIONS = tuple(option_table(node) for node in range(NODES))
PAIRS = tuple(pairs(node) for node in range(NODES))
FIRST_EDGE = tuple(sum(INPUTS + n for n in range(node)) for node in range(NODES))
"""Edges of a cell are counted node by node, by their input: node 0 has edges 0 and 1."""
