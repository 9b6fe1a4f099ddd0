import numpy as np
import pytest

from blox_env.spaces.darts.cells import NODES, OPERATIONS, OPTIONS
from blox_env.spaces.darts.features import KINDS, layout, partial_tables, paths, tables
from blox_env.spaces.darts.space import DartsSpace

SPACE = DartsSpace()
ROWS = SPACE.sample(np.random.default_rng(0), 50)


def slow_paths(row):
    """Paths of a cell by walking it: input and operations on the way, up to three."""
    found = set()
    for cell in range(2):
        ending = [{(0,)}, {(1,)}]
        for node in range(NODES):
            a, b, op_a, op_b = OPTIONS[node][row[cell * NODES + node]].tolist()
            own = {(*p, op_a) for p in ending[a]} | {(*p, op_b) for p in ending[b]}
            ending.append(own)
            found |= {(cell, *path) for path in own if len(path) <= 4}
    return found


def test_paths_equal_those_found_by_walking():
    features = paths(ROWS)
    assert features.shape == (50, 2 * (14 + 98 + 686))
    for row, found in zip(ROWS.tolist(), features, strict=True):
        wanted = set()
        for cell, start, *ops in slow_paths(row):
            place = start
            for op in ops:
                place = place * 7 + op
            shorter = sum(2 * 7**k for k in range(1, len(ops)))
            wanted.add(cell * 798 + shorter + place)
        assert set(np.flatnonzero(found).tolist()) == wanted


@pytest.mark.parametrize("kind", KINDS)
def test_features_tell_architectures_apart(kind):
    features = SPACE.features(ROWS, kind)
    assert len(np.unique(features, axis=0)) == 50
    assert features.dtype == np.float64


def test_ops_name_input_and_operation():
    table = tables("ops")[1].reshape(147, 3, 8)
    a, b, op_a, op_b = OPTIONS[1].T
    every = np.arange(147)
    assert (table[every, a, 0] == 1).all()
    assert (table[every, b, 0] == 1).all()
    assert (table[every, a, 1 + op_a] == 1).all()
    assert (table[every, b, 1 + op_b] == 1).all()
    assert (table.sum(axis=(1, 2)) == 4).all()


@pytest.mark.parametrize("kind", ["ops", "graph"])
def test_choices_so_far_are_part_of_what_becomes_of_them(kind):
    for node, (own, pieces) in enumerate(zip(tables(kind), partial_tables(kind), strict=True)):
        inputs, first = pieces
        whole = own.reshape(-1, 7, 7, own.shape[1])
        assert inputs.shape == (len(whole), own.shape[1])
        assert first.shape == (len(whole) * 7, own.shape[1])
        assert (inputs[:, None, None] <= whole).all()
        assert (first.reshape(-1, 7, 1, own.shape[1]) <= whole).all(), node
    with pytest.raises(ValueError, match="onehot"):
        partial_tables("onehot")


def test_graph_is_acyclic_and_whole():
    plan = layout()
    for row in SPACE.features(ROWS, "graph"):
        square = plan.nodes**2
        adjacency, labels = row[:square].reshape(plan.nodes, plan.nodes), row[square:]
        assert (np.tril(adjacency) == 0).all()
        assert (labels > 0).all()
        assert labels.max() < len(plan.labels)
        operations = (labels >= 3) & (labels < 3 + len(OPERATIONS))
        assert operations.sum() == 16
        assert (adjacency.sum(axis=0)[operations] == 1).all()  # one input each
        sums = labels == 3 + len(OPERATIONS)
        assert (adjacency.sum(axis=0)[sums] == 2).all()


def test_unknown_kind():
    with pytest.raises(ValueError, match=r"oneshot.*onehot"):
        SPACE.features(ROWS, "oneshot")
    with pytest.raises(ValueError, match="path"):
        SPACE.feature_tables("path")
