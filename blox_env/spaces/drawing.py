"""An architecture as text and as a picture, complete or while it is being chosen.

:func:`layout` says what stands where, as plain data; :func:`draw` puts that on matplotlib axes, as
shapes alone (letters too), so that it scales to any size and reads no global setting. In every
stage of Blox the same thing has the same place: op1 is above, op2 below, ``prev`` the line between
them, ``input`` the line in from the left, ``skip`` the curve from op1 to the sum on the right.
Stages and slots count from 1, options from 0 as everywhere.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.errors import check_positive_int, missing_extra
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.base import SearchSpace
from blox_env.spaces.blox import BLOCKS, OPERATIONS, BloxSpace, stage_edges

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 960, 400  # units of a layout: pixels of a picture of the default size
EMPTY = "…"
_INK, _GREY, _LINE, _FAINT = "#1f2328", "#5b6470", "#3b424c", "#a3abb6"
# Fill, border and text of a node. The operations differ in lightness too: they can be told apart
# in grey and with any colour vision.
_STYLES = {
    "conv": ("#cfe7f7", "#2b7fb5", _INK),
    "mbconv": ("#f5bd4f", "#a86f00", _INK),
    "bconv": ("#0b6e54", "#064534", "#ffffff"),
    "option": ("#cfe7f7", "#2b7fb5", _INK),
    "sum": ("#ffffff", _LINE, _INK),
    "empty": ("#ffffff", "#8a939f", _GREY),
    "stage": ("#f6f7f9", "#c3c9d2", _INK),
    "empty stage": ("none", "#c3c9d2", _GREY),
}
_FRAMEWORK = ("#e4e7eb", "#7b8490", _INK)  # input, stem, reductions, classifier
_FONT = "DejaVu Sans"  # comes with matplotlib
_HEAD, _RADIUS = 8.5, 16.0  # length of an arrow's head, radius of an arrow's curves
_AXIS = 190.0  # height of the line that the whole network follows
_Shape = tuple[FloatArray, list[int]]  # vertices (n, 2) and codes of a path of matplotlib
_Style = tuple[str, str, float, bool]  # fill, line, width of the line, whether it is dashed
_MOVE, _LINE_TO, _CURVE, _CLOSE = 1, 2, 3, 79


@dataclass(frozen=True)
class Shown:
    """What a picture shows."""

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
    colour: str = _GREY
    bold: bool = False


class Layout(NamedTuple):
    """A drawing of ``WIDTH`` by ``HEIGHT`` units, y upwards."""

    nodes: Sequence[Node]
    edges: Sequence[Edge]
    frames: Sequence[Node]
    labels: Sequence[Label]


def ansi(space: SearchSpace, shown: Shown) -> str:
    """One line a slot, then one with what is known of the architecture."""
    choices = _choices(space, shown)
    name = "stage" if isinstance(space, BloxSpace) else "slot"
    digits, width = len(str(space.slots)), len(str(max(space.options) - 1))
    lines = []
    for slot, choice in enumerate(choices, 1):
        text = choice if isinstance(choice, str) else f"{choice:{width}d}"
        if isinstance(space, BloxSpace) and not isinstance(choice, str):
            text += f"  {BLOCKS[choice]}"
        lines.append(f"{name} {slot:{digits}d}  {text}")
    facts = _facts(shown, "val_acc {:.4f}")
    return "\n".join([*lines, ", ".join(facts)] if facts else lines)


def layout(space: SearchSpace, shown: Shown) -> Layout:
    """What stands where in a drawing."""
    choices = _choices(space, shown)
    blox = isinstance(space, BloxSpace)
    facts = _facts(shown, "validation accuracy {:.2%}")
    if shown.filled < space.slots:
        facts.insert(0, f"{shown.filled} of {space.slots} {'stages' if blox else 'slots'} chosen")
    title = Label(14, 376, "  ·  ".join(facts), 17, WIDTH - 28, "left", _INK)
    return (_blox if blox else _chain)(choices, title)


def draw(space: SearchSpace, shown: Shown, axes: Axes) -> None:
    """Draw on matplotlib axes, which get limits and aspect; lines fit the size they have now."""
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
    """The drawing as pixels, uint8 ``(height, width, 3)``; another shape gets white margins."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise missing_extra("a picture of an architecture", "experiment", error) from error
    width, height = check_positive_int("width", width), check_positive_int("height", height)
    dpi = 64  # a power of two, so that sizes in inches are exact
    figure = Figure(figsize=(width / dpi, height / dpi), dpi=dpi, facecolor="#ffffff")
    figure.set_layout_engine("none")
    canvas: Any = FigureCanvasAgg(figure)
    draw(space, shown, figure.add_axes((0, 0, 1, 1)))
    canvas.draw()
    return np.array(np.asarray(canvas.buffer_rgba())[..., :3], dtype=np.uint8)


