"""DARTS cells in other people's notations: genotypes, and NAS-Bench-301's configurations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from reprlib import repr as shortened
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.errors import unknown_name
from blox_env.ground.typing import IntArray
from blox_env.spaces.darts.cells import (
    CELLS,
    FIRST_EDGE,
    INPUTS,
    NODES,
    OPERATIONS,
    OPTIONS,
    PAIRS,
    SLOTS,
)

PREFIX = "NetworkSelectorDatasetInfo:darts:"
_CONCAT = tuple(range(INPUTS, INPUTS + NODES))


class Genotype(NamedTuple):
    """Both cells as DARTS writes them: of each node two pairs of operation and input."""

    normal: list[tuple[str, int]]
    normal_concat: list[int]
    reduce: list[tuple[str, int]]
    reduce_concat: list[int]


def genotype(row: Sequence[int]) -> Genotype:
    """The genotype of an architecture ``(8,)``, inputs in rising order."""
    cells = []
    for first in (0, NODES):
        edges: list[tuple[str, int]] = []
        for node in range(NODES):
            a, b, op_a, op_b = OPTIONS[node][row[first + node]].tolist()
            edges += [(OPERATIONS[op_a], a), (OPERATIONS[op_b], b)]
        cells.append(edges)
    return Genotype(cells[0], list(_CONCAT), cells[1], list(_CONCAT))


def row_of_genotype(given: Any) -> IntArray:
    """The row ``(8,)`` of a genotype: a named tuple or a mapping of ``normal`` and ``reduce``.

    Raises:
        ValueError: says which node is wrong and what was expected.
    """
    row = np.empty(SLOTS, dtype=np.int64)
    for number, cell in enumerate(CELLS):
        edges = given.get(cell) if isinstance(given, Mapping) else getattr(given, cell, None)
        if not isinstance(edges, list | tuple) or len(edges) != 2 * NODES:
            raise ValueError(
                f"{cell}: expected {2 * NODES} pairs of operation and input, got {shortened(edges)}"
            )
        for node in range(NODES):
            where = f"{cell}, node {node + INPUTS}"
            row[number * NODES + node] = _option(where, node, edges[2 * node : 2 * node + 2])
    return row


def _option(where: str, node: int, edges: Sequence[Any]) -> int:
    found: dict[int, int] = {}
    for edge in edges:
        if not isinstance(edge, list | tuple) or len(edge) != 2:
            raise ValueError(f"{where}: expected (operation, input), got {shortened(edge)}")
        operation, source = edge
        if operation not in OPERATIONS:
            raise ValueError(f"{where}: {unknown_name('operation', operation, OPERATIONS)}")
        if type(source) is not int or not 0 <= source < INPUTS + node:
            raise ValueError(
                f"{where}: expected an input in 0 … {INPUTS + node - 1}, got {shortened(source)}"
            )
        found[source] = OPERATIONS.index(operation)
    if len(found) != 2:
        raise ValueError(f"{where}: expected two different inputs, got {shortened(edges)}")
    (a, op_a), (b, op_b) = sorted(found.items())
    return (PAIRS[node].index((a, b)) * len(OPERATIONS) + op_a) * len(OPERATIONS) + op_b


def configuration(row: Sequence[int]) -> dict[str, str]:
    """NAS-Bench-301's configuration of an architecture ``(8,)``: what is active in it."""
    made: dict[str, str] = {}
    for number, cell in enumerate(CELLS):
        for node in range(NODES):
            a, b, op_a, op_b = OPTIONS[node][row[number * NODES + node]].tolist()
            if node:  # the first node has no choice of inputs
                made[f"{PREFIX}inputs_node_{cell}_{node + INPUTS}"] = f"{a}_{b}"
            for source, op in ((a, op_a), (b, op_b)):
                made[f"{PREFIX}edge_{cell}_{FIRST_EDGE[node] + source}"] = OPERATIONS[op]
    return made


def row_of_configuration(given: Mapping[str, Any]) -> IntArray:
    """The row ``(8,)`` of a configuration of NAS-Bench-301; other settings in it are left alone.

    Raises:
        ValueError: says which setting is missing or wrong.
    """
    cells: dict[str, list[tuple[Any, int]]] = {}
    for cell in CELLS:
        edges = cells[cell] = []
        for node in range(NODES):
            inputs = PAIRS[0][0]
            if node:
                key = f"{PREFIX}inputs_node_{cell}_{node + INPUTS}"
                known = {f"{a}_{b}": (a, b) for a, b in PAIRS[node]}
                if given.get(key) not in known:
                    got = shortened(given.get(key))
                    raise ValueError(f"{key}: expected one of {', '.join(known)}, got {got}")
                inputs = known[given[key]]
            for source in inputs:
                key = f"{PREFIX}edge_{cell}_{FIRST_EDGE[node] + source}"
                if given.get(key) not in OPERATIONS:
                    got = shortened(given.get(key))
                    raise ValueError(f"{key}: expected one of {', '.join(OPERATIONS)}, got {got}")
                edges.append((given[key], source))
    return row_of_genotype(cells)


def setting_table(settings: Mapping[str, Any]) -> list[NDArray[np.int32]]:
    """Codes of NAS-Bench-301's settings by option, slot by slot: int32 ``(options, settings)``.

    A row of an architecture is the sum of the rows of its options; what is inactive stays 0.

    Args:
        settings: of each setting, in the order of the columns, the code of each of its values;
            its name as in :func:`configuration`, with ``_COLON_`` for colons.

    Raises:
        ValueError: names the first setting or value that is missing or has a code that is none.
    """
    if not isinstance(settings, Mapping):
        raise ValueError(f"expected settings by name, got {shortened(settings)}")
    columns = {name.replace("_COLON_", ":"): i for i, name in enumerate(settings)}
    codes = dict(zip(columns, settings.values(), strict=True))
    tables = []
    for cell in CELLS:
        for node in range(NODES):
            table = np.zeros((len(OPTIONS[node]), len(columns)), dtype=np.int32)
            for option, (a, b, op_a, op_b) in enumerate(OPTIONS[node].tolist()):
                values = {
                    f"edge_{cell}_{FIRST_EDGE[node] + a}": OPERATIONS[op_a],
                    f"edge_{cell}_{FIRST_EDGE[node] + b}": OPERATIONS[op_b],
                }
                if node:
                    values[f"inputs_node_{cell}_{INPUTS + node}"] = f"{a}_{b}"
                for key, value in values.items():
                    name = PREFIX + key
                    known = codes.get(name)
                    code = known.get(value) if isinstance(known, Mapping) else None
                    if type(code) is not int or not 0 < code < 2**15:
                        raise ValueError(
                            f"{name}: expected a code above 0 of {value}, got {shortened(code)}"
                        )
                    table[option, columns[name]] = code
            tables.append(table)
    return tables
