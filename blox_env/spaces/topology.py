"""The topology space of NATS-Bench, once NAS-Bench-201: cells of six edges (Dong et al., 2021)."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from blox_env.ground.errors import RowError, unknown_name
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.base import GraphLayout, SearchSpace

EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))  # in the order of upstream's text
OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
_LAST = 3  # the cell's output, sum of three edges
_WAYS = ((3,), (0, 4), (1, 5), (0, 2, 5))  # edges on the ways from input to output
_TEXT = re.compile(
    r"\+".join(
        "".join(rf"\|([^|~+]*)~{a}" for a, b in EDGES if b == node) + r"\|"
        for node in range(1, _LAST + 1)
    )
)
_EXAMPLE = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|none~1|nor_conv_1x1~2|"


class NatsTopologySpace(SearchSpace):
    """The 15,625 cells of NATS-Bench's topology space as rows of six operations, each in 0 … 4.

    A cell has the nodes 0 … 3 and an edge from every node to every later one; a node is the sum of
    what its edges bring. 0 is none, 1 skip_connect, 2 nor_conv_1x1, 3 nor_conv_3x3, 4
    avg_pool_3x3; the edges come as in upstream's text ``|op~0|+|op~0|op~1|+|op~0|op~1|op~2|``.
    Different cells may compute the same, as in the releases: 6,466 of them differ.

    Source: Dong et al., *NATS-Bench: Benchmarking NAS Algorithms for Architecture Topology and
    Size*, TPAMI 2021; Dong and Yang, *NAS-Bench-201*, ICLR 2020.
    """

    slot_name = "edge"
    edges = EDGES
    operations = OPERATIONS

    def __init__(self) -> None:
        super().__init__((len(OPERATIONS),) * len(EDGES), name="nats-topology")

    def __repr__(self) -> str:
        """The class alone: the space has no parameters."""
        return "NatsTopologySpace()"

    def from_strings(self, texts: Sequence[str]) -> IntArray:
        """Rows ``(n, 6)`` of upstream's texts.

        Raises:
            RowError: a ValueError for the first that is none, with the closest operation.
        """
        rows = np.empty((len(texts), len(EDGES)), dtype=np.int64)
        for row, text in enumerate(texts):
            found = _TEXT.fullmatch(text.strip()) if isinstance(text, str) else None
            if found is None:
                raise RowError(row, f"expected a cell such as {_EXAMPLE}, got {text!r:.100}")
            for edge, name in enumerate(found.groups()):
                if name not in OPERATIONS:
                    raise RowError(row, f"{unknown_name('operation', name, OPERATIONS)}")
                rows[row, edge] = OPERATIONS.index(name)
        return rows

    def to_strings(self, x: ArrayLike) -> list[str]:
        """Upstream's texts of architectures ``(n, 6)``."""
        texts = []
        for row in self.check(x).tolist():
            cell = [f"{OPERATIONS[op]}~{a}" for op, (a, _) in zip(row, EDGES, strict=True)]
            nodes = (cell[:1], cell[1:3], cell[3:])
            texts.append("+".join(f"|{'|'.join(node)}|" for node in nodes))
        return texts

    def own_row(self, text: str) -> IntArray | None:
        """The row of upstream's text; None for option indices."""
        if "~" not in text and "|" not in text:
            return None
        row: IntArray = self.from_strings([text])[0]
        return row

    def describe(self, row: ArrayLike) -> str:
        """Upstream's text of one architecture."""
        return self.to_strings(row)[0]

    def describe_option(self, slot: int, option: int) -> str:
        """The operation and the nodes that it joins."""
        a, b = EDGES[slot]
        return f"{OPERATIONS[option]} {a}→{b}"

    def identify(self, row: ArrayLike) -> dict[str, object]:
        """Upstream's ``arch_str``."""
        return {"arch_str": self.describe(row)}

    def feature_kinds(self) -> tuple[str, ...]:
        """``onehot`` of operations, ``path`` from input to output, ``graph``."""
        return ("onehot", "path", "graph")

    def features(self, x: ArrayLike, kind: str = "onehot") -> FloatArray:
        """Describe cells as numbers, ``(n, features)``.

        Args:
            x: architectures ``(n, 6)``.
            kind: ``"onehot"`` and ``"graph"`` as in every space; ``"path"``: whether a sequence of
                one, two or three operations leads from input to output, ``(n, 4 + 16 + 64)``
                (White et al., *BANANAS*, AAAI 2021). ``none`` leads nowhere.
        """
        if kind != "path":
            return super().features(x, kind)
        rows, base = self.check(x), len(OPERATIONS) - 1
        found = {length: np.zeros((len(rows), base**length)) for length in (1, 2, 3)}
        for way in _WAYS:
            taken = rows[:, way]
            there = np.flatnonzero((taken > 0).all(axis=1))
            number = (taken[there] - 1) @ base ** np.arange(len(way))[::-1]
            found[len(way)][there, number] = 1
        return np.concatenate(list(found.values()), axis=1)

    def feature_tables(self, kind: str = "onehot") -> list[FloatArray]:
        """Columns of each edge: one-hot, or label and edges of its node in the ``graph``."""
        if kind != "graph":
            return super().feature_tables(kind)
        tables = []
        for columns in self.graph().columns:
            table = np.ones((len(OPERATIONS), len(columns)))
            table[:, -1] = 3 + np.arange(len(OPERATIONS))
            tables.append(table)
        return tables

    def graph(self) -> GraphLayout:
        """Input, a node for each edge's operation, output; what brings a node feeds its edges."""
        nodes = len(EDGES) + 2
        blank = np.zeros(nodes * nodes + nodes)
        blank[-nodes], blank[-1] = 1, 2
        columns = []
        for slot, (a, b) in enumerate(EDGES):
            into = [0] if a == 0 else [s + 1 for s, edge in enumerate(EDGES) if edge[1] == a]
            own = [start * nodes + slot + 1 for start in into]
            own += [(slot + 1) * nodes + nodes - 1] if b == _LAST else []
            columns.append(np.array([*own, nodes * nodes + slot + 1]))
        labels = ("absent", "input", "output", *OPERATIONS)
        return GraphLayout(nodes, labels, tuple(columns), blank)
