"""The space of DARTS and NAS-Bench-301: two cells, 1.08 · 10^18 architectures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from blox_env.ground import registry
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.base import GraphLayout, SearchSpace
from blox_env.spaces.darts import counts, features, layout, notation
from blox_env.spaces.darts.cells import CELLS, NODES, OPERATIONS, OPTIONS, PAIRS, SHORT
from blox_env.spaces.layout import Label, Layout
from blox_env.spaces.slotwise import Slotwise


class DartsSpace(SearchSpace):
    """Pairs of cells as rows of eight options: four nodes of the normal, four of the other cell.

    An option of a node is a pair of different inputs and an operation on each: 49, 147, 294 and 490
    of them. The order of the two inputs makes no difference, so that every row is a different pair
    of cells: 1,037,664,180 squared, about 1.08 · 10^18. Cells that differ only in the names of
    their nodes count as different.

    Source: Liu, Simonyan & Yang, *DARTS*, ICLR 2019; Zela et al., *Surrogate NAS Benchmarks*
    (NAS-Bench-301), ICLR 2022.
    """

    operations = OPERATIONS
    slot_name = "node"
    sizes = ("params", "macs")
    network_defaults = MappingProxyType({"width": 32, "layers": 8, "classes": 10, "in_channels": 3})

    def __init__(self) -> None:
        super().__init__(tuple(map(len, OPTIONS)) * len(CELLS), name="darts")

    def __repr__(self) -> str:
        """The class alone: the space has no parameters."""
        return "DartsSpace()"

    # -- notations -------------------------------------------------------------------------

    def from_genotype(self, genotype: Any) -> IntArray:
        """Row ``(8,)`` of a genotype: a named tuple or a mapping with ``normal`` and ``reduce``.

        Each is a list of eight ``(operation, input)``, two a node in any order.

        Raises:
            ValueError: says which node is wrong and what was expected.
        """
        return notation.row_of_genotype(genotype)

    def to_genotype(self, row: ArrayLike) -> notation.Genotype:
        """The genotype of one architecture ``(8,)``, inputs of a node in rising order."""
        return notation.genotype(self.check(row)[0].tolist())

    def from_configuration(self, configuration: Mapping[str, Any]) -> IntArray:
        """Row ``(8,)`` of a configuration of NAS-Bench-301, with or without its other settings.

        Raises:
            ValueError: says which setting is missing or wrong.
        """
        return notation.row_of_configuration(configuration)

    def to_configuration(self, row: ArrayLike) -> dict[str, str]:
        """NAS-Bench-301's configuration of one architecture ``(8,)``: what is active in it."""
        return notation.configuration(self.check(row)[0].tolist())

    def describe(self, row: ArrayLike) -> str:
        """One architecture as its two cells, each node a sum of operations on earlier nodes."""
        options = self.check(row)[0].tolist()
        cells = []
        for number, cell in enumerate(CELLS):
            own = options[number * NODES : (number + 1) * NODES]
            nodes = (self.describe_option(node, option) for node, option in enumerate(own))
            cells.append(f"{cell}: {', '.join(nodes)}")
        return " | ".join(cells)

    def describe_option(self, slot: int, option: int) -> str:
        """A node such as ``sep3(0) + skip(1)``; 0 and 1 are the cells before, 2 the first node."""
        a, b, op_a, op_b = OPTIONS[slot % NODES][option].tolist()
        return f"{SHORT[op_a]}({a}) + {SHORT[op_b]}({b})"

    def describe_choices(self, choices: tuple[int, ...]) -> str:
        """The number of the pair of inputs, and the first operation."""
        words = [f"inputs {choices[0]}", *(SHORT[op] for op in choices[1:])]
        return ", ".join([*words, "…"])

    def identify(self, row: ArrayLike) -> dict[str, object]:
        """The genotype, and NAS-Bench-301's configuration."""
        return {
            "genotype": self.to_genotype(row)._asdict(),
            "nasbench301": self.to_configuration(row),
        }

    def lay_out(self, choices: Sequence[int | str], title: Label) -> Layout:
        """The plan of a drawing: both cells, their nodes from left to right."""
        return layout.cells(choices, title)

    # -- sizes -----------------------------------------------------------------------------

    def size_of(self, name: str, x: ArrayLike, **network: int) -> IntArray:
        """Parameters, or multiply-adds of convolutions and the linear layer, int64 ``(n,)``.

        Args:
            name: ``"params"`` or ``"macs"``.
            x: architectures ``(n, 8)``.
            network: ``width`` (32), ``layers`` (8), ``classes`` (10), ``in_channels`` (3) and
                ``image_size`` (32).

        Raises:
            ValueError: for another name.
        """
        parts = self.slotwise(name, **network)
        return super().size_of(name, x, **network) if parts is None else parts.of(self.check(x))

    def slotwise(self, name: str, **network: int) -> Slotwise | None:
        """A size as a sum over nodes: what a node costs depends on nothing else.

        Args:
            name: as of :meth:`size_of`.
            network: as of :meth:`size_of`.
        """
        if name not in self.sizes:
            return None
        set_to = {**self.network_defaults, "image_size": 32, **network}
        layers, width, side = set_to["layers"], set_to["width"], set_to["image_size"]
        ends = set_to["classes"], set_to["in_channels"]
        if name == "params":
            frame = counts.frame_params(layers, width, *ends)
        else:
            frame = counts.frame_macs(layers, width, side, *ends)
        return Slotwise(frame, tuple(counts.tables(name, layers, width, side)))

    # -- for models and policies -----------------------------------------------------------

    def feature_kinds(self) -> tuple[str, ...]:
        """``onehot`` of options, ``ops`` by input, ``path`` from the inputs, ``graph``."""
        return features.KINDS

    def features(self, x: ArrayLike, kind: str = "onehot") -> FloatArray:
        """Describe architectures as numbers, ``(n, features)``; see :mod:`.features`."""
        return features.paths(self.check(x)) if kind == "path" else super().features(x, kind)

    def feature_tables(self, kind: str = "onehot") -> list[FloatArray]:
        """Columns of each node; ``path`` has none, as a path goes through several nodes."""
        return features.tables(kind)

    def graph(self) -> GraphLayout:
        """Both cells side by side, 15 nodes each; see :func:`.features.layout`."""
        return features.layout()

    # -- choosing a node in parts ----------------------------------------------------------

    def operation_tables(self) -> list[IntArray]:
        """A node as its pair of inputs and two operations: ``(pairs, 7, 7)`` a slot."""
        shapes = [(len(pairs), len(OPERATIONS), len(OPERATIONS)) for pairs in PAIRS]
        return [np.arange(np.prod(shape)).reshape(shape) for shape in shapes] * len(CELLS)

    def operation_values(self) -> list[IntArray]:
        """Pair of inputs and operations of every option: ``(options, 3)`` a slot."""
        tables = self.operation_tables()
        return [np.indices(table.shape).reshape(3, -1).T for table in tables]

    def partial_tables(self, kind: str) -> list[list[FloatArray]]:
        """Features of a node with its inputs only, and with its first operation as well."""
        return features.partial_tables(kind)

    def build_network(self, row: ArrayLike, **kwargs: Any) -> Any:
        """The network of one architecture; see :class:`blox_env.networks.darts.DartsNetwork`."""
        return registry.resolve("network", self.name)(self.check(row)[0], **kwargs)
