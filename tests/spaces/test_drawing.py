import itertools
import sys
import time

import numpy as np
import pytest

from blox_env.spaces import BloxSpace, SearchSpace, drawing
from blox_env.spaces.blox import BLOCKS, OPERATIONS, Block, stage_edges
from blox_env.spaces.drawing import HEIGHT, WIDTH, Shown, ansi, draw, layout, picture

BLOX = BloxSpace()
KNOWN = {
    "val_acc": 0.93414,
    "source": "surrogate",
    "latency_ms": 0.41234,
    "device": "x86-ort-1t",
    "latency_target_ms": 0.5,
    "reward": 0.9332,
}


def shown(*options, slots=3, **known):
    row = np.zeros(slots, dtype=np.int64)
    row[: len(options)] = options
    return Shown(row, len(options), **known)


def number(*block):
    return BLOCKS.index(Block(*block))


def spaces():
    """Spaces with architectures of theirs, complete or not."""
    rng = np.random.default_rng(0)
    for options in ((4, 2, 4), (3,) * 8, (45,) * 12, (45,) * 13, (1000,) * 100, (7,)):
        space = SearchSpace(options)
        row = space.sample(rng, 1)[0]
        for filled in (0, space.slots // 2, space.slots):
            yield space, Shown(row, filled)
    for filled in range(4):
        yield BLOX, Shown(np.array([29, 30, 7]), filled)


def corners(node):
    return (
        node.x - node.width / 2,
        node.y - node.height / 2,
        node.x + node.width / 2,
        node.y + node.height / 2,
    )


def overlap(a, b):
    """Whether two boxes (left, bottom, right, top) share more than a border."""
    return min(a[2], b[2]) > max(a[0], b[0]) + 1e-6 and min(a[3], b[3]) > max(a[1], b[1]) + 1e-6


def check(plan):
    """Nothing overlaps, nothing leaves the page, and no edge crosses a box."""
    boxes = {node.name: corners(node) for node in plan.nodes}
    assert len(boxes) == len(plan.nodes)
    for a, b in itertools.combinations(boxes.values(), 2):
        assert not overlap(a, b)
    for box in [*boxes.values(), *map(corners, plan.frames)]:
        assert box[0] >= 0
        assert box[1] >= 0
        assert box[2] <= WIDTH
        assert box[3] <= HEIGHT
    for a, b in itertools.combinations(map(corners, plan.frames), 2):
        assert not overlap(a, b)
    for label in plan.labels:
        left = {"left": 0, "center": 0.5, "right": 1}[label.align] * label.room
        x = label.x - left
        extent = (x, label.y - label.size / 2, x + label.room, label.y + label.size / 2)
        assert not any(overlap(extent, box) for box in boxes.values()), label
    for edge in plan.edges:
        for (x0, y0), (x1, y1) in itertools.pairwise(edge.path):
            assert x0 == x1 or y0 == y1  # what is curved lies within the right angle
            line = (min(x0, x1) - 1, min(y0, y1) - 1, max(x0, x1) + 1, max(y0, y1) + 1)
            crossed = {name for name, box in boxes.items() if overlap(line, box)}
            assert crossed <= {edge.start, edge.end}
        for end, (x, y) in ((edge.start, edge.path[0]), (edge.end, edge.path[-1])):
            left, bottom, right, top = boxes[end]
            assert left <= x <= right
            assert bottom <= y <= top
            assert x in (left, right) or y in (bottom, top)


def connections(plan, stage):
    """Edges of a stage with its sums taken out, in the words of stage_edges."""
    before = "stem" if stage == 1 else f"{stage - 1}.reduction"
    words = {
        before: "in",
        f"{stage}.op1": "op1",
        f"{stage}.op2": "op2",
        f"{stage}.reduction": "out",
    }
    sums = {node.name for node in plan.nodes if node.kind == "sum"}
    after = {edge.start: edge.end for edge in plan.edges if edge.start in sums}
    return sorted(
        (words[edge.start], words[after.get(edge.end, edge.end)])
        for edge in plan.edges
        if edge.start in words and after.get(edge.end, edge.end) in list(words)[1:]
    )


@pytest.mark.parametrize("option", range(len(BLOCKS)), ids=[str(block) for block in BLOCKS])
def test_layout_shows_every_connection_of_a_block(option):
    block = BLOCKS[option]
    plan = layout(BLOX, shown(option, option, option, **KNOWN))
    check(plan)
    for stage in (1, 2, 3):
        assert connections(plan, stage) == sorted(stage_edges(block))
        inside = [node for node in plan.nodes if node.name.startswith(f"{stage}.")]
        used = [node.text for node in inside if node.kind in OPERATIONS]
        assert used == [OPERATIONS[op] for op in block.operations]
        # a sum wherever two values meet, and nowhere else
        sums = [node for node in inside if node.kind == "sum"]
        ends = [b for _, b in stage_edges(block)]
        assert len(sums) == sum(ends.count(name) > 1 for name in ("op2", "out"))
        for node in sums:
            assert sum(edge.end == node.name for edge in plan.edges) == 2
    assert sum(label.text == str(block) for label in plan.labels) == 3
    assert sum(label.text == f"block {option}" for label in plan.labels) == 3


@pytest.mark.parametrize(("space", "what"), [*spaces()])
def test_layout_is_tidy(space, what):
    plan = layout(space, what)
    check(plan)
    nodes = {node.name for node in plan.nodes}
    assert all({edge.start, edge.end} <= nodes for edge in plan.edges)
    starts = {edge.start for edge in plan.edges}
    assert nodes - starts == {plan.nodes[-1].name}  # the only one that leads nowhere
    assert sum(node.kind == "empty" for node in plan.nodes) == space.slots - what.filled
    assert layout(space, what) == plan


def test_an_empty_stage_is_as_large_as_a_full_one():
    empty, full = layout(BLOX, shown()), layout(BLOX, shown(29, 29, 29))
    assert [corners(f) for f in empty.frames] == [corners(f) for f in full.frames]
    assert [frame.kind for frame in layout(BLOX, shown(3)).frames] == [
        "stage",
        "empty stage",
        "empty stage",
    ]
    fixed = [
        [
            node
            for node in plan.nodes
            if not node.name.rpartition(".")[2].startswith(("op", "e", "out"))
        ]
        for plan in (empty, full)
    ]
    assert fixed[0] == fixed[1]


def test_a_chain_names_its_options_in_order():
    space = SearchSpace((45,) * 12)
    row = np.arange(12) * 3
    plan = layout(space, Shown(row, 10, partial="7, …"))
    assert [node.text for node in plan.nodes] == [*map(str, row[:10]), "7, …", "…"]
    assert [(edge.start, edge.end) for edge in plan.edges] == [
        (f"slot {i}", f"slot {i + 1}") for i in range(1, 12)
    ]
    assert len({node.y for node in plan.nodes}) == 2  # rows
    assert len({node.size for node in plan.nodes}) == 1
    assert len({node.y for node in layout(SearchSpace((3,) * 8), shown(slots=8)).nodes}) == 1


def test_a_half_chosen_stage_shows_its_words():
    plan = layout(BLOX, shown(4, partial="conv, mbconv, …"))
    assert [node.text for node in plan.nodes if node.kind == "empty"] == ["conv,\nmbconv,\n…", "…"]


def test_ansi_of_blox():
    half = number(2, 1, 1, 1, 1)
    assert ansi(BLOX, shown(half, 3, partial="conv, …")) == (
        f"stage 1  {half}  {BLOCKS[half]}\nstage 2   3  {BLOCKS[3]}\nstage 3  conv, …"
    )
    assert ansi(BLOX, shown()) == "stage 1  …\nstage 2  …\nstage 3  …"
    assert ansi(BLOX, shown(0, 0, 0, **KNOWN)).splitlines()[3:] == [
        "val_acc 0.9341 (surrogate), latency 0.4123 ms on x86-ort-1t (target 0.5 ms), reward 0.9332"
    ]


@pytest.mark.parametrize(
    ("known", "line"),
    [
        ({"val_acc": 0.5}, "val_acc 0.5000"),
        ({"latency_ms": 2.0}, "latency 2 ms"),
        ({"latency_ms": 2.0, "device": "toy"}, "latency 2 ms on toy"),
        ({"latency_target_ms": 2.5, "device": "toy"}, "latency target 2.5 ms on toy"),
        ({"device": "toy", "source": "trained"}, None),
        ({"val_acc": float("nan"), "latency_ms": float("nan"), "reward": 0.0}, "reward 0.0000"),
    ],
)
def test_ansi_says_only_what_is_known(known, line):
    space = SearchSpace((4, 2, 4))
    lines = ["slot 1  3", "slot 2  1", "slot 3  0"]
    expected = "\n".join([*lines, line] if line else lines)
    assert ansi(space, shown(3, 1, 0, **known)) == expected


def test_ansi_of_many_slots_is_aligned():
    space = SearchSpace((45,) * 12)
    lines = ansi(space, Shown(np.arange(12) * 3, 11)).splitlines()
    assert (lines[0], lines[10], lines[11]) == ("slot  1   0", "slot 11  30", "slot 12  …")


def test_title():
    def title(*options, **known):
        return layout(BLOX, shown(*options, **known)).labels[0].text

    assert title() == "0 of 3 stages chosen"
    assert title(1, device="toy", latency_target_ms=2.0) == (
        "1 of 3 stages chosen  ·  latency target 2 ms on toy"
    )
    assert title(1, 2, 3, **KNOWN) == (
        "validation accuracy 93.41% (surrogate)  ·  "
        "latency 0.4123 ms on x86-ort-1t (target 0.5 ms)  ·  reward 0.9332"
    )
    assert title(1, 2, 3) == ""


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (Shown(np.zeros(2, int), 0), r"row must have shape \(3,\), got \(2,\)"),
        (Shown(np.zeros(3, int), 4), "filled must be in 0 … 3, got 4"),
        (Shown(np.array([0, 45, 0]), 2), "slot 1: expected an option in 0 … 44, got 45"),
    ],
)
def test_what_cannot_be_shown(what, message):
    for show in (ansi, layout):
        with pytest.raises(ValueError, match=message):
            show(BLOX, what)


