"""An architecture as text and as a picture, complete or while it is being chosen.

:func:`layout` plans what stands where (:mod:`blox_env.spaces.layout`); :func:`draw` puts that on
matplotlib axes, as shapes alone (letters too), so that it scales to any size and reads no global
setting.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.errors import check_positive_int
from blox_env.ground.extras import extra
from blox_env.ground.typing import FloatArray
from blox_env.spaces.base import SearchSpace
from blox_env.spaces.layout import (
    EMPTY,
    GREY,
    HEIGHT,
    INK,
    WIDTH,
    Edge,
    Label,
    Layout,
    Node,
    Shown,
    facts,
)

__all__ = [
    "HEIGHT",
    "WIDTH",
    "Edge",
    "Label",
    "Layout",
    "Node",
    "Shown",
    "ansi",
    "draw",
    "layout",
    "picture",
]

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINE, _FAINT = "#3b424c", "#a3abb6"
# Fill, border and text of a node. The operations differ in lightness too: they can be told apart
# in grey and with any colour vision.
_STYLES = {
    "conv": ("#cfe7f7", "#2b7fb5", INK),
    "mbconv": ("#f5bd4f", "#a86f00", INK),
    "bconv": ("#0b6e54", "#064534", "#ffffff"),
    "option": ("#cfe7f7", "#2b7fb5", INK),
    "sum": ("#ffffff", _LINE, INK),
    "empty": ("#ffffff", "#8a939f", GREY),
    "stage": ("#f6f7f9", "#c3c9d2", INK),
    "empty stage": ("none", "#c3c9d2", GREY),
}
_FRAMEWORK = ("#e4e7eb", "#7b8490", INK)  # input, stem, reductions, classifier
_FONT = "DejaVu Sans"  # comes with matplotlib
_HEAD, _RADIUS = 8.5, 16.0  # length of an arrow's head, radius of an arrow's curves
_Shape = tuple[FloatArray, list[int]]  # vertices (n, 2) and codes of a path of matplotlib
_Style = tuple[str, str, float, bool]  # fill, line, width of the line, whether it is dashed
_MOVE, _LINE_TO, _CURVE, _CLOSE = 1, 2, 3, 79


def choices(space: SearchSpace, shown: Shown) -> list[int | str]:
    """The option of each slot, words where it is empty.

    Args:
        space: of the architecture.
        shown: the architecture and how much of it is chosen.

    Raises:
        ValueError: for a row or a number of filled slots that does not fit the space.
    """
    row, filled = np.asarray(shown.row), shown.filled
    if row.shape != (space.slots,):
        raise ValueError(f"row must have shape ({space.slots},), got {row.shape}")
    if not 0 <= filled <= space.slots:
        raise ValueError(f"filled must be in 0 … {space.slots}, got {filled}")
    chosen = space.check(np.where(np.arange(space.slots) < filled, row, 0))[0].tolist()
    words = [shown.partial or EMPTY, *[EMPTY] * space.slots]
    return [*chosen[:filled], *words[: space.slots - filled]]


def ansi(space: SearchSpace, shown: Shown) -> str:
    """One line a slot, then one with what is known of the architecture.

    Args:
        space: of the architecture.
        shown: the architecture and what is known of it.
    """
    digits, width = len(str(space.slots)), len(str(max(space.options) - 1))
    lines = []
    for slot, choice in enumerate(choices(space, shown), 1):
        text = choice if isinstance(choice, str) else f"{choice:{width}d}"
        if not isinstance(choice, str) and (words := space.describe_option(slot - 1, choice)):
            text += f"  {words}"
        lines.append(f"{space.slot_name} {slot:{digits}d}  {text}")
    known = facts(shown, "val_acc {:.4f}")
    return "\n".join([*lines, ", ".join(known)] if known else lines)


def layout(space: SearchSpace, shown: Shown) -> Layout:
    """The plan of a drawing, with a title of what is known.

    Args:
        space: of the architecture.
        shown: the architecture and what is known of it.
    """
    chosen = choices(space, shown)
    known = facts(shown, "validation accuracy {:.2%}")
    if shown.filled < space.slots:
        known.insert(0, f"{shown.filled} of {space.slots} {space.slot_name}s chosen")
    title = Label(14, 376, "  ·  ".join(known), 17, WIDTH - 28, "left", INK)
    return space.lay_out(chosen, title)


def draw(space: SearchSpace, shown: Shown, axes: Axes) -> None:
    """Draw on matplotlib axes, which get limits and aspect; lines fit the size they have now.

    Args:
        space: of the architecture.
        shown: the architecture and what is known of it.
        axes: to draw on.
    """
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    axes.set_axis_off()
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(0, HEIGHT)
    axes.set_aspect("equal")
    box = axes.get_window_extent()
    figure: Any = axes.figure
    points = 72 * min(box.width / WIDTH, box.height / HEIGHT) / figure.dpi
    for order, (style, shapes) in enumerate(_shapes(layout(space, shown)).items(), 1):
        fill, line, width, dashed = style
        vertices, codes = (np.concatenate(parts) for parts in zip(*shapes, strict=True))
        patch = PathPatch(
            Path(vertices, codes), facecolor=fill, edgecolor=line, linewidth=width * points,
            fill=fill != "none", linestyle=(0, (4, 3)) if dashed else "-", capstyle="butt",
            joinstyle="round", antialiased=True, zorder=order,
        )  # fmt: skip
        axes.add_artist(patch)


def picture(
    space: SearchSpace, shown: Shown, *, width: int = WIDTH, height: int = HEIGHT
) -> NDArray[np.uint8]:
    """The drawing as pixels, uint8 ``(height, width, 3)``; another shape gets white margins.

    Args:
        space: of the architecture.
        shown: the architecture and what is known of it.
        width: in pixels.
        height: in pixels.
    """
    with extra("experiment", "a picture of an architecture"):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    width, height = check_positive_int("width", width), check_positive_int("height", height)
    dpi = 64  # a power of two, so that sizes in inches are exact
    figure = Figure(figsize=(width / dpi, height / dpi), dpi=dpi, facecolor="#ffffff")
    figure.set_layout_engine("none")
    canvas: Any = FigureCanvasAgg(figure)
    draw(space, shown, figure.add_axes((0, 0, 1, 1)))
    canvas.draw()
    return np.array(np.asarray(canvas.buffer_rgba())[..., :3], dtype=np.uint8)


def _shapes(plan: Layout) -> dict[_Style, list[_Shape]]:
    """All shapes by what they look like, from the back to the front."""
    found: defaultdict[_Style, list[_Shape]] = defaultdict(list)
    for frame in plan.frames:
        fill, border, _ = _STYLES[frame.kind]
        found[fill, border, 1.2, frame.kind == "empty stage"].append(_outline(frame, 10))
    empties = {node.name for node in plan.nodes if node.kind == "empty"}
    for edge in plan.edges:
        colour = _FAINT if empties & {edge.start, edge.end} else _LINE
        stroke, head = _arrow(edge)
        found["none", colour, 1.7, False].append(stroke)
        found[colour, "none", 0, False].append(head)
    texts = [(_text(label), label.colour) for label in plan.labels]
    for node in plan.nodes:
        fill, border, ink = _STYLES.get(node.kind, _FRAMEWORK)
        found[fill, border, 1.5, node.kind == "empty"].append(_outline(node, 7))
        turned = node.height > 2 * node.width
        room = 0.92 * (node.height if turned else node.width)
        lines = node.text.split("\n") if node.kind != "sum" else []
        for number, line in enumerate(lines):
            y = 1.25 * node.size * ((len(lines) - 1) / 2 - number)
            label = Label(0, y, line, node.size, room)
            texts.append((_text(label, node.x, node.y, turned), ink))
    for shape, colour in texts:
        found[colour, "none", 0, False].append(shape)
    return found


def _outline(node: Node, radius: float) -> _Shape:
    """The border of a node: a box with round corners, tapered for a reduction; a circled plus."""
    x, y, w, h = node.x, node.y, node.width / 2, node.height / 2
    if node.kind == "sum":
        angles = np.linspace(0, 2 * np.pi, 65)
        circle = np.array([x, y]) + w * np.column_stack([np.cos(angles), np.sin(angles)])
        plus = np.array([x, y]) + 0.5 * w * np.array([(-1, 0), (1, 0), (0, -1), (0, 1)])
        codes = [_MOVE, *[_LINE_TO] * 63, _CLOSE, _MOVE, _LINE_TO, _MOVE, _LINE_TO]
        return np.concatenate([circle, plus]), codes
    end = 0.8 * h if node.kind == "reduction" else h
    corners = [(x - w, y + h), (x + w, y + end), (x + w, y - end), (x - w, y - h)]
    return _rounded([(x - w, y), *corners, (x - w, y)], min(radius, 0.5 * w))


def _arrow(edge: Edge) -> tuple[_Shape, _Shape]:
    """The line of an edge and its head."""
    tip, before = np.array(edge.path[-1]), np.array(edge.path[-2])
    along = _HEAD * (tip - before) / math.dist(tip, before)
    side = 0.5 * np.array([-along[1], along[0]])
    head = np.array([tip, tip - along + side, tip - 0.8 * along, tip - along - side, tip])
    line = _rounded([*edge.path[:-1], tuple(tip - 0.7 * along)], _RADIUS)
    return line, (head, [_MOVE, *[_LINE_TO] * 3, _CLOSE])


def _rounded(points: Sequence[tuple[float, ...]], radius: float) -> _Shape:
    """Lines through the points with curves for corners."""
    corners = np.array(points)
    last = len(corners) - 1
    vertices, codes = [corners[0]], [_MOVE]
    for i in range(1, last):
        into, out = corners[i - 1] - corners[i], corners[i + 1] - corners[i]
        lengths = float(np.hypot(*into)), float(np.hypot(*out))
        # a line between two curves is shared by them
        reach = min(radius, lengths[0] / (1 + (i > 1)), lengths[1] / (1 + (i < last - 1)))
        a, b = (reach / lengths[0] * into, reach / lengths[1] * out)
        vertices += [corners[i] + a, corners[i], corners[i] + b]
        codes += [_LINE_TO, _CURVE, _CURVE]
    return np.array([*vertices, corners[-1]]), [*codes, _LINE_TO]


def _text(label: Label, x: float = 0.0, y: float = 0.0, turned: bool = False) -> _Shape:
    """A label as a shape, made smaller to fit; turned upwards, then moved by ``(x, y)``."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    if not label.text.strip():
        return np.zeros((0, 2)), []
    font = FontProperties(
        family=_FONT, style="normal", variant="normal", stretch="normal",
        weight="bold" if label.bold else "normal",
    )  # fmt: skip
    text = TextPath((0, 0), label.text.replace("$", r"\$"), size=label.size, prop=font)
    vertices = np.asarray(text.vertices)
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    middle = (low + high) / 2
    origin = {"left": low, "center": middle, "right": high}[label.align].copy()
    origin[1] = middle[1] if label.text == EMPTY else 0.35 * label.size
    placed = (vertices - origin) * min(1.0, label.room / (high - low)[0])
    placed += label.x, label.y
    if turned:
        placed = np.column_stack([-placed[:, 1], placed[:, 0]])
    return placed + np.array([x, y]), np.asarray(text.codes).tolist()
