"""An architecture as a small SVG whose colours are those of the page.

What stands where comes from :func:`blox_env.spaces.drawing.layout`; the classes are coloured by
``templates/report.css``.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

import numpy as np

from blox_env.spaces.base import SearchSpace
from blox_env.spaces.drawing import HEIGHT, WIDTH, Edge, Label, Node, Shown, layout

_LETTER = 0.58  # width of a letter in units of its size, roughly
_HEAD = 9.0  # length of an arrow's head
_TITLE = 360.0  # labels above this height are the title, which the page says in words


def architecture_svg(space: SearchSpace, row: Sequence[int]) -> str:
    """The drawing of an architecture ``(slots,)``, described for a screen reader.

    Args:
        space: what the architecture is from.
        row: its options, ``(slots,)``.
    """
    options = np.asarray(row)
    plan = layout(space, Shown(options, len(options)))
    labels = [label for label in plan.labels if label.y < _TITLE and label.text.strip()]
    parts = [_box(frame, "frame") for frame in plan.frames]
    parts += [_arrow(edge) for edge in plan.edges]
    for node in plan.nodes:
        parts.append(_box(node, "box"))
        parts += _words(node)
    parts += [_text(label) for label in labels]
    low, high = _span(plan.frames, plan.nodes, labels)
    view = f"0 {_n(HEIGHT - high - 4)} {WIDTH} {_n(high - low + 8)}"
    text = html.escape(f"Drawing of {space.describe(options)}")
    return (
        f'<svg class="architecture" viewBox="{view}" role="img" aria-label="{text}">'
        f"{''.join(parts)}</svg>"
    )


def _box(node: Node, what: str) -> str:
    """A box, a trapezium for a reduction, a circled plus for a sum."""
    name = f"{what} n-{''.join(c if c.isalnum() else '-' for c in node.kind)}"
    x, y, w, h = node.x, HEIGHT - node.y, node.width / 2, node.height / 2
    if node.kind == "sum":
        arm = 0.5 * w
        plus = f"M{_n(x - arm)} {_n(y)}h{_n(2 * arm)}M{_n(x)} {_n(y - arm)}v{_n(2 * arm)}"
        circle = f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(w)}"/>'
        return f'<g class="{name}">{circle}<path d="{plus}"/></g>'
    if node.kind == "reduction":
        corners = [(x - w, y - h), (x + w, y - 0.8 * h), (x + w, y + 0.8 * h), (x - w, y + h)]
        points = " ".join(f"{_n(a)},{_n(b)}" for a, b in corners)
        return f'<polygon class="{name}" points="{points}"/>'
    return (
        f'<rect class="{name}" x="{_n(x - w)}" y="{_n(y - h)}" width="{_n(2 * w)}" '
        f'height="{_n(2 * h)}" rx="{_n(min(7, w / 2))}"/>'
    )


def _arrow(edge: Edge) -> str:
    """The line of an edge and its head."""
    path = [np.array([x, HEIGHT - y]) for x, y in edge.path]
    along = path[-1] - path[-2]
    along = _HEAD * along / np.hypot(*along)
    side = 0.5 * np.array([-along[1], along[0]])
    line = "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in [*path[:-1], path[-1] - along])
    head = [path[-1], path[-1] - along + side, path[-1] - along - side]
    tip = "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in head) + "z"
    return f'<path class="edge" d="{line}"/><path class="tip" d="{tip}"/>'


def _words(node: Node) -> list[str]:
    """The text in a node, upwards where that is narrow."""
    if node.kind == "sum":
        return []
    turned = node.height > 2 * node.width
    room = 0.92 * (node.height if turned else node.width)
    lines = node.text.split("\n")
    if not node.text.strip():
        return []
    found = []
    for number, line in enumerate(lines):
        off = 1.25 * node.size * (number - (len(lines) - 1) / 2)
        label = Label(node.x, node.y - (0 if turned else off), line, node.size, room)
        found.append(_text(label, f"t-{node.kind.replace(' ', '-')}", turned))
    return found


def _text(label: Label, name: str = "label", turned: bool = False) -> str:
    x, y = _n(label.x), _n(HEIGHT - label.y)
    anchor = {"left": "start", "center": "middle", "right": "end"}[label.align]
    width = _LETTER * label.size * len(label.text)
    fit = f' textLength="{_n(label.room)}" lengthAdjust="spacingAndGlyphs"'
    return (
        f'<text class="{name}" x="{x}" y="{y}" font-size="{_n(label.size)}" '
        f'text-anchor="{anchor}" dominant-baseline="central"'
        + (f' transform="rotate(-90 {x} {y})"' if turned else "")
        + (fit if width > label.room else "")
        + (' font-weight="bold"' if label.bold else "")
        + f">{html.escape(label.text)}</text>"
    )


def _span(
    frames: Iterable[Node], nodes: Iterable[Node], labels: Iterable[Label]
) -> tuple[float, float]:
    """Lowest and highest point of a drawing."""
    boxes = [*frames, *nodes]
    ends = [y for box in boxes for y in (box.y - box.height / 2, box.y + box.height / 2)]
    ends += [y for label in labels for y in (label.y - label.size, label.y + label.size)]
    return min(ends), max(ends)


def _n(value: float) -> str:
    """A number with at most one digit after the point."""
    return f"{value:.1f}".removesuffix(".0")