def test_beyond_filled_nothing_is_read():
    assert ansi(BLOX, Shown(np.array([1, -1, 99]), 1)).endswith("stage 2  …\nstage 3  …")


def luminance(colour):
    r, g, b = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (r, g, b)]
    return float(np.dot(channels, (0.2126, 0.7152, 0.0722)))


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_operations_differ_in_lightness_and_their_text_can_be_read():
    fills = [drawing._STYLES[operation][0] for operation in OPERATIONS]
    for a, b in itertools.combinations(fills, 2):
        assert contrast(a, b) > 1.3
    for fill, _, ink in [*drawing._STYLES.values(), drawing._FRAMEWORK]:
        if fill != "none":
            assert contrast(fill, ink) > 4.5  # WCAG AA


# -- with matplotlib ---------------------------------------------------------------------------


def test_pictures_have_the_size_asked_for():
    pytest.importorskip("matplotlib")
    for space, what in ((BLOX, shown()), (BLOX, shown(29, 30, 7, **KNOWN))):
        pixels = picture(space, what)
        assert (pixels.shape, pixels.dtype) == ((400, 960, 3), np.uint8)
        assert pixels.flags.c_contiguous
    for width, height in ((57, 101), (333, 111), (1, 1)):
        assert picture(BLOX, shown(1), width=width, height=height).shape == (height, width, 3)
    assert (picture(BLOX, shown(), width=480, height=600)[[0, -1]] == 255).all()  # margins
    with pytest.raises(ValueError, match="width must be at least 1, got 0"):
        picture(BLOX, shown(), width=0)
    with pytest.raises(TypeError, match="height must be a whole number"):
        picture(BLOX, shown(), height=1.5)


