"""The drawing of DARTS cells: a frame a cell, nodes on a staircase, edges from above."""

from __future__ import annotations

from collections.abc import Sequence

from blox_env.spaces.darts.cells import CELLS, INPUTS, NODES, OPTIONS, SHORT
from blox_env.spaces.layout import GREY, INK, Edge, Label, Layout, Node

_WIDE, _TALL = 96.0, 32.0  # of a node
_TITLES = ("normal cell", "reduction cell")


def cells(choices: Sequence[int | str], title: Label) -> Layout:
    """Both cells side by side; a node says which operation meets which of its edges.

    Args:
        choices: the option of each node, or words where none is chosen yet.
        title: what stands above the drawing.
    """
    nodes: list[Node] = []
    edges: list[Edge] = []
    frames: list[Node] = []
    labels = [title]
    for number, cell in enumerate(CELLS):
        left = 14.0 + 470 * number
        own = choices[number * NODES : (number + 1) * NODES]
        frames.append(Node(cell, left + 231, 182, 462, 336, "", "stage"))
        labels.append(Label(left + 448, 330, _TITLES[number], 16, 200, "right", INK, True))
        placed = [_input(cell, source, left) for source in range(INPUTS)]
        for node, choice in enumerate(own):
            x, y = left + 118 + 94 * node, _height(INPUTS + node)
            name = f"{cell}.{INPUTS + node}"
            if isinstance(choice, str):
                placed.append(Node(name, x, y, _WIDE, _TALL, choice[:11], "empty", 13))
                continue
            a, b, op_a, op_b = OPTIONS[node][choice].tolist()
            text = f"{SHORT[op_a]} + {SHORT[op_b]}"
            made = Node(name, x, y, _WIDE, _TALL, text, "option", 14)
            edges += [_down(placed[a], made, -22.0), _down(placed[b], made, 22.0)]
            placed.append(made)
        nodes += placed
        labels.append(
            Label(left + 14, 30, "output: nodes 2 to 5 side by side", 12, 240, "left", GREY)
        )
    return Layout(nodes, edges, frames, labels)


def _height(row: int) -> float:
    """Middle of a row of the staircase."""
    return 312.0 - 51 * row


def _input(cell: str, source: int, left: float) -> Node:
    """One of the outputs of the cells before."""
    return Node(f"{cell}.{source}", left + 34, _height(source), 40, _TALL, str(source), "input", 14)


def _down(source: Node, target: Node, aside: float) -> Edge:
    """An edge to the right, then down onto the target."""
    x = target.x + aside
    start = (source.x + source.width / 2, source.y)
    return Edge(source.name, target.name, (start, (x, source.y), (x, target.y + _TALL / 2)))