def _choices(space: SearchSpace, shown: Shown) -> list[int | str]:
    """The option of each slot, words where it is empty."""
    row, filled = np.asarray(shown.row), shown.filled
    if row.shape != (space.slots,):
        raise ValueError(f"row must have shape ({space.slots},), got {row.shape}")
    if not 0 <= filled <= space.slots:
        raise ValueError(f"filled must be in 0 … {space.slots}, got {filled}")
    chosen = space.check(np.where(np.arange(space.slots) < filled, row, 0))[0].tolist()
    words = [shown.partial or EMPTY, *[EMPTY] * space.slots]
    return [*chosen[:filled], *words[: space.slots - filled]]


def _facts(shown: Shown, accuracy: str) -> list[str]:
    """What is known of the architecture."""
    facts = []
    if _known(shown.val_acc):
        source = f" ({shown.source})" if shown.source else ""
        facts.append(accuracy.format(shown.val_acc) + source)
    where = f" on {shown.device}" if shown.device else ""
    target = f"target {shown.latency_target_ms:.4g} ms" if _known(shown.latency_target_ms) else ""
    if _known(shown.latency_ms):
        brackets = f" ({target})" if target else ""
        facts.append(f"latency {shown.latency_ms:.4g} ms{where}{brackets}")
    elif target:
        facts.append(f"latency {target}{where}")
    if _known(shown.reward):
        facts.append(f"reward {shown.reward:.4f}")
    return facts


def _known(value: float | None) -> TypeGuard[float]:
    return value is not None and not math.isnan(value)


def _blox(choices: Sequence[int | str], title: Label) -> Layout:
    """Input, stem, a frame a stage, classifier; a stage is as wide whatever it holds."""

    def fixed(name: str, x: float, height: float) -> Node:
        return Node(name, x, _AXIS, 34, height, name, name, 16)

    nodes = [fixed("input", 31, 92), fixed("stem", 81, 92)]
    edges = [_route(nodes[0], nodes[1])]
    frames, labels = [], [title]
    for stage, choice in enumerate(choices, 1):
        left = 266.0 * stage - 152
        name, middle, empty = f"stage {stage}", left + 125, isinstance(choice, str)
        frames.append(Node(name, middle, 182, 250, 336, "", "empty stage" if empty else "stage"))
        labels.append(Label(left + 14, 330, name, 16, 110, "left", _GREY if empty else _INK, True))
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
            edges.append(_route(ends[a], ends.get(f"{b}+", ends[b]), left))
        edges += [_route(ends[f"{b}+"], ends[b], left) for b in ("op2", "out") if f"{b}+" in ends]
        nodes += inside.values()
    nodes.append(fixed("classifier", 929, 128))
    return Layout(nodes, [*edges, _route(nodes[-2], nodes[-1])], frames, labels)


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


def _route(a: Node, b: Node, left: float = 0.0) -> Edge:
    """An edge: straight where it can be, else with right angles; ``left`` is the stage's border."""
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


def _chain(choices: Sequence[int | str], title: Label) -> Layout:
    """Slots in rows, as large as they fit."""
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
            edge = _route(nodes[-2], nodes[-1])
            if not column:  # to the next row, between the two
                (a, b), middle = (edge.path[0], edge.path[-1]), y + 0.2 * tall + down / 2
                out, back = nodes[-2].x + across / 2, x - across / 2
                path = (a, (out, a[1]), (out, middle), (back, middle), (back, y), b)
                edge = edge._replace(path=path)
            edges.append(edge)
    return Layout(nodes, edges, (), labels)


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