def test_pictures_depend_on_what_they_show_alone():
    matplotlib = pytest.importorskip("matplotlib")
    from matplotlib import pyplot

    what = shown(29, 30, partial="conv, …", device="a $b$ {c}")
    before = dict(matplotlib.rcParams)
    first = picture(BLOX, what)
    assert dict(matplotlib.rcParams) == before
    assert pyplot.get_fignums() == []
    assert not np.array_equal(first, picture(BLOX, shown(29, 31, partial="conv, …")))
    assert not np.array_equal(first, picture(BLOX, shown(29, 30)))
    unusual = {
        "font.family": "serif",
        "font.style": "italic",
        "font.size": 30,
        "axes.facecolor": "black",
        "figure.autolayout": True,
        "figure.dpi": 300,
        "lines.linewidth": 9,
        "patch.edgecolor": "red",
        "patch.force_edgecolor": True,
    }
    with matplotlib.rc_context(unusual):
        assert np.array_equal(first, picture(BLOX, what))


def test_texts_stay_in_their_room():
    pytest.importorskip("matplotlib")
    space = SearchSpace((10**9,) * 12)
    row = np.full(12, 10**9 - 1)
    device = "a device with quite a long name " * 5
    for a_space, what in (
        (space, Shown(row, 12, device=device, latency_ms=1.0)),
        (BLOX, shown(29, 29, partial="mbconv, " * 9 + "…")),
        (BLOX, shown(29, 29, partial="unbreakable" * 9)),
    ):
        plan = layout(a_space, what)
        for label in plan.labels:
            if label.text:
                assert np.ptp(drawing._text(label)[0][:, 0]) <= label.room + 1e-6
        # the text of a node leaves no trace outside of it
        pixels = picture(a_space, what)
        bare = plan._replace(nodes=[node._replace(text="") for node in plan.nodes])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(drawing, "layout", lambda *_, bare=bare: bare)
            changed = np.argwhere((pixels != picture(a_space, what)).any(axis=2))
        boxes = np.array([corners(node) for node in plan.nodes])
        x, y = changed[:, 1], HEIGHT - 1 - changed[:, 0]
        inside = (
            (x >= boxes[:, :1]) & (x < boxes[:, 2:3]) & (y >= boxes[:, 1:2]) & (y < boxes[:, 3:])
        )
        assert len(changed)
        assert inside.any(axis=0).all()


