from itertools import product

import numpy as np
import pytest

from blox_env.spaces.darts.cells import (
    FIRST_EDGE,
    NODES,
    OPTIONS,
    cell_count,
    option_table,
    pairs,
)


@pytest.mark.parametrize(("nodes", "operations"), [(1, 2), (2, 2), (2, 3), (3, 2)])
def test_count_equals_that_of_canonical_forms(nodes, operations):
    # every way to write a cell: of each node two ordered inputs with an operation each
    ways = [
        [
            ((a, op_a), (b, op_b))
            for a, b in product(range(2 + node), repeat=2)
            for op_a, op_b in product(range(operations), repeat=2)
            if a != b
        ]
        for node in range(nodes)
    ]
    distinct = {tuple(frozenset(node) for node in cell) for cell in product(*ways)}
    assert cell_count(nodes, operations) == len(distinct)
    assert cell_count(nodes, operations) == np.prod(
        [len(option_table(node, operations)) for node in range(nodes)]
    )


def test_options_are_distinct_and_in_order():
    assert [len(options) for options in OPTIONS] == [49, 147, 294, 490]
    for node, options in enumerate(OPTIONS):
        assert len(np.unique(options, axis=0)) == len(options)
        assert (options[:, 0] < options[:, 1]).all()
        assert options[:, 1].max() == 1 + node
        assert {tuple(pair) for pair in options[:, :2].tolist()} == set(pairs(node))


def test_edges_are_numbered_as_in_nas_bench_301():
    assert FIRST_EDGE == (0, 2, 5, 9)
    assert len(OPTIONS) == NODES
