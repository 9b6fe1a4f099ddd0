"""A plan of an architecture's drawing as plain data: boxes, arrows and texts on a page.

:func:`layout` asks the space, which knows how its architectures are drawn; :func:`chain` is the way
of spaces without a drawing of their own. Stages and slots count from 1, options from 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeGuard

from blox_env.ground.typing import IntArray

WIDTH, HEIGHT = 960, 400  # units of a layout: pixels of a picture of the default size
EMPTY = "…"
INK, GREY = "#1f2328", "#5b6470"


@dataclass(frozen=True)
class Shown:
    """An architecture to be drawn, and what is known of it."""

    row: IntArray  # options chosen so far (slots,); what stands beyond `filled` is not read
    filled: int  # number of slots that are chosen; the others are empty
    val_acc: float | None = None  # a fraction
    source: str | None = None  # "trained", "surrogate" or "imported"
    latency_ms: float | None = None
    device: str | None = None
    latency_target_ms: float | None = None
    reward: float | None = None
    partial: str = ""  # words for a slot that is half chosen, such as "conv, mbconv, …"


class Node(NamedTuple):
    """A box around ``(x, y)``; the frame of a stage is one, too."""

    name: str
    x: float
    y: float
    width: float
    height: float
    text: str
    kind: str
    size: float = 18.0  # of the text, which runs upwards in a narrow box


class Edge(NamedTuple):
    """An arrow between two nodes along straight lines, whose corners are drawn as curves."""

    start: str
    end: str
    path: tuple[tuple[float, float], ...]


class Label(NamedTuple):
    """Text beside the nodes, at most ``room`` wide; ``x`` is where it is aligned to."""

    x: float
    y: float
    text: str
    size: float
    room: float
    align: str = "center"
    colour: str = GREY
    bold: bool = False


class Layout(NamedTuple):
    """A drawing of ``WIDTH`` by ``HEIGHT`` units, y upwards."""

    nodes: Sequence[Node]
    edges: Sequence[Edge]
    frames: Sequence[Node]
    labels: Sequence[Label]


def route(a: Node, b: Node, left: float = 0.0) -> Edge:
    """An edge: straight where it can be, else with right angles; ``left`` is the stage's border.

    Args:
        a: the node that it leaves.
        b: the node that it reaches.
        left: border of the stage that it is in.
    """
    start, end = (a.x + a.width / 2, a.y), (b.x - b.width / 2, b.y)
    corners: list[tuple[float, float]] = []
    if a.x == b.x:
        start, end = (a.x, a.y - a.height / 2), (b.x, b.y + b.height / 2)
    elif a.y != b.y and b.kind == "sum":  # from above or from below
        corners, end = [(b.x, a.y)], (b.x, b.y + math.copysign(b.height / 2, a.y - b.y))
    elif a.y != b.y:
        turn = left + (20 if a.x < left else 175)
        corners = [(turn, a.y), (turn, b.y)]
    return Edge(a.name, b.name, (start, *corners, end))


def chain(choices: Sequence[int | str], title: Label) -> Layout:
    """Slots in rows, as large as they fit.

    Args:
        choices: the option of each slot, or words where none is chosen yet.
        title: what stands above the drawing.
    """
    width, height, slots = WIDTH - 28.0, 336.0, len(choices)

    def box(rows: int) -> float:
        """Height of a box in so many rows."""
        return min(72.0, 0.4 * height / rows, 0.4 * width / -(-slots // rows))

    # one row while its boxes are large enough, else as large as can be
    rows = max(range(1, slots + 1), key=lambda count: (min(box(count), 44.0), -count))
    columns, tall = -(-slots // rows), box(rows)
    wide, across, down = 1.7 * tall, min(width / columns, 2.6 * tall), min(height / rows, 3 * tall)
    nodes: list[Node] = []
    edges: list[Edge] = []
    labels = [title]
    for slot, choice in enumerate(choices):
        row, column = divmod(slot, columns)
        x = WIDTH / 2 + across * (column - (columns - 1) / 2)
        y = 182 - down * (row - (rows - 1) / 2) - 0.1 * tall
        name, kind = f"slot {slot + 1}", "empty" if isinstance(choice, str) else "option"
        nodes.append(Node(name, x, y, wide, tall, str(choice), kind, 0.4 * tall))
        labels.append(Label(x, y + 0.72 * tall, name, 0.27 * tall, 0.96 * across))
        if slot:
            edge = route(nodes[-2], nodes[-1])
            if not column:  # to the next row, between the two
                (a, b), middle = (edge.path[0], edge.path[-1]), y + 0.2 * tall + down / 2
                out, back = nodes[-2].x + across / 2, x - across / 2
                path = (a, (out, a[1]), (out, middle), (back, middle), (back, y), b)
                edge = edge._replace(path=path)
            edges.append(edge)
    return Layout(nodes, edges, (), labels)


def facts(shown: Shown, accuracy: str) -> list[str]:
    """Known quantities of the architecture, in words.

    Args:
        shown: the architecture and what is known of it.
        accuracy: format of the validation accuracy, such as ``"val_acc {:.4f}"``.
    """
    facts = []
    if is_known(shown.val_acc):
        source = f" ({shown.source})" if shown.source else ""
        facts.append(accuracy.format(shown.val_acc) + source)
    where = f" on {shown.device}" if shown.device else ""
    target = f"target {shown.latency_target_ms:.4g} ms" if is_known(shown.latency_target_ms) else ""
    if is_known(shown.latency_ms):
        brackets = f" ({target})" if target else ""
        facts.append(f"latency {shown.latency_ms:.4g} ms{where}{brackets}")
    elif target:
        facts.append(f"latency {target}{where}")
    if is_known(shown.reward):
        facts.append(f"reward {shown.reward:.4f}")
    return facts


def is_known(value: float | None) -> TypeGuard[float]:
    """Tell a number from None and NaN."""
    return value is not None and not math.isnan(value)