def test_every_drawn_corner_is_a_curve():
    path = ((0.0, 0.0), (50.0, 0.0), (50.0, 40.0), (90.0, 40.0))
    vertices, codes = drawing._rounded(path, 16)
    assert codes == [1, 2, 3, 3, 2, 3, 3, 2]
    assert vertices.tolist() == [
        [0, 0], [34, 0], [50, 0], [50, 16], [50, 24], [50, 40], [66, 40], [90, 40],
    ]  # fmt: skip


def test_draw_scales_lines_with_the_axes():
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    widths = []
    for inches in (9.6, 19.2):
        figure = Figure(figsize=(inches, inches / 2.4))
        axes = figure.add_axes((0, 0, 1, 1))
        draw(BLOX, shown(29, 30, 7), axes)
        assert (axes.get_xlim(), axes.get_ylim()) == ((0, WIDTH), (0, HEIGHT))
        widths.append(max(artist.get_linewidth() for artist in axes.patches))
    assert widths[1] == pytest.approx(2 * widths[0])


@pytest.mark.parametrize("kind", ["svg", "pdf"])
def test_draw_makes_vector_files_beside_other_axes(kind, tmp_path):
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5, 4), layout="constrained")
    for axes, what in zip(figure.subplots(2, 1), (shown(29, 30, 7, **KNOWN), shown()), strict=True):
        draw(BLOX, what, axes)
    figure.savefig(tmp_path / f"figure.{kind}")
    content = (tmp_path / f"figure.{kind}").read_bytes()
    assert len(content) > 5_000
    assert b"<image" not in content
    assert b"/Type3" not in content  # letters are shapes, which every publisher accepts


def test_a_picture_takes_little_time():
    pytest.importorskip("matplotlib")
    what = shown(29, 30, 7, **KNOWN)
    picture(BLOX, what)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        picture(BLOX, what)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.5  # typically 0.05 s


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert ansi(BLOX, shown())
    assert layout(BLOX, shown())
    with pytest.raises(ImportError, match=r"a picture of an architecture .*blox-env\[experiment\]"):
        picture(BLOX, shown())
