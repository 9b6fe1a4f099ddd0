"""The drawing of a Blox network: a frame a stage, the same thing always in the same place.

In every stage op1 is above, op2 below, ``prev`` the line between them, ``input`` the line in from
the left, ``skip`` the curve from op1 to the sum on the right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from blox_env.spaces.blox.blocks import BLOCKS, OPERATIONS, stage_edges
from blox_env.spaces.layout import GREY, INK, Label, Layout, Node, route

_AXIS = 190.0  # height of the line that the whole network follows


def stages(choices: Sequence[int | str], title: Label) -> Layout:
    """Input, stem, a frame a stage, classifier; a stage is as wide whatever it holds.

    Args:
        choices: the block of each stage, or words where none is chosen yet.
        title: what stands above the drawing.
    """

    def fixed(name: str, x: float, height: float) -> Node:
        return Node(name, x, _AXIS, 34, height, name, name, 16)

    nodes = [fixed("input", 31, 92), fixed("stem", 81, 92)]
    edges = [route(nodes[0], nodes[1])]
    frames, labels = [], [title]
    for stage, choice in enumerate(choices, 1):
        left = 266.0 * stage - 152
        name, middle, empty = f"stage {stage}", left + 125, isinstance(choice, str)
        frames.append(Node(name, middle, 182, 250, 336, "", "empty stage" if empty else "stage"))
        labels.append(Label(left + 14, 330, name, 16, 110, "left", GREY if empty else INK, True))
        pairs = [("in", "empty"), ("empty", "out")]
        if not isinstance(choice, str):
            pairs = stage_edges(BLOCKS[choice])
            labels.append(Label(left + 236, 330, f"block {choice}", 16, 110, "right"))
            labels.append(Label(middle, 38, str(BLOCKS[choice]), 13, 230))
        inside = {node.name: node for node in _inside(choice, left)}
        inside["out"] = fixed("reduction", left + 220, 128)
        inside = {key: node._replace(name=f"{stage}.{node.name}") for key, node in inside.items()}
        ends = {"in": nodes[-1], **inside}
        for a, b in pairs:  # through the sum before b where there is one
            edges.append(route(ends[a], ends.get(f"{b}+", ends[b]), left))
        edges += [route(ends[f"{b}+"], ends[b], left) for b in ("op2", "out") if f"{b}+" in ends]
        nodes += inside.values()
    nodes.append(fixed("classifier", 929, 128))
    return Layout(nodes, [*edges, route(nodes[-2], nodes[-1])], frames, labels)


def _inside(choice: int | str, left: float) -> Iterator[Node]:
    """Operations in use and the sums before op2 and at the end; or room for them."""
    if isinstance(choice, str):
        lines = choice.split(", ") if len(choice) > 13 else [choice]
        size = min(17.0, 90 / len(lines))
        yield Node("empty", left + 104, _AXIS, 132, 124, ",\n".join(lines), "empty", size)
        return
    block = BLOCKS[choice]
    x, up = left + 92, 0 if block.single else 74
    one, two = OPERATIONS[block.op1], OPERATIONS[block.op2]
    if not block.single:
        yield Node("op1", x, _AXIS + up, 96, 50, one, one)
    yield Node("op2", x, _AXIS - up, 96, 50, two, two)
    if block.prev and block.input:
        yield Node("op2+", x, _AXIS, 24, 24, "+", "sum")
    if block.skip:
        yield Node("out+", left + 175, _AXIS, 24, 24, "+", "sum")
