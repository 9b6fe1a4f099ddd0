import numpy as np
import pytest

from blox_env.spaces.darts.layout import cells
from blox_env.spaces.darts.space import DartsSpace
from blox_env.spaces.layout import EMPTY, HEIGHT, WIDTH, Label

TITLE = Label(0, 0, "title", 10, 100)
ROWS = DartsSpace().sample(np.random.default_rng(0), 20).tolist()


@pytest.mark.parametrize("row", ROWS)
def test_every_node_has_its_two_edges(row):
    plan = cells(row, TITLE)
    assert len(plan.nodes) == 12
    assert len(plan.edges) == 16
    names = {node.name for node in plan.nodes}
    assert {edge.start for edge in plan.edges} <= names
    for node in plan.nodes:
        assert sum(edge.end == node.name for edge in plan.edges) == 2 * (node.kind == "option")
        assert 0 < node.x - node.width / 2 < node.x + node.width / 2 < WIDTH
        assert 0 < node.y - node.height / 2 < node.y + node.height / 2 < HEIGHT


@pytest.mark.parametrize("row", ROWS)
def test_no_edge_crosses_a_node(row):
    plan = cells(row, TITLE)
    for edge in plan.edges:
        (x0, y), (x1, _), (_, y1) = edge.path
        for node in plan.nodes:
            left, right = node.x - node.width / 2, node.x + node.width / 2
            low, high = node.y - node.height / 2, node.y + node.height / 2
            assert not (low < y < high and left < x1 and right > x0 + 1e-9)  # on its way right
            assert not (left < x1 < right and low < y and high > y1 + 1e-9)  # on its way down


def test_open_nodes_have_no_edges():
    plan = cells([3, EMPTY, "inputs 1, sep3, …", *[EMPTY] * 5], TITLE)
    assert len(plan.edges) == 2
    assert [node.kind for node in plan.nodes].count("empty") == 7
